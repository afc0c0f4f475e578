"""Image indexes: lists of manifests."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, Optional, Sequence, Union

from . import _bindings
from ._calls import BytesLike, Owned, check, content, decoded, decoded_or_empty, new, pairs, take_bytes, text
from ._lib import lib
from .descriptor import Descriptor


class Index:
    """An index: a list of manifests, for example of one image for several platforms (image-spec 1.1, "OCI Image Index
    Specification").

    Never changes, and keeps bytes and unknown members, as Manifest does.

    >>> index = Index().manifest(uploaded.with_platform(Platform("linux", "amd64")))
    """

    _owned: Owned

    def __init__(self) -> None:
        """An index of no manifests."""
        self._owned = Owned(lib.ocireg_index_new(), lib.ocireg_index_free)

    @classmethod
    def _of(cls, owned: Owned) -> Index:
        index = cls.__new__(cls)
        index._owned = owned
        return index

    @classmethod
    def from_bytes(cls, data: Union[BytesLike, str]) -> Index:
        """Reads an index that was received; its exact bytes are kept. Docker's manifest lists are read too.

        InvalidManifest when it is larger than 4 MiB or not an index.
        """
        received = content(data, "data")
        return cls._of(
            new(lib.ocireg_index_from_bytes, _bindings.index, lib.ocireg_index_free, received, len(received))
        )

    def to_bytes(self) -> bytes:
        """The exact bytes that are uploaded. InvalidManifest when what was built is not an index."""
        return take_bytes(lib.ocireg_index_to_bytes, self._owned)

    def descriptor(self) -> Descriptor:
        """A descriptor that points at the index, as uploading it gives; nothing is uploaded."""
        return Descriptor._asked(lib.ocireg_index_descriptor, self._owned)

    # --- Changed copies ---

    def _with(self, setter: Callable[..., int], *arguments: Any) -> Index:
        copy = Owned(lib.ocireg_index_clone(self._owned), lib.ocireg_index_free)
        check(setter, copy, *arguments)
        return self._of(copy)

    def manifest(self, manifest: Descriptor) -> Index:
        """With the manifest that this descriptor points at, after those that are there."""
        return self._with(lib.ocireg_index_add_manifest, manifest._owned)

    def with_manifests(self, manifests: Iterable[Descriptor]) -> Index:
        """With these manifests after those that are there."""
        copy = Owned(lib.ocireg_index_clone(self._owned), lib.ocireg_index_free)
        for manifest in manifests:
            check(lib.ocireg_index_add_manifest, copy, manifest._owned)
        return self._of(copy)

    def with_subject(self, subject: Descriptor) -> Index:
        """With the manifest that this index refers to: this becomes one of its referrers."""
        return self._with(lib.ocireg_index_set_subject, subject._owned)

    def with_annotation(self, key: str, value: str) -> Index:
        """With this annotation added, or in place of the one with this key."""
        return self._with(lib.ocireg_index_set_annotation, text(key, "key"), text(value, "value"))

    def with_artifact_type(self, artifact_type: str) -> Index:
        """With the type of the artifact, a media type, which is checked by the upload."""
        return self._with(lib.ocireg_index_set_artifact_type, text(artifact_type, "artifact_type"))

    # --- Parts ---

    @property
    def media_type(self) -> str:
        """The index's own media type."""
        return decoded_or_empty(lib.ocireg_index_media_type(self._owned))

    @property
    def artifact_type(self) -> Optional[str]:
        """The type of the artifact."""
        return decoded(lib.ocireg_index_artifact_type(self._owned))

    @property
    def manifests(self) -> Sequence[Descriptor]:
        """The manifests, in order."""
        count = lib.ocireg_index_manifest_count(self._owned)
        return tuple(Descriptor._asked(lib.ocireg_index_manifest, self._owned, position) for position in range(count))

    @property
    def subject(self) -> Optional[Descriptor]:
        """The manifest that this index refers to."""
        return Descriptor._asked_or_none(lib.ocireg_index_subject, self._owned)

    @property
    def annotations(self) -> Dict[str, str]:
        """A copy of the annotations; the keys that the image-spec defines are in the module annotation."""
        return pairs(self._owned, lib.ocireg_index_annotation_count, lib.ocireg_index_annotation_at)

    def __repr__(self) -> str:
        return f"<ocireg.Index of {lib.ocireg_index_manifest_count(self._owned)} manifests>"
