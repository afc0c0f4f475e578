"""A place that holds blobs and manifests: the verbs that a user calls."""

from __future__ import annotations

import ctypes
from types import TracebackType
from typing import Any, Iterable, Optional, Tuple, Type, Union

from . import _bindings
from ._callbacks import Callbacks
from ._calls import BytesLike, Owned, check, content, decoded_or_empty, number, text, texts
from ._errors import InvalidArgument, take_error
from ._lib import lib
from .descriptor import Descriptor
from .digest import Algorithm
from .index import Index
from .manifest import Manifest, RawManifest
from .progress import ProgressCallback
from .source import File, Memory, Source, open_source


class Repository:
    """A place that holds blobs and manifests: a repository at a registry, or an OCI image layout in a directory.

    Opened by Client.repository. May be used from several threads at once. A context manager; close() is not needed.
    """

    _owned: Optional[Owned]

    def __init__(self) -> None:
        raise TypeError("a repository is opened by Client.repository")

    @classmethod
    def _of(cls, owned: Owned) -> Repository:
        repository = cls.__new__(cls)
        repository._owned = owned
        return repository

    @property
    def address(self) -> str:
        """The address that this repository was opened with, in its full form."""
        return decoded_or_empty(lib.ocireg_repository_address(self._open()))

    def upload_blob(
        self,
        source: Source,
        *,
        known: Union[Descriptor, Tuple[str, int], None] = None,
        mount_from: Optional[str] = None,
        algorithm: Algorithm = Algorithm.SHA256,
        progress: Optional[ProgressCallback] = None,
    ) -> Descriptor:
        """Uploads a blob and returns its descriptor, with the media type "application/octet-stream".

        The blob is in the repository, with this digest, when the call returns. One that is there already is not sent
        again: a new blob costs two requests, one that is there costs one.

        - `source`: bytes, text, a pathlib.Path, a binary file object or an iterable of bytes; see Source. A str is
          text, not a path.
        - `known`: digest and size, or a descriptor, that the caller knows already. The blob is then not hashed first;
          where the repository has it, **the source is not read at all**, and the digest is taken on trust. Where it
          must be sent, size and digest are checked while it is read: SizeMismatch, DigestMismatch.
        - `mount_from`: name of another repository at the same registry, such as "library/base", that may have the
          blob: it is then mounted from there instead of being sent, where the registry allows it.
        - `algorithm`: of the digest that is computed; that of `known` decides for itself.
        - `progress`: follows the upload; returning True ends it with Aborted, raising ends it with that exception.

        IoFailed for a file that cannot be read, SourceChanged for one that changes meanwhile, SizeMismatch and
        SourceFailed for other sources that do; what a source or callback raises comes out of this call as it is.
        Everything else comes from the registry or the way to it. On an error the registry has no half-written blob and
        no open session of this call. Ctrl-C on the main thread ends the upload when bytes move or a wait ends.
        """
        owned = self._open()
        opened = open_source(source)
        options = Owned(lib.ocireg_blob_options_new(), lib.ocireg_blob_options_free)
        if known is not None:
            digest, size = (known.digest, known.size) if isinstance(known, Descriptor) else known
            check(lib.ocireg_blob_options_set_known, options, text(digest, "known"), number(size, "known"))
        if mount_from is not None:
            check(lib.ocireg_blob_options_set_mount_from, options, text(mount_from, "mount_from"))
        check(lib.ocireg_blob_options_set_algorithm, options, Algorithm(algorithm))

        out, err = _bindings.descriptor(), _bindings.error()
        outputs = (options, ctypes.byref(out), ctypes.byref(err))
        with Callbacks(progress) as callbacks:
            callbacks.follow(options)
            if isinstance(opened, Memory):
                status = lib.ocireg_repository_upload_blob(owned, opened.data, opened.size, *outputs)
            elif isinstance(opened, File):
                status = lib.ocireg_repository_upload_blob_file(owned, opened.path, *outputs)
            else:
                table = callbacks.read(opened)
                status = lib.ocireg_repository_upload_blob_reader(owned, ctypes.byref(table), *outputs)
        uploaded = Descriptor._of(Owned(out, lib.ocireg_descriptor_free))
        error = take_error(status, err) if status else None
        callbacks.finish()
        if error is not None:
            raise error
        return uploaded

    def blob_exists(self, digest: str) -> bool:
        """Whether the repository has a blob with this digest. InvalidDigest when it is none."""
        out = ctypes.c_bool()
        check(lib.ocireg_repository_blob_exists, self._open(), text(digest, "digest"), ctypes.byref(out))
        return out.value

    def upload_manifest(
        self,
        manifest: Union[Manifest, Index, RawManifest, BytesLike],
        tags: Union[str, Iterable[str]] = (),
        *,
        media_type: Optional[str] = None,
        keep_existing_tags: bool = False,
    ) -> Descriptor:
        """Uploads a manifest or an index, under any number of tags, and returns its descriptor.

        Everything that the manifest lists must have been uploaded before, except the empty descriptor, whose blob `{}`
        is uploaded here when it is used. One request, however many tags, at a registry that can take them together. A
        tag that exists is moved, unless `keep_existing_tags` says otherwise or the registry refuses.

        - `manifest`: a Manifest, Index or RawManifest; or the exact bytes of any manifest, with their `media_type`.
        - `tags`: none, so that it is found by its digest; one as a str; or any number.
        - `keep_existing_tags`: never moves a tag that exists: where it points at the same digest that is success,
          where it points elsewhere that is TagConflict. Costs one request a tag; a tag that somebody else makes
          between the look and the upload is moved.

        InvalidManifest and InvalidReference before anything is sent; TagConflict when a tag points at other content and
        was not moved; and what comes from the registry or the way to it.
        """
        owned = self._open()
        options = Owned(lib.ocireg_manifest_options_new(), lib.ocireg_manifest_options_free)
        check(lib.ocireg_manifest_options_set_keep_existing_tags, options, bool(keep_existing_tags))
        tag_array, tag_count = texts(tags, "tags")

        typed = isinstance(manifest, (Manifest, Index, RawManifest))
        if typed and media_type is not None:
            raise TypeError(f"media_type is for bytes: a {type(manifest).__name__} has its own")
        if not typed and media_type is None:
            raise TypeError("bytes are uploaded as a manifest with their media_type")

        function: Any
        given: Tuple[Any, ...]
        if isinstance(manifest, Manifest):
            function, given = lib.ocireg_repository_upload_manifest, (manifest._owned,)
        elif isinstance(manifest, Index):
            function, given = lib.ocireg_repository_upload_index, (manifest._owned,)
        else:
            if not isinstance(manifest, RawManifest):
                manifest = RawManifest(media_type or "", content(manifest, "manifest"))
            data = content(manifest.data, "data")
            function = lib.ocireg_repository_upload_manifest_bytes
            given = (text(manifest.media_type, "media_type"), data, len(data))
        return Descriptor._asked(function, owned, *given, tag_array, tag_count, options)

    def close(self) -> None:
        """Gives back what the repository holds, once no call uses it any more. May be called again."""
        self._owned = None

    def _open(self) -> Owned:
        if self._owned is None:
            raise InvalidArgument("the repository is closed")
        return self._owned

    def __enter__(self) -> Repository:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<ocireg.Repository {'closed' if self._owned is None else self.address}>"
