"""Image manifests, which also describe every other artifact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, Optional, Sequence, Union

from . import _bindings
from ._calls import BytesLike, Owned, check, content, decoded, decoded_or_empty, new, pairs, take_bytes, text
from ._lib import lib
from .descriptor import Descriptor


@dataclass(frozen=True)
class RawManifest:
    """A manifest of any type: a media type and the exact bytes.

    Nothing is checked before the upload, where a malformed manifest is refused before a byte is sent.
    """

    media_type: str
    data: bytes


class Manifest:
    """A manifest: a config and layers, and what they are (image-spec 1.1, "OCI Image Manifest Specification").

    Never changes: `layer` and each `with_` method give another one. What is built here is written as the same compact
    JSON every time, always with its `mediaType`. What was read by from_bytes keeps its exact bytes until it is changed,
    and members that are not known here even then.

    >>> manifest = Manifest.artifact("application/vnd.example.greeting").layer(greeting)
    """

    MAX_SIZE = 4 * 1024 * 1024
    """Size of the largest manifest that is uploaded or read, in bytes."""

    _owned: Owned

    def __init__(self, config: Descriptor) -> None:
        """A manifest with this config and no layers yet."""
        self._owned = _new(lib.ocireg_manifest_new, config._owned)

    @classmethod
    def _of(cls, owned: Owned) -> Manifest:
        manifest = cls.__new__(cls)
        manifest._owned = owned
        return manifest

    @classmethod
    def artifact(cls, artifact_type: str) -> Manifest:
        """An artifact of this type, a media type of your own, that has no config: the empty descriptor stands in its
        place. When no layer is added, it is also the only layer (image-spec, "Guidelines for Artifact Usage")."""
        return cls._of(_new(lib.ocireg_manifest_new_artifact, text(artifact_type, "artifact_type")))

    @classmethod
    def from_bytes(cls, data: Union[BytesLike, str]) -> Manifest:
        """Reads a manifest that was received; its exact bytes are kept. Docker's image manifests are read too.

        InvalidManifest when it is larger than 4 MiB or not a manifest.
        """
        received = content(data, "data")
        return cls._of(_new(lib.ocireg_manifest_from_bytes, received, len(received)))

    def to_bytes(self) -> bytes:
        """The exact bytes that are uploaded. InvalidManifest when what was built is not a manifest."""
        return take_bytes(lib.ocireg_manifest_to_bytes, self._owned)

    def descriptor(self) -> Descriptor:
        """A descriptor that points at the manifest, as uploading it gives; nothing is uploaded."""
        return Descriptor._asked(lib.ocireg_manifest_descriptor, self._owned)

    # --- Changed copies ---

    def _with(self, setter: Callable[..., int], *arguments: Any) -> Manifest:
        copy = Owned(lib.ocireg_manifest_clone(self._owned), lib.ocireg_manifest_free)
        check(setter, copy, *arguments)
        return self._of(copy)

    def layer(self, layer: Descriptor) -> Manifest:
        """With this layer after those that are there."""
        return self._with(lib.ocireg_manifest_add_layer, layer._owned)

    def with_layers(self, layers: Iterable[Descriptor]) -> Manifest:
        """With these layers after those that are there."""
        copy = Owned(lib.ocireg_manifest_clone(self._owned), lib.ocireg_manifest_free)
        for layer in layers:
            check(lib.ocireg_manifest_add_layer, copy, layer._owned)
        return self._of(copy)

    def with_subject(self, subject: Descriptor) -> Manifest:
        """With the manifest that this one refers to: this becomes one of its referrers."""
        return self._with(lib.ocireg_manifest_set_subject, subject._owned)

    def with_annotation(self, key: str, value: str) -> Manifest:
        """With this annotation added, or in place of the one with this key."""
        return self._with(lib.ocireg_manifest_set_annotation, text(key, "key"), text(value, "value"))

    def with_artifact_type(self, artifact_type: str) -> Manifest:
        """With the type of the artifact, a media type, which is checked by the upload."""
        return self._with(lib.ocireg_manifest_set_artifact_type, text(artifact_type, "artifact_type"))

    # --- Parts ---

    @property
    def media_type(self) -> str:
        """The manifest's own media type."""
        return decoded_or_empty(lib.ocireg_manifest_media_type(self._owned))

    @property
    def artifact_type(self) -> Optional[str]:
        """The type of the artifact."""
        return decoded(lib.ocireg_manifest_artifact_type(self._owned))

    @property
    def config(self) -> Descriptor:
        """The config."""
        return Descriptor._asked(lib.ocireg_manifest_config, self._owned)

    @property
    def layers(self) -> Sequence[Descriptor]:
        """The layers that were added or received, in order."""
        count = lib.ocireg_manifest_layer_count(self._owned)
        return tuple(Descriptor._asked(lib.ocireg_manifest_layer, self._owned, position) for position in range(count))

    @property
    def subject(self) -> Optional[Descriptor]:
        """The manifest that this one refers to."""
        return Descriptor._asked_or_none(lib.ocireg_manifest_subject, self._owned)

    @property
    def annotations(self) -> Dict[str, str]:
        """A copy of the annotations; the keys that the image-spec defines are in the module annotation."""
        return pairs(self._owned, lib.ocireg_manifest_annotation_count, lib.ocireg_manifest_annotation_at)

    def __repr__(self) -> str:
        return f"<ocireg.Manifest of {lib.ocireg_manifest_layer_count(self._owned)} layers>"


def _new(function: Any, *arguments: Any) -> Owned:
    return new(function, _bindings.manifest, lib.ocireg_manifest_free, *arguments)
