"""ocireg: uploads blobs and manifests to OCI registries and image layouts, through the C library of that name.

    import ocireg
    from ocireg import Manifest, media_type
    from pathlib import Path

    client = ocireg.Client()
    repository = client.repository("myregistry.azurecr.io/sample-artifact")

    config = repository.upload_blob("Sample config")
    layer = repository.upload_blob(Path("layer.tar"))

    manifest = Manifest(config.with_media_type(media_type.IMAGE_CONFIG))
    manifest = manifest.layer(layer.with_media_type(media_type.IMAGE_LAYER))
    uploaded = repository.upload_manifest(manifest, ["demo"])
    print(uploaded.digest)

Calls block, and give other Python threads their turn meanwhile. A failed call raises a subclass of ocireg.Error.
Clients and repositories may be used from several threads at once; descriptors, manifests and indexes never change.
"""

from . import annotation, media_type
from ._errors import (
    Aborted,
    Busy,
    ConnectFailed,
    ConnectionFailed,
    Denied,
    DigestMismatch,
    DnsFailed,
    Error,
    InternalError,
    InvalidArgument,
    InvalidDigest,
    InvalidLayout,
    InvalidManifest,
    InvalidReference,
    IoFailed,
    LimitExceeded,
    NotFound,
    NotRewindable,
    ProtocolFailed,
    RateLimited,
    RedirectFailed,
    RegistryError,
    RegistryFailed,
    Rejected,
    SizeMismatch,
    SourceChanged,
    SourceFailed,
    TagConflict,
    Timeout,
    TlsFailed,
    TooLarge,
    Unauthorized,
)
from ._lib import library_version
from ._version import VERSION as __version__
from .client import Client, TrustRoots
from .descriptor import Descriptor, Platform
from .digest import Algorithm, Hasher
from .index import Index
from .manifest import Manifest, RawManifest
from .progress import Phase, Progress, ProgressCallback
from .reference import Reference
from .repository import Repository
from .source import Source

__all__ = [
    "Aborted",
    "Algorithm",
    "Busy",
    "Client",
    "ConnectFailed",
    "ConnectionFailed",
    "Denied",
    "Descriptor",
    "DigestMismatch",
    "DnsFailed",
    "Error",
    "Hasher",
    "Index",
    "InternalError",
    "InvalidArgument",
    "InvalidDigest",
    "InvalidLayout",
    "InvalidManifest",
    "InvalidReference",
    "IoFailed",
    "LimitExceeded",
    "Manifest",
    "NotFound",
    "NotRewindable",
    "Phase",
    "Platform",
    "Progress",
    "ProgressCallback",
    "ProtocolFailed",
    "RateLimited",
    "RawManifest",
    "RedirectFailed",
    "Reference",
    "RegistryError",
    "RegistryFailed",
    "Rejected",
    "Repository",
    "SizeMismatch",
    "Source",
    "SourceChanged",
    "SourceFailed",
    "TagConflict",
    "Timeout",
    "TlsFailed",
    "TooLarge",
    "TrustRoots",
    "Unauthorized",
    "__version__",
    "annotation",
    "library_version",
    "media_type",
]
