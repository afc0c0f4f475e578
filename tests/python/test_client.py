"""Settings of a client, and how long clients and repositories live."""

import gc
import json
import math
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import ocireg
import pytest
from ocireg import Client, Manifest, Repository, TrustRoots, media_type
from support import tls
from support.doubles import Double, Reply, Request
from support.servers import Registry


def test_the_user_agent_goes_before_that_of_the_library() -> None:
    with Double() as double:
        Client(user_agent="my-build-tool/1.0").repository(f"{double.url}/name").upload_blob(b"x")
    agents = {request.headers["User-Agent"] for request in double.requests}
    assert agents == {f"my-build-tool/1.0 ocireg/{ocireg.__version__}"}


@pytest.mark.parametrize("with_tls", [False, True])
def test_a_registry_with_a_password(with_tls: bool, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    identity: Optional[tls.Identity] = request.getfixturevalue("identity") if with_tls else None
    trust: Dict[str, Any] = {}
    if identity is not None:
        trust = {"ca_files": identity.authority, "trust_roots": TrustRoots.GIVEN}
    with Registry(tmp_path, identity, ("user", "pass:wörd")) as registry:

        def open_with(basic_auth: Optional[Tuple[str, str]]) -> Repository:
            client = Client(basic_auth=basic_auth, **trust)
            return client.repository(f"{registry.url}/private")

        repository = open_with(("user", "pass:wörd"))
        layer = repository.upload_blob(b"layer")
        repository.upload_manifest(Manifest.artifact("application/vnd.example").layer(layer), ["demo"])
        for wrong in (None, ("user", "guess"), ("nobody", "pass:wörd")):
            with pytest.raises(ocireg.Unauthorized) as caught:
                open_with(wrong).upload_blob(b"layer")
            assert caught.value.http_status == 401
            assert not caught.value.retryable
            assert "guess" not in str(caught.value)


def test_every_certificate_is_taken_only_where_that_is_said(identity: tls.Identity) -> None:
    with Double(tls=identity.server()) as double:
        with pytest.raises(ocireg.TlsFailed, match="certificate"):
            Client(attempts=1).repository(f"{double.url}/name").upload_blob(b"x")
        Client(danger_accept_invalid_certificates=True).repository(f"{double.url}/name").upload_blob(b"x")
        # Text, bytes and path objects name files.
        for path in (str(identity.authority), bytes(identity.authority), [identity.authority]):
            Client(ca_files=path).repository(f"{double.url}/name").upload_blob(b"x")


def test_a_client_certificate_is_shown_where_it_is_asked_for(identity: tls.Identity) -> None:
    import ssl

    context = identity.server()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(identity.authority)
    with Double(tls=context) as double:
        with pytest.raises(ocireg.ConnectionFailed):
            Client(ca_files=identity.authority, attempts=1).repository(f"{double.url}/name").upload_blob(b"x")
        client = Client(ca_files=identity.authority, client_certificate=(identity.certificate, identity.key))
        client.repository(f"{double.url}/name").upload_blob(b"x")


def test_a_chunk_size_sends_large_blobs_in_chunks() -> None:
    def answer(request: Request) -> Any:
        if request.method != "PATCH":
            return None
        end = int(request.headers["Content-Range"].split("-")[1])
        return Reply(202, {"Location": "/session", "Range": f"0-{end}"})

    with Double(answer) as double:
        Client(chunk_size=1000).repository(f"{double.url}/name").upload_blob(b"x" * 2500)
    assert double.methods == ["POST", "PATCH", "PATCH", "PUT"]


def test_attempts_say_how_often_a_request_is_tried() -> None:
    def unavailable(_: Request) -> Reply:
        return Reply(503, {"Retry-After": "0"})

    for attempts in (1, 2):
        with Double(unavailable) as double:
            with pytest.raises(ocireg.RegistryFailed) as caught:
                Client(attempts=attempts).repository(f"{double.url}/name").upload_blob(b"x")
        assert caught.value.retryable and caught.value.http_status == 503
        assert caught.value.retry_after == 0
        assert len(double.requests) == attempts


def test_a_registry_that_says_nothing_is_a_timeout() -> None:
    over = threading.Event()

    def silent(_: Request) -> None:
        over.wait(30)

    with Double(silent) as double:
        try:
            with pytest.raises(ocireg.Timeout) as caught:
                Client(read_timeout=0.05, attempts=1).repository(f"{double.url}/name").upload_blob(b"x")
        finally:
            over.set()
    assert isinstance(caught.value, TimeoutError) and caught.value.retryable


def test_every_setting_is_taken() -> None:
    Client(
        user_agent="a",
        connect_timeout=1,
        read_timeout=0.0001,
        write_timeout=2.5,
        commit_timeout=3600,
        trust_roots=TrustRoots.BUNDLED,
        ca_files=(),
        chunk_size=2**63,
        attempts=2**32 - 1,
    )


BAD_SETTINGS: List[Dict[str, Any]] = [
    {"user_agent": "a\nb"},
    {"user_agent": "a\0b"},
    {"user_agent": "\udc80"},
    {"connect_timeout": 0},
    {"read_timeout": -1},
    {"write_timeout": math.inf},
    {"commit_timeout": math.nan},
    {"chunk_size": 0},
    {"chunk_size": -1},
    {"chunk_size": 2**64},
    {"attempts": 0},
    {"attempts": 2**32},
    {"trust_roots": TrustRoots.GIVEN},
    {"basic_auth": ("user:name", "x")},
    {"basic_auth": ("user", "\0")},
    {"ca_files": "a\0b"},
]


@pytest.mark.parametrize("setting", BAD_SETTINGS, ids=repr)
def test_a_setting_that_cannot_be_used_is_named(setting: Dict[str, Any]) -> None:
    with pytest.raises(ocireg.InvalidArgument) as caught:
        Client(**setting)
    assert isinstance(caught.value, ValueError)
    name = next(iter(setting))
    assert name in str(caught.value) or name in ("trust_roots", "basic_auth")


WRONG_TYPES: List[Dict[str, Any]] = [
    {"user_agent": b"a"},
    {"read_timeout": "1"},
    {"chunk_size": 1.5},
    {"attempts": "1"},
    {"basic_auth": ("user", b"x")},
    {"ca_files": 1},
]


@pytest.mark.parametrize("setting", WRONG_TYPES, ids=repr)
def test_a_setting_of_the_wrong_type_is_a_type_error(setting: Dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Client(**setting)


def test_unknown_trust_roots_are_refused() -> None:
    with pytest.raises(ValueError):
        Client(trust_roots=9)  # type: ignore[arg-type]


def test_a_file_that_cannot_be_read_is_an_os_error(tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    setting: Dict[str, Any]
    for setting in ({"ca_files": missing}, {"client_certificate": (missing, missing)}):
        with pytest.raises(ocireg.IoFailed) as caught:
            Client(**setting)
        assert isinstance(caught.value, OSError)
        assert str(missing) in str(caught.value)


# --- Lifetimes ---------------------------------------------------------------------------------------------------


def test_what_is_closed_says_so_and_repositories_outlive_their_client(tmp_path: Path) -> None:
    with Client() as client:
        repository = client.repository(f"oci-layout:{tmp_path}")
    with pytest.raises(ocireg.InvalidArgument, match="the client is closed"):
        client.repository("localhost/name")
    with repository:
        assert repository.upload_blob(b"x").size == 1
    for call in (
        lambda: repository.upload_blob(b"x"),
        lambda: repository.blob_exists("sha256:" + "0" * 64),
        lambda: repository.upload_manifest(ocireg.Index()),
        lambda: repository.address,
    ):
        with pytest.raises(ocireg.InvalidArgument, match="the repository is closed"):
            call()
    client.close()
    repository.close()
    assert "closed" in repr(repository)


def test_a_repository_closed_during_an_upload_finishes_it(repository: Repository) -> None:
    def close(_: ocireg.Progress) -> None:
        repository.close()
        gc.collect()

    assert repository.upload_blob(b"x" * 1_000_000, progress=close).size == 1_000_000
    assert "closed" in repr(repository)


def test_a_repository_is_opened_by_a_client_only() -> None:
    with pytest.raises(TypeError, match="Client.repository"):
        Repository()


def test_what_an_upload_was_given_is_let_go(layout: Repository) -> None:
    class Source(bytearray):
        pass

    class Callback:
        def __call__(self, _: ocireg.Progress) -> None:
            pass

    import io

    class File(io.BytesIO):
        pass

    source, callback, file = Source(b"x" * 100), Callback(), File(b"y" * 100)
    gc.collect()
    gc.disable()
    try:
        layout.upload_blob(source, progress=callback)
        layout.upload_blob(file, progress=callback)
        source.extend(b"it can be changed again")
        gone = [weakref.ref(one) for one in (source, callback, file)]
        del source, callback, file
        assert [one() for one in gone] == [None] * 3
    finally:
        gc.enable()


def test_one_client_serves_many_threads(registry: Registry) -> None:
    client = Client()
    results: Dict[int, str] = {}
    shared = client.repository(f"{registry.url}/threads")

    def work(number: int) -> None:
        for repository in (shared, client.repository(f"{registry.url}/threads/{number}")):
            config = repository.upload_blob(f"config {number}", progress=lambda _: None)
            layer = repository.upload_blob(iter([b"layer", str(number).encode()]))
            manifest = Manifest(config.with_media_type(media_type.IMAGE_CONFIG)).layer(layer)
            results[number] = repository.upload_manifest(manifest, [f"t{number}"]).digest

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(results.values())) == 8


def test_other_threads_run_while_a_call_blocks() -> None:
    ran = threading.Event()

    def wait_for_the_other_thread(_: Request) -> None:
        assert ran.wait(30)

    with Double(wait_for_the_other_thread) as double:
        thread = threading.Thread(target=ran.set)
        repository = Client().repository(f"{double.url}/name")
        thread.start()
        repository.upload_blob(b"x")
        thread.join()
    assert double.methods == ["POST", "PUT"]


def test_the_interpreter_ends_quietly_with_objects_that_are_still_there(tmp_path: Path) -> None:
    program = f"""
import ocireg, threading
client = ocireg.Client()
repository = client.repository("oci-layout:{tmp_path}")
class Cycle: pass
cycle = Cycle()
cycle.itself, cycle.client, cycle.blob = cycle, client, repository.upload_blob(b"x")
kept = [ocireg.Index(), ocireg.Manifest(cycle.blob), ocireg.Hasher()]
ocireg.kept = kept
def wait():
    for _ in iter(int, 1):
        repository.upload_blob(b"y")
threading.Thread(target=wait, daemon=True).start()
print(json := cycle.blob.to_json())
"""
    run = subprocess.run([sys.executable, "-X", "dev", "-c", program], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout)["size"] == 1


def test_memory_is_given_back(layout: Repository) -> None:
    blob = layout.upload_blob(b"x")

    def work() -> None:
        for _ in range(30):
            descriptor = blob.with_annotation("key", "v" * 10_000).with_data(b"x" * 10_000)
            manifest = Manifest(descriptor).with_layers([descriptor] * 5)
            assert manifest.layers[4].data and manifest.to_bytes()
            with pytest.raises(ocireg.InvalidDigest):
                layout.blob_exists("x" * 100_000)

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    work()
    before = resident()
    for _ in range(5):
        work()
    assert resident() - before < 8 << 20
