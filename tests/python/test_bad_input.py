"""Bad arguments and sources: each gives its own clear error, leaves nothing behind and leaves the client usable."""

import ctypes
import io
import os
from pathlib import Path
from typing import Any, Callable, Iterator, Type

import ocireg
import pytest
from ocireg import Client, Descriptor, Hasher, Index, Manifest, Phase, Progress, RawManifest, Repository, media_type
from support.doubles import Double, Reply, Request

DIGEST = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
CONTENT = b"x" * 3_000_000
# Of a type that nothing takes.
WRONG: Any = 1.5


def still_works(repository: Repository) -> None:
    """The client, its connection and the repository are as good as before."""
    blob = repository.upload_blob("and on it goes")
    assert repository.upload_manifest(Manifest.artifact("a/b").layer(blob), ["after"]).size > 0


# --- Arguments ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "kind", "reason"),
    [
        ("", ocireg.InvalidReference, "empty"),
        ("name", ocireg.InvalidReference, "name"),
        ("https://Bad Host/name", ocireg.InvalidReference, "Bad Host"),
        ("localhost:5000/NAME", ocireg.InvalidReference, "NAME"),
        ("localhost:5000///name", ocireg.InvalidReference, "localhost"),
        ("localhost:99999/name", ocireg.InvalidReference, "99999"),
        ("localhost:5000/name:demo", ocireg.InvalidReference, "tag"),
        (f"localhost:5000/name@{DIGEST}", ocireg.InvalidReference, "digest"),
        ("ftp://localhost/name", ocireg.InvalidReference, "ftp"),
        ("localhost/na\0me", ocireg.InvalidArgument, "NUL"),
        ("localhost/\udc80", ocireg.InvalidArgument, "UTF-8"),
    ],
)
def test_a_malformed_address_is_refused(address: str, kind: Type[ocireg.Error], reason: str, client: Client) -> None:
    with pytest.raises(kind, match=reason) as caught:
        client.repository(address)
    assert isinstance(caught.value, ValueError)
    assert not caught.value.retryable


def test_a_password_in_an_address_is_not_shown(client: Client) -> None:
    with pytest.raises(ocireg.InvalidReference) as caught:
        client.repository("https://user:hunter2@host/name")
    assert "hunter2" not in str(caught.value) + caught.value.target


@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        ("host/name:", ocireg.InvalidReference),
        ("host/name:a:b", ocireg.InvalidReference),
        ("host/name@sha256:abc", ocireg.InvalidDigest),
        ("host/name@demo", ocireg.InvalidDigest),
        ("", ocireg.InvalidReference),
    ],
)
def test_a_malformed_reference_is_refused(reference: str, kind: Type[ocireg.Error]) -> None:
    with pytest.raises(kind):
        ocireg.Reference(reference)


@pytest.mark.parametrize("digest", ["", "abc", "sha256:", "sha256:abc", DIGEST.upper(), DIGEST + "0"])
def test_a_malformed_digest_is_refused(digest: str, repository: Repository) -> None:
    for call in (
        lambda: repository.blob_exists(digest),
        lambda: repository.upload_blob(b"x", known=(digest, 1)),
    ):
        with pytest.raises(ocireg.InvalidDigest):
            call()
    still_works(repository)


@pytest.mark.parametrize("tag", ["", ".a", "-a", "a b", "a/b", "ä", "a" * 129])
def test_a_malformed_tag_is_refused(tag: str, repository: Repository) -> None:
    with pytest.raises(ocireg.InvalidReference, match="is not a tag") as caught:
        repository.upload_manifest(Manifest.artifact("a/b"), ["good", tag])
    assert caught.value.operation == "upload manifest"
    still_works(repository)


@pytest.mark.parametrize("bad", ["", "text", "a/b; charset=utf-8", "a b/c", "a/ä", "a/" + "b" * 200])
def test_a_malformed_media_type_is_refused(bad: str, repository: Repository) -> None:
    blob = repository.upload_blob(b"x")
    for manifest in (
        Manifest(blob.with_media_type(bad)),
        Manifest.artifact(bad),
        RawManifest(bad, b"{}"),
        Index().manifest(blob.with_media_type(bad)),
    ):
        with pytest.raises(ocireg.InvalidManifest, match="media type"):
            repository.upload_manifest(manifest, ["demo"])
    still_works(repository)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "JSON"),
        (b"not JSON", "JSON"),
        (b"[]", "object"),
        (b'{"schemaVersion":1}', "schemaVersion"),
        (b'{"schemaVersion":2}', "config"),
        (b'{"schemaVersion":2,"config":{},"manifests":[]}', "of an index"),
        (b'{"schemaVersion":2,"schemaVersion":2}', "twice"),
        (b'{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"x","size":0}}', "malformed"),
        (b" " * (Manifest.MAX_SIZE + 1), "4194304"),
        (b"[" * 100_000, "object"),
    ],
)
def test_a_malformed_manifest_is_refused_before_a_byte_is_sent(data: bytes, reason: str, client: Client) -> None:
    with pytest.raises(ocireg.InvalidManifest, match=reason):
        Manifest.from_bytes(data)
    with Double() as double:
        repository = client.repository(f"{double.url}/name")
        with pytest.raises(ocireg.InvalidManifest, match=reason):
            repository.upload_manifest(data, ["demo"], media_type=media_type.IMAGE_MANIFEST)
        assert double.requests == []
        still_works(repository)


def test_a_malformed_descriptor_is_refused() -> None:
    for call, kind in (
        (lambda: Descriptor("a/b", "x", 1), ocireg.InvalidDigest),
        (lambda: Descriptor("a/b", DIGEST, -1), ocireg.InvalidArgument),
        (lambda: Descriptor("a/b", DIGEST, 2**64), ocireg.InvalidArgument),
        (lambda: Descriptor("a\0/b", DIGEST, 1), ocireg.InvalidArgument),
        (lambda: Descriptor.from_json("{}"), ocireg.InvalidManifest),
        (lambda: Descriptor.from_json(b"\xff"), ocireg.InvalidManifest),
        (lambda: Descriptor.empty().with_annotation("k", "\udc80"), ocireg.InvalidArgument),
        (lambda: Descriptor.empty().with_urls(["a", "b\0"]), ocireg.InvalidArgument),
        (lambda: Index.from_bytes(b"{}"), ocireg.InvalidManifest),
    ):
        with pytest.raises(kind):
            call()
    with pytest.raises(ocireg.InvalidArgument) as caught:
        Descriptor("a/b", DIGEST, 2**64)
    assert "size" in str(caught.value) and caught.value.status == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda client, repository: client.repository(1),
        lambda client, repository: client.repository(None),
        lambda client, repository: client.repository(b"localhost/name"),
        lambda client, repository: repository.upload_blob(1),
        lambda client, repository: repository.upload_blob(None),
        lambda client, repository: repository.upload_blob([1, 2]),
        lambda client, repository: repository.upload_blob(["text"]),
        lambda client, repository: repository.upload_blob([None]),
        lambda client, repository: repository.upload_blob(io.StringIO("text")),
        lambda client, repository: repository.upload_blob(b"x", known=(1, 1)),
        lambda client, repository: repository.upload_blob(b"x", known=(DIGEST, "1")),
        lambda client, repository: repository.upload_blob(b"x", mount_from=1),
        lambda client, repository: repository.upload_blob(b"x", progress=1),
        lambda client, repository: repository.blob_exists(None),
        lambda client, repository: Descriptor(WRONG, DIGEST, 1),
        lambda client, repository: Descriptor("a/b", DIGEST, WRONG),
        lambda client, repository: Descriptor.empty().with_data(WRONG),
        lambda client, repository: Manifest.from_bytes(WRONG),
        lambda client, repository: Hasher().update(WRONG),
    ],
)
def test_what_is_of_the_wrong_type_is_a_type_error(
    call: Callable[[Any, Any], Any], client: Client, repository: Repository
) -> None:
    with pytest.raises(TypeError):
        call(client, repository)
    still_works(repository)


def test_another_object_is_not_taken_for_a_descriptor() -> None:
    for wrong in (Index(), Manifest.artifact("a/b"), object()):
        with pytest.raises((AttributeError, ctypes.ArgumentError)):
            Manifest(wrong)  # type: ignore[arg-type]


def test_bad_options_of_an_upload_are_refused(layout: Repository) -> None:
    with pytest.raises(ocireg.InvalidReference, match="BAD"):
        layout.upload_blob(b"x", mount_from="BAD")
    with pytest.raises(ValueError):
        layout.upload_blob(b"x", algorithm=7)  # type: ignore[arg-type]
    with pytest.raises(ocireg.InvalidArgument):
        layout.upload_blob(b"x", known=(DIGEST, -1))
    still_works(layout)


# --- Sources -----------------------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    return path


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def shrink(path: Path) -> None:
    os.truncate(path, 1_000_000)


@pytest.mark.parametrize("change", [grow, shrink])
def test_a_file_that_changes_while_it_is_uploaded_is_named(
    change: Callable[[Path], None], repository: Repository, path: Path
) -> None:
    def progress(one: Progress) -> None:
        if one.phase is Phase.UPLOADING and one.bytes_done == 0:
            change(path)

    with pytest.raises(ocireg.SourceChanged) as caught:
        repository.upload_blob(path, progress=progress)
    assert str(path) in str(caught.value) and "3000000" in str(caught.value)
    still_works(repository)


@pytest.mark.parametrize("change", [grow, shrink])
def test_a_file_object_that_changes_while_it_is_uploaded_has_another_size(
    change: Callable[[Path], None], repository: Repository, path: Path
) -> None:
    def progress(one: Progress) -> None:
        if one.phase is Phase.UPLOADING and one.bytes_done == 0:
            change(path)

    with path.open("rb", buffering=0) as file:
        with pytest.raises(ocireg.SizeMismatch, match="3000000"):
            repository.upload_blob(file, progress=progress)
    still_works(repository)


class Broken(io.RawIOBase):
    """A stream that ends badly, `at` some byte."""

    def __init__(self, at: int, end: Callable[[memoryview], Any]) -> None:
        self._left = at
        self._end = end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        n = min(self._left, len(buffer))
        self._left -= n
        return n or self._end(buffer)


def fails(_: memoryview) -> int:
    raise BrokenPipeError("the other end is gone")


@pytest.mark.parametrize("at", [0, 1, 2_000_000])
def test_what_a_source_raises_comes_out_as_it_is(at: int, repository: Repository) -> None:
    with pytest.raises(BrokenPipeError, match="the other end is gone"):
        repository.upload_blob(Broken(at, fails))
    still_works(repository)


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda buffer: len(buffer) + 1, r"put \d+ bytes into a buffer of \d+"),
        (lambda buffer: -1, "put -1 bytes"),
        (lambda buffer: None, "non-blocking"),
    ],
)
def test_a_source_that_breaks_its_contract_is_named(
    end: Callable[[memoryview], Any], reason: str, repository: Repository
) -> None:
    with pytest.raises(ocireg.SourceFailed, match=reason) as caught:
        repository.upload_blob(Broken(1_000_000, end))
    assert caught.value.status == 21
    still_works(repository)


def test_a_read_that_returns_too_much_is_named(repository: Repository) -> None:
    class Greedy:
        def read(self, size: int) -> bytes:
            return b"x" * (size + 1)

    source: Any = Greedy()
    with pytest.raises(ocireg.SourceFailed, match=r"read\(\) gave \d+ bytes where \d+ were asked for"):
        repository.upload_blob(source)
    still_works(repository)


def test_a_read_that_returns_text_is_named(repository: Repository) -> None:
    class Text:
        def read(self, size: int) -> str:
            return "text"

    source: Any = Text()
    with pytest.raises(TypeError, match=r"read\(\) gave str, not bytes"):
        repository.upload_blob(source)
    still_works(repository)


class Liar(io.BytesIO):
    """A file that says it is of another length than it is."""

    def __init__(self, content: bytes, more: int) -> None:
        super().__init__(content)
        self._more = more

    def seek(self, offset: int, whence: int = 0) -> int:
        return super().seek(offset, whence) + (self._more if whence == io.SEEK_END else 0)


@pytest.mark.parametrize("more", [-1, 1])
def test_a_file_of_another_length_than_it_says_is_refused(more: int, repository: Repository) -> None:
    with pytest.raises(ocireg.SizeMismatch):
        repository.upload_blob(Liar(CONTENT, more))
    still_works(repository)


@pytest.mark.parametrize(
    ("source", "known", "kind"),
    [
        (lambda: Broken(2_000_000, fails), None, BrokenPipeError),
        (lambda: CONTENT, (DIGEST, len(CONTENT)), ocireg.DigestMismatch),
        (lambda: iter([CONTENT]), (DIGEST, len(CONTENT) + 1), ocireg.SizeMismatch),
    ],
)
def test_a_session_that_was_given_up_is_cancelled(source: Callable[[], Any], known: Any, kind: Type[Exception]) -> None:
    def answer(request: Request) -> Any:
        return Reply(202, {"Location": "/session"}) if request.method == "PATCH" else None

    with Double(answer) as double:
        repository = Client(attempts=1, chunk_size=1_000_000).repository(f"{double.url}/name")
        with pytest.raises(kind):
            repository.upload_blob(source(), known=known)
        assert (double.methods[0], double.methods[-1]) == ("POST", "DELETE")
        for request in double.requests:
            assert request.method != "PUT" or len(request.body) < int(request.headers["Content-Length"])
        still_works(repository)


def test_a_file_that_cannot_seek_although_it_says_so_raises_what_it_raises(client: Client) -> None:
    class Stuck(io.BytesIO):
        """Can seek until it has been read."""

        def seek(self, offset: int, whence: int = 0) -> int:
            if self.was_read:
                raise OSError("stuck")
            return super().seek(offset, whence)

        def readinto(self, buffer: Any) -> int:
            self.was_read = True
            return super().readinto(buffer)

        was_read = False

    with Double() as double:
        repository = client.repository(f"{double.url}/name")
        with pytest.raises(OSError, match="stuck"):
            repository.upload_blob(Stuck(CONTENT))
        assert double.methods[-1] == "DELETE"
        still_works(repository)


@pytest.mark.parametrize("source", [lambda: CONTENT, lambda: io.BytesIO(CONTENT), lambda: iter([CONTENT])])
@pytest.mark.parametrize(
    ("known", "kind"),
    [
        ((DIGEST, len(CONTENT)), ocireg.DigestMismatch),
        ((DIGEST, len(CONTENT) + 1), ocireg.SizeMismatch),
        ((DIGEST, len(CONTENT) - 1), ocireg.SizeMismatch),
        ((DIGEST, 0), ocireg.SizeMismatch),
    ],
)
def test_a_wrong_known_digest_or_size_is_refused(
    source: Callable[[], Any], known: Any, kind: Type[ocireg.Error], repository: Repository
) -> None:
    with pytest.raises(kind):
        repository.upload_blob(source(), known=known)
    assert not repository.blob_exists(DIGEST)
    still_works(repository)


def test_a_directory_is_not_a_file(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(ocireg.IoFailed, match="is a directory, not a file") as caught:
        repository.upload_blob(tmp_path)
    assert isinstance(caught.value, OSError)
    still_works(repository)


@pytest.mark.parametrize("name", ["missing", b"\xff\xfe missing", "content/below"])
def test_a_file_that_is_not_there_is_named(name: Any, repository: Repository, path: Path) -> None:
    missing = Path(os.fsdecode(os.path.join(os.fsencode(path.parent), os.fsencode(name))))
    with pytest.raises(ocireg.IoFailed, match="cannot open"):
        repository.upload_blob(missing)
    with pytest.raises(ocireg.InvalidArgument, match="NUL"):
        repository.upload_blob(Path("a\0b"))
    still_works(repository)


def test_a_generator_that_is_given_up_is_not_read_to_its_end(repository: Repository) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield CONTENT

    with pytest.raises(ocireg.Aborted):
        repository.upload_blob(endless(), progress=lambda one: one.bytes_done > 2 * len(CONTENT))
    still_works(repository)


# --- Layouts -----------------------------------------------------------------------------------------------------


def test_a_layout_that_cannot_be_written_is_named(client: Client, path: Path) -> None:
    with pytest.raises((ocireg.IoFailed, ocireg.InvalidLayout)) as caught:
        client.repository(f"oci-layout:{path}/layout").upload_blob(b"x")
    assert str(path) in str(caught.value)
    with pytest.raises(ocireg.IoFailed, match="/proc"):
        client.repository("oci-layout:/proc/no-such-directory").upload_blob(b"x")
    still_works(client.repository(f"oci-layout:{path.parent}/layout"))


def test_a_directory_that_is_something_else_is_no_layout(client: Client, tmp_path: Path) -> None:
    (tmp_path / "oci-layout").write_text("something else")
    with pytest.raises(ocireg.InvalidLayout) as caught:
        client.repository(f"oci-layout:{tmp_path}").upload_blob(b"x")
    assert str(tmp_path) in str(caught.value)
    still_works(client.repository(f"oci-layout:{tmp_path}/below"))
