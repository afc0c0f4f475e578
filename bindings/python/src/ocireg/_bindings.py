"""The declarations of ocireg.h for ctypes: a test compares every one with the header."""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, POINTER, c_bool, c_char_p, c_int32, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, Dict, List, Tuple

# --- Types -------------------------------------------------------------------------------------------------------
# Pointers to types of their own, so that ctypes refuses one object where another is meant.


class ocireg_blob_options(ctypes.Structure):
    pass


class ocireg_bytes(ctypes.Structure):
    pass


class ocireg_client(ctypes.Structure):
    pass


class ocireg_client_options(ctypes.Structure):
    pass


class ocireg_descriptor(ctypes.Structure):
    pass


class ocireg_error(ctypes.Structure):
    pass


class ocireg_hasher(ctypes.Structure):
    pass


class ocireg_index(ctypes.Structure):
    pass


class ocireg_manifest(ctypes.Structure):
    pass


class ocireg_manifest_options(ctypes.Structure):
    pass


class ocireg_progress(ctypes.Structure):
    pass


class ocireg_reference(ctypes.Structure):
    pass


class ocireg_repository(ctypes.Structure):
    pass


blob_options = POINTER(ocireg_blob_options)
bytes_ = POINTER(ocireg_bytes)
client = POINTER(ocireg_client)
client_options = POINTER(ocireg_client_options)
descriptor = POINTER(ocireg_descriptor)
error = POINTER(ocireg_error)
hasher = POINTER(ocireg_hasher)
index = POINTER(ocireg_index)
manifest = POINTER(ocireg_manifest)
manifest_options = POINTER(ocireg_manifest_options)
progress = POINTER(ocireg_progress)
reference = POINTER(ocireg_reference)
repository = POINTER(ocireg_repository)

# `const uint8_t *` is a c_void_p: that takes bytes and writable buffers alike.
text = c_char_p
texts = POINTER(c_char_p)
status = c_int32
out = POINTER

read_fn = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_size_t, POINTER(c_size_t))
seek_fn = CFUNCTYPE(c_int32, c_void_p, c_uint64)
progress_fn = CFUNCTYPE(c_int32, c_void_p, progress)


class ocireg_reader(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("user", c_void_p),
        ("read", read_fn),
        ("seek", seek_fn),
        ("size", c_uint64),
    ]


reader = POINTER(ocireg_reader)

# --- Constants ---------------------------------------------------------------------------------------------------

UNKNOWN = 2**64 - 1

# --- Functions ---------------------------------------------------------------------------------------------------


def fallible(*arguments: Any) -> Tuple[Any, List[Any]]:
    """What returns a status and takes `ocireg_error **err` last."""
    return status, [*arguments, out(error)]


# Name: (type of the result, types of the arguments), in the order of the header.
FUNCTIONS: Dict[str, Tuple[Any, List[Any]]] = {
    "ocireg_status_name": (text, [status]),
    "ocireg_version": (text, []),
    "ocireg_version_number": (c_uint32, []),
    "ocireg_error_status": (status, [error]),
    "ocireg_error_message": (text, [error]),
    "ocireg_error_operation": (text, [error]),
    "ocireg_error_target": (text, [error]),
    "ocireg_error_request": (text, [error]),
    "ocireg_error_http_status": (c_uint32, [error]),
    "ocireg_error_registry_count": (c_size_t, [error]),
    "ocireg_error_registry_code": (text, [error, c_size_t]),
    "ocireg_error_registry_message": (text, [error, c_size_t]),
    "ocireg_error_registry_detail": (text, [error, c_size_t]),
    "ocireg_error_is_retryable": (c_bool, [error]),
    "ocireg_error_retry_after_ms": (c_uint64, [error]),
    "ocireg_error_callback_result": (c_int32, [error]),
    "ocireg_error_free": (None, [error]),
    "ocireg_client_options_new": (client_options, []),
    "ocireg_client_options_set_user_agent": fallible(client_options, text),
    "ocireg_client_options_set_connect_timeout_ms": fallible(client_options, c_uint64),
    "ocireg_client_options_set_read_timeout_ms": fallible(client_options, c_uint64),
    "ocireg_client_options_set_write_timeout_ms": fallible(client_options, c_uint64),
    "ocireg_client_options_set_commit_timeout_ms": fallible(client_options, c_uint64),
    "ocireg_client_options_set_trust_roots": fallible(client_options, c_int32),
    "ocireg_client_options_add_ca_file": fallible(client_options, text),
    "ocireg_client_options_set_client_certificate": fallible(client_options, text, text),
    "ocireg_client_options_set_chunk_size": fallible(client_options, c_uint64),
    "ocireg_client_options_set_danger_accept_invalid_certificates": fallible(client_options, c_bool),
    "ocireg_client_options_set_basic_auth": fallible(client_options, text, text),
    "ocireg_client_options_set_attempts": fallible(client_options, c_uint32),
    "ocireg_client_options_free": (None, [client_options]),
    "ocireg_client_new": fallible(client_options, out(client)),
    "ocireg_client_repository": fallible(client, text, out(repository)),
    "ocireg_client_free": (None, [client]),
    "ocireg_reference_new": fallible(text, out(reference)),
    "ocireg_reference_address": (text, [reference]),
    "ocireg_reference_tag": (text, [reference]),
    "ocireg_reference_digest": (text, [reference]),
    "ocireg_reference_free": (None, [reference]),
    "ocireg_repository_address": (text, [repository]),
    "ocireg_repository_upload_blob": fallible(repository, c_void_p, c_size_t, blob_options, out(descriptor)),
    "ocireg_repository_upload_blob_file": fallible(repository, text, blob_options, out(descriptor)),
    "ocireg_repository_upload_blob_reader": fallible(repository, reader, blob_options, out(descriptor)),
    "ocireg_repository_blob_exists": fallible(repository, text, POINTER(c_bool)),
    "ocireg_repository_upload_manifest": fallible(
        repository, manifest, texts, c_size_t, manifest_options, out(descriptor)
    ),
    "ocireg_repository_upload_index": fallible(repository, index, texts, c_size_t, manifest_options, out(descriptor)),
    "ocireg_repository_upload_manifest_bytes": fallible(
        repository, text, c_void_p, c_size_t, texts, c_size_t, manifest_options, out(descriptor)
    ),
    "ocireg_repository_free": (None, [repository]),
    "ocireg_blob_options_new": (blob_options, []),
    "ocireg_blob_options_set_known": fallible(blob_options, text, c_uint64),
    "ocireg_blob_options_set_mount_from": fallible(blob_options, text),
    "ocireg_blob_options_set_algorithm": fallible(blob_options, c_int32),
    "ocireg_blob_options_set_progress": fallible(blob_options, progress_fn, c_void_p),
    "ocireg_blob_options_free": (None, [blob_options]),
    "ocireg_progress_phase": (c_int32, [progress]),
    "ocireg_progress_bytes_done": (c_uint64, [progress]),
    "ocireg_progress_total": (c_uint64, [progress]),
    "ocireg_progress_digest": (text, [progress]),
    "ocireg_progress_attempt": (c_uint32, [progress]),
    "ocireg_manifest_options_new": (manifest_options, []),
    "ocireg_manifest_options_set_keep_existing_tags": fallible(manifest_options, c_bool),
    "ocireg_manifest_options_free": (None, [manifest_options]),
    "ocireg_descriptor_new": fallible(text, text, c_uint64, out(descriptor)),
    "ocireg_descriptor_empty": (descriptor, []),
    "ocireg_descriptor_clone": (descriptor, [descriptor]),
    "ocireg_descriptor_from_json": fallible(c_void_p, c_size_t, out(descriptor)),
    "ocireg_descriptor_to_json": fallible(descriptor, out(bytes_)),
    "ocireg_descriptor_media_type": (text, [descriptor]),
    "ocireg_descriptor_digest": (text, [descriptor]),
    "ocireg_descriptor_size": (c_uint64, [descriptor]),
    "ocireg_descriptor_artifact_type": (text, [descriptor]),
    "ocireg_descriptor_annotation": (text, [descriptor, text]),
    "ocireg_descriptor_annotation_count": (c_size_t, [descriptor]),
    "ocireg_descriptor_annotation_at": (c_bool, [descriptor, c_size_t, texts, texts]),
    "ocireg_descriptor_url_count": (c_size_t, [descriptor]),
    "ocireg_descriptor_url": (text, [descriptor, c_size_t]),
    "ocireg_descriptor_data": (c_void_p, [descriptor, POINTER(c_size_t)]),
    "ocireg_descriptor_platform_os": (text, [descriptor]),
    "ocireg_descriptor_platform_architecture": (text, [descriptor]),
    "ocireg_descriptor_platform_variant": (text, [descriptor]),
    "ocireg_descriptor_platform_os_version": (text, [descriptor]),
    "ocireg_descriptor_platform_os_feature_count": (c_size_t, [descriptor]),
    "ocireg_descriptor_platform_os_feature": (text, [descriptor, c_size_t]),
    "ocireg_descriptor_set_media_type": fallible(descriptor, text),
    "ocireg_descriptor_set_annotation": fallible(descriptor, text, text),
    "ocireg_descriptor_set_artifact_type": fallible(descriptor, text),
    "ocireg_descriptor_set_platform": fallible(descriptor, text, text, text, text, texts, c_size_t),
    "ocireg_descriptor_set_urls": fallible(descriptor, texts, c_size_t),
    "ocireg_descriptor_set_data": fallible(descriptor, c_void_p, c_size_t),
    "ocireg_descriptor_free": (None, [descriptor]),
    "ocireg_manifest_new": fallible(descriptor, out(manifest)),
    "ocireg_manifest_new_artifact": fallible(text, out(manifest)),
    "ocireg_manifest_clone": (manifest, [manifest]),
    "ocireg_manifest_from_bytes": fallible(c_void_p, c_size_t, out(manifest)),
    "ocireg_manifest_to_bytes": fallible(manifest, out(bytes_)),
    "ocireg_manifest_descriptor": fallible(manifest, out(descriptor)),
    "ocireg_manifest_add_layer": fallible(manifest, descriptor),
    "ocireg_manifest_set_subject": fallible(manifest, descriptor),
    "ocireg_manifest_set_annotation": fallible(manifest, text, text),
    "ocireg_manifest_set_artifact_type": fallible(manifest, text),
    "ocireg_manifest_media_type": (text, [manifest]),
    "ocireg_manifest_artifact_type": (text, [manifest]),
    "ocireg_manifest_config": fallible(manifest, out(descriptor)),
    "ocireg_manifest_layer_count": (c_size_t, [manifest]),
    "ocireg_manifest_layer": fallible(manifest, c_size_t, out(descriptor)),
    "ocireg_manifest_subject": fallible(manifest, out(descriptor)),
    "ocireg_manifest_annotation": (text, [manifest, text]),
    "ocireg_manifest_annotation_count": (c_size_t, [manifest]),
    "ocireg_manifest_annotation_at": (c_bool, [manifest, c_size_t, texts, texts]),
    "ocireg_manifest_free": (None, [manifest]),
    "ocireg_index_new": (index, []),
    "ocireg_index_clone": (index, [index]),
    "ocireg_index_from_bytes": fallible(c_void_p, c_size_t, out(index)),
    "ocireg_index_to_bytes": fallible(index, out(bytes_)),
    "ocireg_index_descriptor": fallible(index, out(descriptor)),
    "ocireg_index_add_manifest": fallible(index, descriptor),
    "ocireg_index_set_subject": fallible(index, descriptor),
    "ocireg_index_set_annotation": fallible(index, text, text),
    "ocireg_index_set_artifact_type": fallible(index, text),
    "ocireg_index_media_type": (text, [index]),
    "ocireg_index_artifact_type": (text, [index]),
    "ocireg_index_manifest_count": (c_size_t, [index]),
    "ocireg_index_manifest": fallible(index, c_size_t, out(descriptor)),
    "ocireg_index_subject": fallible(index, out(descriptor)),
    "ocireg_index_annotation": (text, [index, text]),
    "ocireg_index_annotation_count": (c_size_t, [index]),
    "ocireg_index_annotation_at": (c_bool, [index, c_size_t, texts, texts]),
    "ocireg_index_free": (None, [index]),
    "ocireg_bytes_data": (c_void_p, [bytes_]),
    "ocireg_bytes_len": (c_size_t, [bytes_]),
    "ocireg_bytes_free": (None, [bytes_]),
    "ocireg_hasher_new": fallible(c_int32, out(hasher)),
    "ocireg_hasher_update": fallible(hasher, c_void_p, c_size_t),
    "ocireg_hasher_digest": (text, [hasher]),
    "ocireg_hasher_free": (None, [hasher]),
}


def declare(library: ctypes.CDLL) -> None:
    """Gives every function its types. AttributeError for one that the library does not have."""
    for name, (result, arguments) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
