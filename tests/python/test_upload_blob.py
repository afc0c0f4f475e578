"""Blobs from everything that they can be uploaded from, to a layout and to a real registry."""

import array
import hashlib
import io
import mmap
import os
import threading
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import ocireg
import pytest
from ocireg import Algorithm, Client, Descriptor, Phase, Progress, Repository
from support.doubles import Double, Reply, Request

LARGE = bytes(range(256)) * 12_345


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Stream(io.RawIOBase):
    """A binary file object that cannot seek, and gives less than it is asked for."""

    def __init__(self, content: bytes) -> None:
        self._rest = content

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        n = min(len(buffer), 9_999, len(self._rest))
        buffer[:n], self._rest = self._rest[:n], self._rest[n:]
        return n


class OnlyRead:
    """What has a read() and nothing else."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int) -> bytes:
        return self._file.read(size)


def file_of(content: bytes, directory: Path) -> Path:
    path = directory / "Größe.bin"
    path.write_bytes(content)
    return path


def mapped(content: bytes, directory: Path) -> Any:
    with file_of(content, directory).open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def standing_at_three(content: bytes, directory: Path) -> Any:
    file = file_of(b"abc" + content, directory).open("rb")
    file.seek(3)
    return file


SOURCES: Dict[str, Callable[[bytes, Path], Any]] = {
    "bytes": lambda content, _: content,
    "bytearray": lambda content, _: bytearray(content),
    "a memoryview": lambda content, _: memoryview(content),
    "a memoryview that can be written": lambda content, _: memoryview(bytearray(content)),
    "a memoryview with gaps": lambda content, _: memoryview(bytes(b for byte in content for b in (byte, 0)))[::2],
    "an array": lambda content, _: array.array("H", content),
    "a mapped file": mapped,
    "a path": file_of,
    "a file": lambda content, directory: file_of(content, directory).open("rb"),
    "a file from the middle": standing_at_three,
    "a file in memory": lambda content, _: io.BytesIO(content),
    "a stream": lambda content, _: Stream(content),
    "a buffered stream": lambda content, _: io.BufferedReader(Stream(content)),
    "what can only be read": lambda content, _: OnlyRead(content),
    "a list": lambda content, _: [content[:1], b"", memoryview(content)[1:5], bytearray(content[5:])],
    "a generator": lambda content, _: (content[at : at + 100_000] for at in range(0, len(content), 100_000)),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_blob_is_uploaded_from(kind: str, repository: Repository, tmp_path: Path) -> None:
    uploaded = repository.upload_blob(SOURCES[kind](LARGE, tmp_path))
    assert (uploaded.digest, uploaded.size) == (digest(LARGE), len(LARGE))
    assert uploaded.media_type == "application/octet-stream"
    assert repository.blob_exists(uploaded.digest)
    # One that is there is not an error.
    assert repository.upload_blob(SOURCES[kind](LARGE, tmp_path)) == uploaded


@pytest.mark.parametrize("kind", [kind for kind in SOURCES if kind != "a mapped file"])
def test_an_empty_blob_is_uploaded_from(kind: str, repository: Repository, tmp_path: Path) -> None:
    uploaded = repository.upload_blob(SOURCES[kind](b"", tmp_path))
    assert (uploaded.digest, uploaded.size) == (digest(b""), 0)
    assert repository.blob_exists(uploaded.digest)


def test_text_is_uploaded_as_utf_8_and_is_not_a_path(repository: Repository) -> None:
    assert repository.upload_blob("Grüße\0").digest == digest("Grüße\0".encode())


def test_a_pipe_is_uploaded_from_its_path(layout: Repository, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(LARGE,))
    writer.start()
    assert layout.upload_blob(path).digest == digest(LARGE)
    writer.join()


def test_a_stream_larger_than_a_chunk_goes_in_chunks(registry: Any) -> None:
    repository = Client(chunk_size=1 << 20).repository(f"{registry.url}/chunks")
    uploaded = repository.upload_blob(iter([LARGE]))
    assert uploaded.digest == digest(LARGE)
    assert repository.blob_exists(uploaded.digest)
    assert registry.open_uploads("chunks") == []


def test_a_blob_that_is_known_and_there_is_not_read(repository: Repository) -> None:
    uploaded = repository.upload_blob(LARGE)

    def never() -> Iterator[bytes]:
        raise AssertionError("read")
        yield b""

    assert repository.upload_blob(never(), known=uploaded) == uploaded
    assert repository.upload_blob(never(), known=(uploaded.digest, uploaded.size)) == uploaded


def test_a_blob_that_is_known_and_not_there_is_sent(repository: Repository) -> None:
    assert repository.upload_blob(iter([LARGE]), known=(digest(LARGE), len(LARGE))).size == len(LARGE)
    assert repository.blob_exists(digest(LARGE))


def test_a_blob_is_mounted_from_another_repository(client: Client, registry: Any) -> None:
    uploaded = client.repository(f"{registry.url}/base").upload_blob(b"mounted")
    repository = client.repository(f"{registry.url}/target")
    read: List[bytes] = []

    def content() -> Iterator[bytes]:
        read.append(b"mounted")
        yield from read

    assert repository.upload_blob(content(), known=uploaded, mount_from="base") == uploaded
    assert repository.blob_exists(uploaded.digest) and read == []


def test_another_algorithm_can_be_asked_for(layout: Repository) -> None:
    uploaded = layout.upload_blob(b"x", algorithm=Algorithm.SHA512)
    assert uploaded.digest == "sha512:" + hashlib.sha512(b"x").hexdigest()
    assert layout.blob_exists(uploaded.digest)


def test_a_blob_that_is_not_there_does_not_exist(repository: Repository) -> None:
    assert repository.blob_exists(digest(b"never uploaded")) is False


def test_progress_goes_from_the_first_byte_to_the_last(client: Client) -> None:
    seen: List[Progress] = []
    with Double() as double:
        repository = client.repository(f"{double.url}/name")
        repository.upload_blob(io.BytesIO(LARGE), progress=seen.append)
    assert [one.phase for one in seen] == sorted(one.phase for one in seen)
    for phase in Phase:
        reports = [one for one in seen if one.phase is phase]
        assert reports[0].bytes_done == 0 and reports[-1].bytes_done == len(LARGE)
        assert all(one.total == len(LARGE) and one.attempt == 1 for one in reports)
    assert seen[0].digest is None
    assert seen[-1].digest == digest(LARGE)


def test_progress_of_a_stream_has_no_total_before_its_end(layout: Repository) -> None:
    seen: List[Progress] = []
    layout.upload_blob(iter([LARGE]), progress=seen.append)
    assert seen[:-1] and {one.total for one in seen[:-1]} == {None}
    assert seen[-1].total == seen[-1].bytes_done == len(LARGE)


@pytest.mark.parametrize("answer", [None, False, 0])
def test_progress_that_says_nothing_goes_on(answer: Any, repository: Repository) -> None:
    assert repository.upload_blob(LARGE, progress=lambda _: answer).size == len(LARGE)


@pytest.mark.parametrize("source", [lambda: LARGE, lambda: io.BytesIO(LARGE), lambda: iter([LARGE])])
def test_progress_that_returns_true_ends_the_upload(source: Callable[[], Any], repository: Repository) -> None:
    with pytest.raises(ocireg.Aborted, match="ended by the progress callback") as caught:
        repository.upload_blob(source(), progress=lambda _: True)
    assert caught.value.operation == "upload blob"
    assert not repository.blob_exists(digest(LARGE))
    assert repository.upload_blob(source()).digest == digest(LARGE)


def test_progress_that_raises_ends_the_upload_with_that_exception(repository: Repository) -> None:
    raised = KeyError("mine")

    def progress(_: Progress) -> None:
        raise raised

    with pytest.raises(KeyError) as caught:
        repository.upload_blob(LARGE, progress=progress)
    assert caught.value is raised
    assert caught.value.__context__ is None and caught.value.__cause__ is None
    assert not repository.blob_exists(digest(LARGE))


def test_a_session_that_was_given_up_is_cancelled(client: Client) -> None:
    with Double() as double:
        with pytest.raises(ocireg.Aborted):
            client.repository(f"{double.url}/name").upload_blob(
                io.BytesIO(LARGE), progress=lambda one: one.phase is Phase.UPLOADING
            )
        assert double.methods[0] == "POST" and double.methods[-1] == "DELETE"


def test_callbacks_may_call_the_library_again(repository: Repository) -> None:
    inner: List[Descriptor] = []

    def content() -> Iterator[bytes]:
        inner.append(repository.upload_blob(iter([b"inner"])))
        yield b"outer"

    assert repository.upload_blob(content()).digest == digest(b"outer")
    assert inner[0].digest == digest(b"inner")


def test_a_new_blob_costs_two_requests_and_one_that_is_there_one(client: Client) -> None:
    known: List[str] = []

    def answer(request: Request) -> Any:
        there = request.method == "POST" and any(one in request.path for one in known)
        return Reply(201, {"Location": f"/v2/name/blobs/sha256:{known[0]}"}) if there else None

    with Double(answer) as double:
        repository = client.repository(f"{double.url}/name")
        known.append(repository.upload_blob(b"x").digest.split(":")[1])
        assert double.methods == ["POST", "PUT"]
        repository.upload_blob(b"x")
        assert double.methods == ["POST", "PUT", "POST"]
