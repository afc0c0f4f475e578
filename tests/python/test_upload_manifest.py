"""Manifests and indexes, to a layout and to a real registry, read back by a client that is not ours."""

import json
from pathlib import Path
from typing import Any, Iterable, Union

import ocireg
import pytest
from ocireg import Client, Index, Manifest, Platform, RawManifest, Repository, media_type
from support.doubles import Double, Reply
from support.servers import Registry, skopeo

SAMPLE = "sha256:6c112766946a96eea3a9e1ee664c879f8a71be1701e2c781b2576c1ac90e3ca8"


def upload_parts(repository: Repository) -> Manifest:
    config = repository.upload_blob("Sample config").with_media_type(media_type.IMAGE_CONFIG)
    layer = repository.upload_blob("Sample layer").with_media_type(media_type.IMAGE_LAYER)
    return Manifest(config).layer(layer)


def raw(repository: Repository, name: str) -> bytes:
    """The manifest as skopeo finds it."""
    address = repository.address
    if address.startswith("oci-layout:"):
        return skopeo("inspect", "--raw", f"oci:{address[len('oci-layout:') :]}:{name}")
    host = address[len("http://") :]
    mark = "@" if name.startswith("sha256:") else ":"
    return skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{host}{mark}{name}")


@pytest.mark.parametrize("tags", [["demo"], "demo", ("demo", "latest", "v1.0"), ["demo", "demo"]])
def test_a_manifest_is_found_under_each_of_its_tags(tags: Union[str, Iterable[str]], repository: Repository) -> None:
    manifest = upload_parts(repository)
    names = ["demo", "latest", "v1.0"] if isinstance(tags, tuple) else ["demo"]
    uploaded = repository.upload_manifest(manifest, tags)
    assert uploaded == manifest.descriptor()
    assert uploaded.digest == SAMPLE
    for name in names:
        assert raw(repository, name) == manifest.to_bytes()


def test_a_manifest_without_a_tag_is_found_by_its_digest(client: Client, registry: Registry) -> None:
    repository = client.repository(f"{registry.url}/untagged")
    uploaded = repository.upload_manifest(upload_parts(repository))
    assert raw(repository, uploaded.digest) == upload_parts(repository).to_bytes()


def test_what_was_uploaded_is_copied_by_another_client(repository: Repository, tmp_path: Path) -> None:
    repository.upload_manifest(upload_parts(repository), ["demo"])
    address = repository.address
    if address.startswith("oci-layout:"):
        source = f"oci:{address[len('oci-layout:') :]}:demo"
    else:
        source = f"docker://{address[len('http://') :]}:demo"
    skopeo("copy", "--src-tls-verify=false", source, f"dir:{tmp_path}/copy")
    copied = {path.read_bytes() for path in (tmp_path / "copy").iterdir()}
    assert {b"Sample config", b"Sample layer"} <= copied


def test_an_artifact_without_a_config_uploads_the_empty_blob_itself(repository: Repository) -> None:
    uploaded = repository.upload_manifest(Manifest.artifact("application/vnd.example.greeting"), ["demo"])
    assert uploaded.artifact_type == "application/vnd.example.greeting"
    assert repository.blob_exists(ocireg.Descriptor.empty().digest)
    assert json.loads(raw(repository, "demo"))["artifactType"] == "application/vnd.example.greeting"


def test_an_index_is_uploaded(client: Client, registry: Registry) -> None:
    repository = client.repository(f"{registry.url}/index")
    manifest = repository.upload_manifest(upload_parts(repository))
    index = Index().manifest(manifest.with_platform(Platform("linux", "amd64")))
    uploaded = repository.upload_manifest(index, ["all"])
    assert uploaded.media_type == media_type.IMAGE_INDEX
    assert raw(repository, "all") == index.to_bytes()


def test_exact_bytes_are_uploaded_with_their_media_type(repository: Repository) -> None:
    manifest = upload_parts(repository)
    spaced = json.dumps(json.loads(manifest.to_bytes()), indent=3).encode()
    for name, given in (
        ("raw", RawManifest(media_type.IMAGE_MANIFEST, spaced)),
        ("received", Manifest.from_bytes(spaced)),
    ):
        repository.upload_manifest(given, [name])
        assert raw(repository, name) == spaced
    repository.upload_manifest(bytearray(spaced), "bytes", media_type=media_type.IMAGE_MANIFEST)
    assert raw(repository, "bytes") == spaced


def test_a_tag_is_moved_unless_it_is_to_be_kept(repository: Repository) -> None:
    first = upload_parts(repository)
    second = first.with_annotation("k", "v")
    repository.upload_manifest(first, ["demo"])
    with pytest.raises(ocireg.TagConflict) as caught:
        repository.upload_manifest(second, ["demo"], keep_existing_tags=True)
    assert first.descriptor().digest in str(caught.value)
    assert second.descriptor().digest in str(caught.value)
    assert raw(repository, "demo") == first.to_bytes()
    assert repository.upload_manifest(first, ["demo"], keep_existing_tags=True).digest == SAMPLE
    repository.upload_manifest(second, ["demo"])
    assert raw(repository, "demo") == second.to_bytes()


def test_a_manifest_with_one_tag_costs_one_request(client: Client) -> None:
    with Double() as double:
        repository = client.repository(f"{double.url}/name")
        manifest = upload_parts(repository)
        double.requests.clear()
        repository.upload_manifest(manifest, ["demo"])
        assert [(one.method, one.path) for one in double.requests] == [("PUT", "/v2/name/manifests/demo")]


def test_a_manifest_that_the_registry_refuses_says_why(client: Client) -> None:
    body = {"errors": [{"code": "MANIFEST_INVALID", "message": "no", "detail": {"a": [1]}}, {"code": "OTHER"}]}
    with Double(lambda _: Reply(422, {}, json.dumps(body).encode())) as double:
        artifact = Manifest(ocireg.Descriptor("a/b", SAMPLE, 1))
        with pytest.raises(ocireg.Rejected) as caught:
            client.repository(f"{double.url}/name").upload_manifest(artifact, ["demo"])
    error = caught.value
    assert (error.http_status, error.registry_code) == (422, "MANIFEST_INVALID")
    assert error.registry_errors[0] == ("MANIFEST_INVALID", "no", '{"a":[1]}')
    assert error.registry_errors[1] == ("OTHER", "", "")
    assert error.request == f"PUT {double.url}/v2/name/manifests/demo"
    assert error.operation == "upload manifest"
    assert error.target.endswith("/name:demo")


def test_what_is_no_manifest_is_a_type_error(layout: Repository) -> None:
    manifest: Any
    for manifest, kind in (
        (upload_parts(layout), "a/b"),
        (Index(), "a/b"),
        (b"{}", None),
        (1, "a/b"),
        (None, None),
    ):
        with pytest.raises(TypeError):
            layout.upload_manifest(manifest, media_type=kind)
    with pytest.raises(TypeError, match="tags must be a str"):
        layout.upload_manifest(Index(), [1])  # type: ignore[list-item]
