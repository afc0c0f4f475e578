"""Descriptors, manifests, indexes, references and digests."""

import copy
import hashlib
import json
import pickle

import ocireg
import pytest
from ocireg import Descriptor, Index, Manifest, Platform, annotation, media_type

SAMPLE = "sha256:6c112766946a96eea3a9e1ee664c879f8a71be1701e2c781b2576c1ac90e3ca8"


def blob(content: bytes, kind: str = media_type.OCTET_STREAM) -> Descriptor:
    return Descriptor(kind, "sha256:" + hashlib.sha256(content).hexdigest(), len(content))


def sample() -> Manifest:
    config = blob(b"Sample config", media_type.IMAGE_CONFIG)
    return Manifest(config).layer(blob(b"Sample layer", media_type.IMAGE_LAYER))


def test_a_descriptor_has_every_member_of_the_image_spec() -> None:
    platform = Platform("linux", "arm64", "v8", "1.2", ("a", "b"))
    descriptor = (
        blob(b"hi")
        .with_media_type("text/plain")
        .with_urls(["https://a", "https://b"])
        .with_annotation("k", "v")
        .with_annotation(annotation.TITLE, "Grüße")
        .with_data(b"hi")
        .with_artifact_type("application/vnd.example")
        .with_platform(platform)
    )
    assert descriptor.media_type == "text/plain"
    assert descriptor.digest == "sha256:8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4"
    assert descriptor.size == 2
    assert descriptor.urls == ("https://a", "https://b")
    assert descriptor.annotations == {"k": "v", annotation.TITLE: "Grüße"}
    assert descriptor.data == b"hi"
    assert descriptor.artifact_type == "application/vnd.example"
    assert descriptor.platform == platform
    written = json.loads(descriptor.to_json())
    assert written["data"] == "aGk="
    assert written["platform"]["os.features"] == ["a", "b"]


def test_what_a_descriptor_does_not_say_is_none() -> None:
    descriptor = blob(b"")
    assert (descriptor.urls, descriptor.annotations) == ((), {})
    assert (descriptor.data, descriptor.artifact_type, descriptor.platform) == (None, None, None)
    assert descriptor.with_data(b"").data == b""
    assert descriptor.with_platform(Platform("linux", "amd64")).platform == Platform("linux", "amd64")


def test_a_descriptor_never_changes() -> None:
    descriptor = blob(b"x")
    assert descriptor.with_annotation("k", "v").annotations == {"k": "v"}
    assert descriptor.annotations == {}
    assert descriptor == blob(b"x") and hash(descriptor) == hash(blob(b"x"))
    assert descriptor != blob(b"y") and descriptor != 1


def test_descriptors_are_copied_and_pickled_with_members_that_are_not_known() -> None:
    json_text = '{"digest":"sha256:' + "0" * 64 + '","size":0,"future":[1]}'
    descriptor = Descriptor.from_json(json_text)
    assert descriptor.media_type == ""
    for same in (descriptor, copy.deepcopy(descriptor), pickle.loads(pickle.dumps(descriptor))):
        assert same.to_json() == json_text
    assert "future" in descriptor.with_annotation("k", "v").to_json()


def test_the_empty_descriptor_points_at_an_empty_object() -> None:
    empty = Descriptor.empty()
    assert empty == blob(Descriptor.EMPTY_CONTENT, media_type.EMPTY)


def test_the_sample_manifest_has_the_digest_that_it_has_in_every_language() -> None:
    descriptor = sample().descriptor()
    assert descriptor.digest == SAMPLE
    assert descriptor.media_type == media_type.IMAGE_MANIFEST
    assert descriptor.size == len(sample().to_bytes())
    assert hashlib.sha256(sample().to_bytes()).hexdigest() == SAMPLE[len("sha256:") :]


def test_a_manifest_has_every_member_of_the_image_spec() -> None:
    subject = blob(b"subject", media_type.IMAGE_MANIFEST)
    manifest = (
        Manifest(blob(b"config"))
        .layer(blob(b"1"))
        .with_layers([blob(b"2"), blob(b"3")])
        .with_subject(subject)
        .with_annotation(annotation.CREATED, "2026-01-01T00:00:00Z")
        .with_artifact_type("application/vnd.example")
    )
    for same in (manifest, Manifest.from_bytes(manifest.to_bytes())):
        assert same.media_type == media_type.IMAGE_MANIFEST
        assert same.config == blob(b"config")
        assert same.layers == (blob(b"1"), blob(b"2"), blob(b"3"))
        assert same.subject == subject
        assert same.annotations == {annotation.CREATED: "2026-01-01T00:00:00Z"}
        assert same.artifact_type == "application/vnd.example"
        assert same.to_bytes() == manifest.to_bytes()
    assert Manifest(blob(b"")).subject is None and Manifest(blob(b"")).artifact_type is None


def test_a_manifest_never_changes() -> None:
    manifest = sample()
    assert len(manifest.layer(blob(b"x")).layers) == 2
    assert len(manifest.with_layers([]).layers) == 1
    assert manifest.with_annotation("k", "v").annotations == {"k": "v"}
    assert manifest.descriptor().digest == SAMPLE


def test_a_received_manifest_keeps_its_bytes_and_unknown_members() -> None:
    received = b' { "schemaVersion": 2, "config": %s, "layers": null, "future": 1 }' % blob(b"").to_json().encode()
    manifest = Manifest.from_bytes(received)
    assert manifest.to_bytes() == received
    assert json.loads(manifest.layer(blob(b"")).to_bytes())["future"] == 1
    assert manifest.to_bytes() == received


def test_an_artifact_without_a_config_uses_the_empty_descriptor() -> None:
    artifact = Manifest.artifact("application/vnd.example.greeting")
    assert artifact.config == Descriptor.empty()
    assert json.loads(artifact.to_bytes())["layers"] == [json.loads(Descriptor.empty().to_json())]
    assert artifact.layer(blob(b"x")).layers == (blob(b"x"),)


def test_an_index_has_every_member_of_the_image_spec() -> None:
    first = sample().descriptor().with_platform(Platform("linux", "amd64"))
    index = (
        Index()
        .manifest(first)
        .with_manifests([blob(b"2", media_type.IMAGE_MANIFEST)])
        .with_subject(blob(b"s", media_type.IMAGE_MANIFEST))
        .with_annotation("k", "v")
        .with_artifact_type("application/vnd.example")
    )
    for same in (index, Index.from_bytes(index.to_bytes())):
        assert same.media_type == media_type.IMAGE_INDEX
        assert same.manifests[0] == first and len(same.manifests) == 2
        assert same.manifests[0].platform == Platform("linux", "amd64")
        assert same.subject == blob(b"s", media_type.IMAGE_MANIFEST)
        assert same.annotations == {"k": "v"}
        assert same.artifact_type == "application/vnd.example"
    assert index.descriptor().media_type == media_type.IMAGE_INDEX
    assert Index().manifests == () and Index().subject is None


def test_references_are_taken_apart() -> None:
    reference = ocireg.Reference(f"https://localhost:5000/app:1.0@{SAMPLE}")
    assert (reference.address, reference.tag, reference.digest) == ("localhost:5000/app", "1.0", SAMPLE)
    assert str(reference) == f"localhost:5000/app:1.0@{SAMPLE}"
    assert reference == ocireg.Reference(str(reference))
    plain = ocireg.Reference("oci-layout:./dir")
    assert (plain.address, plain.tag, plain.digest) == ("oci-layout:./dir", None, None)
    assert repr(plain) == "Reference('oci-layout:./dir')"


@pytest.mark.parametrize("algorithm", ocireg.Algorithm)
def test_digests_are_computed_piece_by_piece(algorithm: ocireg.Algorithm) -> None:
    hasher = ocireg.Hasher(algorithm)
    for piece in (b"one", bytearray(b"two"), memoryview(b"-three-")[1:-1], b""):
        hasher.update(piece)
    name = algorithm.name.lower()
    assert hasher.digest == f"{name}:{hashlib.new(name, b'onetwothree').hexdigest()}"
    with pytest.raises(ocireg.InvalidArgument, match="already"):
        hasher.update(b"more")
