"""Descriptors: how a manifest points at content."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, Optional, Sequence, Tuple, Union

from . import _bindings
from ._calls import (
    BytesLike,
    Owned,
    check,
    content,
    decoded,
    decoded_or_empty,
    listed,
    new,
    number,
    pairs,
    take_bytes,
    text,
    texts,
)
from ._lib import lib


@dataclass(frozen=True)
class Platform:
    """What an image runs on (image-spec, "Image Index Property Descriptions", `platform`)."""

    os: str
    """The operating system by its Go name, such as "linux"; empty when a received document leaves it out."""
    architecture: str
    """The architecture by its Go name, such as "amd64"; empty when a received document leaves it out."""
    variant: Optional[str] = None
    """The variant of the CPU, such as "v8"."""
    os_version: Optional[str] = None
    """The version of the operating system."""
    os_features: Sequence[str] = ()
    """Features of the operating system that are needed, such as "win32k"."""


class Descriptor:
    """Points at content: its media type, digest and size, and what else is known about it (image-spec, "OCI Content
    Descriptors").

    Never changes: each `with_` method gives another one. Members that are not known here are kept when a descriptor is
    read and written again.

    >>> layer = Descriptor(media_type.IMAGE_LAYER, "sha256:...", 12).with_annotation(annotation.TITLE, "sample.txt")
    """

    EMPTY_CONTENT = b"{}"
    """The content of the empty descriptor."""

    _owned: Owned

    def __init__(self, media_type: str, digest: str, size: int) -> None:
        """A descriptor of content with this media type, digest and size in bytes.

        InvalidDigest when that is none; the media type is checked when a manifest with the descriptor is uploaded.
        """
        self._owned = new(
            lib.ocireg_descriptor_new,
            _bindings.descriptor,
            lib.ocireg_descriptor_free,
            text(media_type, "media_type"),
            text(digest, "digest"),
            number(size, "size"),
        )

    @classmethod
    def _of(cls, owned: Owned) -> Descriptor:
        descriptor = cls.__new__(cls)
        descriptor._owned = owned
        return descriptor

    @classmethod
    def _asked(cls, function: Any, *arguments: Any) -> Descriptor:
        """Calls what gives a descriptor through its last parameter but one."""
        return cls._of(new(function, _bindings.descriptor, lib.ocireg_descriptor_free, *arguments))

    @classmethod
    def _asked_or_none(cls, function: Any, *arguments: Any) -> Optional[Descriptor]:
        """The same where there may be none."""
        descriptor = cls._asked(function, *arguments)
        return descriptor if descriptor._owned else None

    @classmethod
    def empty(cls) -> Descriptor:
        """The empty descriptor, which stands where a manifest needs one and there is nothing to point at (image-spec,
        "Guidance for an Empty Descriptor"). Its blob is uploaded with the manifest that uses it."""
        return cls._of(Owned(lib.ocireg_descriptor_empty(), lib.ocireg_descriptor_free))

    @classmethod
    def from_json(cls, json: Union[str, BytesLike]) -> Descriptor:
        """Reads a descriptor. InvalidManifest when it is none."""
        data = content(json, "json")
        return cls._asked(lib.ocireg_descriptor_from_json, data, len(data))

    def to_json(self) -> str:
        """The descriptor as compact JSON, the same every time."""
        return take_bytes(lib.ocireg_descriptor_to_json, self._owned).decode()

    # --- Changed copies ---

    def _with(self, setter: Callable[..., int], *arguments: Any) -> Descriptor:
        copy = Owned(lib.ocireg_descriptor_clone(self._owned), lib.ocireg_descriptor_free)
        check(setter, copy, *arguments)
        return self._of(copy)

    def with_media_type(self, media_type: str) -> Descriptor:
        """The same content under another media type."""
        return self._with(lib.ocireg_descriptor_set_media_type, text(media_type, "media_type"))

    def with_annotation(self, key: str, value: str) -> Descriptor:
        """With this annotation added, or in place of the one with this key."""
        return self._with(lib.ocireg_descriptor_set_annotation, text(key, "key"), text(value, "value"))

    def with_artifact_type(self, artifact_type: str) -> Descriptor:
        """With the type of the artifact, when the content is a manifest."""
        return self._with(lib.ocireg_descriptor_set_artifact_type, text(artifact_type, "artifact_type"))

    def with_platform(self, platform: Platform) -> Descriptor:
        """With what the content runs on; for the entries of an index."""
        return self._with(
            lib.ocireg_descriptor_set_platform,
            text(platform.os, "os"),
            text(platform.architecture, "architecture"),
            None if platform.variant is None else text(platform.variant, "variant"),
            None if platform.os_version is None else text(platform.os_version, "os_version"),
            *texts(platform.os_features, "os_features"),
        )

    def with_urls(self, urls: Iterable[str]) -> Descriptor:
        """With other places where the content can be downloaded, instead of those that were there."""
        return self._with(lib.ocireg_descriptor_set_urls, *texts(urls, "urls"))

    def with_data(self, data: BytesLike) -> Descriptor:
        """With the content itself, for something small. It must have the size and digest of the descriptor."""
        copied = content(data, "data")
        return self._with(lib.ocireg_descriptor_set_data, copied, len(copied))

    # --- Parts ---

    @property
    def media_type(self) -> str:
        """The media type; empty when a received document leaves it out."""
        return decoded_or_empty(lib.ocireg_descriptor_media_type(self._owned))

    @property
    def digest(self) -> str:
        """The digest of the content."""
        return decoded_or_empty(lib.ocireg_descriptor_digest(self._owned))

    @property
    def size(self) -> int:
        """The size of the content in bytes."""
        size: int = lib.ocireg_descriptor_size(self._owned)
        return size

    @property
    def urls(self) -> Sequence[str]:
        """Where else the content can be downloaded."""
        return listed(self._owned, lib.ocireg_descriptor_url_count, lib.ocireg_descriptor_url)

    @property
    def annotations(self) -> Dict[str, str]:
        """A copy of the annotations; the keys that the image-spec defines are in the module annotation."""
        return pairs(self._owned, lib.ocireg_descriptor_annotation_count, lib.ocireg_descriptor_annotation_at)

    @property
    def data(self) -> Optional[bytes]:
        """The content itself, where the descriptor carries it. Not verified for a received descriptor."""
        size = ctypes.c_size_t()
        data = lib.ocireg_descriptor_data(self._owned, ctypes.byref(size))
        return None if data is None else ctypes.string_at(data, size.value)

    @property
    def artifact_type(self) -> Optional[str]:
        """The type of the artifact, when the content is a manifest."""
        return decoded(lib.ocireg_descriptor_artifact_type(self._owned))

    @property
    def platform(self) -> Optional[Platform]:
        """What the content runs on."""
        os = decoded(lib.ocireg_descriptor_platform_os(self._owned))
        if os is None:
            return None
        return Platform(
            os,
            decoded_or_empty(lib.ocireg_descriptor_platform_architecture(self._owned)),
            decoded(lib.ocireg_descriptor_platform_variant(self._owned)),
            decoded(lib.ocireg_descriptor_platform_os_version(self._owned)),
            listed(
                self._owned,
                lib.ocireg_descriptor_platform_os_feature_count,
                lib.ocireg_descriptor_platform_os_feature,
            ),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Descriptor):
            return NotImplemented
        return self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.to_json())

    def __repr__(self) -> str:
        return f"Descriptor({self.media_type!r}, {self.digest!r}, {self.size})"

    def __reduce__(self) -> Tuple[Any, ...]:
        return Descriptor.from_json, (self.to_json(),)
