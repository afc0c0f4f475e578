"""Registries that cannot be reached or answer what they should not: each has its own class and a clear message."""

import json
import pickle
from typing import Any, Dict, Optional, Type

import ocireg
import pytest
from ocireg import Client
from support import tls
from support.doubles import Double, Reply, Request, closed_port, usual

PAGE = b"<!DOCTYPE html><html><body>Please sign in</body></html>"


def refused(client: Client, address: str, kind: Type[ocireg.Error]) -> ocireg.Error:
    """The error of an upload there; afterwards the client works elsewhere."""
    with pytest.raises(kind) as caught:
        client.repository(address).upload_blob(b"Sample layer")
    error = caught.value
    assert type(error) is kind and error.status == kind.STATUS
    assert error.operation == "upload blob" and error.target == address
    assert str(error).startswith(f"upload blob {address}: ")
    with Double() as good:
        assert client.repository(f"{good.url}/name").upload_blob(b"x").size == 1
    return error


def test_an_unknown_host(client: Client) -> None:
    error = refused(client, "http://no-such-host.invalid/name", ocireg.DnsFailed)
    assert "no-such-host.invalid" in str(error)
    assert isinstance(error, ConnectionError) and isinstance(error, ocireg.ConnectionFailed)


def test_a_refused_connection(client: Client) -> None:
    port = closed_port()
    error = refused(client, f"http://127.0.0.1:{port}/name", ocireg.ConnectFailed)
    assert isinstance(error, OSError) and error.retryable
    assert (error.http_status, error.registry_code, error.registry_errors) == (None, None, ())


def test_https_spoken_to_a_plain_port_says_what_to_write(client: Client) -> None:
    with Double() as double:
        error = refused(client, f"127.0.0.1:{double.port}/name", ocireg.TlsFailed)
    assert "http://" in str(error)


def test_an_untrusted_certificate(client: Client, identity: tls.Identity) -> None:
    with Double(tls=identity.server()) as double:
        error = refused(client, f"127.0.0.1:{double.port}/name", ocireg.TlsFailed)
    assert "certificate" in str(error) and not error.retryable
    assert double.requests == []


def test_a_web_page(client: Client) -> None:
    with Double(lambda _: Reply(200, {"Content-Type": "text/html"}, PAGE)) as double:
        error = refused(client, f"{double.url}/name", ocireg.ProtocolFailed)
    assert "HTML page" in str(error) and "is the address right?" in str(error)
    assert error.http_status == 200


def test_an_error_body_of_5_mib(client: Client) -> None:
    with Double(lambda _: Reply(400, {}, b"x" * (5 << 20))) as double:
        error = refused(client, f"{double.url}/name", ocireg.Rejected)
    assert len(str(error)) < 500 and "65536" in str(error)


def test_an_endless_redirect(client: Client) -> None:
    with Double(lambda _: Reply(307, {"Location": "/v2/again"})) as double:
        refused(client, f"{double.url}/name", ocireg.RedirectFailed)
    assert len(double.requests) < 20


@pytest.mark.parametrize("status", [202, 307])
def test_a_location_from_https_to_http(status: int, identity: tls.Identity) -> None:
    client = Client(attempts=1, ca_files=identity.authority, basic_auth=("user", "hunter2"))
    with Double() as plain:
        location = {"Location": f"{plain.url}/session?state=secret"}
        with Double(lambda _: Reply(status, location), tls=identity.server()) as double:
            error = refused(client, f"127.0.0.1:{double.port}/name", ocireg.RedirectFailed)
        assert plain.requests == []
    assert "secret" not in str(error) and "hunter2" not in str(error)


def test_credentials_go_to_their_owner_only(client: Client) -> None:
    challenge = {"WWW-Authenticate": 'Basic realm="test"'}
    with Double() as other:

        def answer(request: Request) -> Reply:
            if "Authorization" not in request.headers:
                return Reply(401, challenge)
            if request.method == "POST":
                return Reply(202, {"Location": f"{other.url}/session"})
            return usual(request)

        with Double(answer) as double:
            signed_in = Client(attempts=1, basic_auth=("user", "hunter2"))
            signed_in.repository(f"{double.url}/name").upload_blob(b"x")
        assert other.methods == ["PUT"]
        assert all("Authorization" not in request.headers for request in other.requests)


def body_of(code: str) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": f"{code} it is", "detail": None}]}).encode()


@pytest.mark.parametrize(
    ("status", "headers", "kind", "retryable"),
    [
        (401, {}, ocireg.Unauthorized, False),
        (403, {}, ocireg.Denied, False),
        (404, {}, ocireg.NotFound, False),
        (413, {}, ocireg.TooLarge, False),
        (418, {}, ocireg.Rejected, False),
        (429, {"Retry-After": "2"}, ocireg.RateLimited, True),
        (500, {}, ocireg.RegistryFailed, True),
        (503, {"Retry-After": "120"}, ocireg.RegistryFailed, True),
    ],
)
def test_each_status_has_its_class(
    status: int, headers: Dict[str, str], kind: Type[ocireg.Error], retryable: bool, client: Client
) -> None:
    with Double(lambda _: Reply(status, {"Content-Type": "application/json", **headers}, body_of("CODE"))) as double:
        error = refused(client, f"{double.url}/name", kind)
    assert (error.http_status, error.retryable) == (status, retryable)
    assert error.registry_code == "CODE" and error.registry_errors[0].message == "CODE it is"
    assert error.request is not None and error.request.startswith(f"POST {double.url}/v2/name/blobs/uploads/")
    assert "?" not in error.request
    assert error.retry_after == (float(headers["Retry-After"]) if headers else None)
    assert "CODE it is" in str(error)


def test_a_connection_that_breaks(client: Client) -> None:
    def broken(request: Request) -> Optional[Reply]:
        raise ConnectionResetError

    with Double(broken) as double:
        error = refused(client, f"{double.url}/name", ocireg.ConnectionFailed)
    assert error.retryable


def test_a_session_is_cancelled_when_the_commit_is_refused(client: Client) -> None:
    with Double(lambda request: Reply(500) if request.method == "PUT" else None) as double:
        refused(client, f"{double.url}/name", ocireg.RegistryFailed)
    assert double.methods[0] == "POST" and double.methods[-1] == "DELETE"


def test_a_manifest_that_is_kept_under_another_digest_is_a_mismatch(client: Client) -> None:
    other = "sha256:" + "0" * 64

    def answer(request: Request) -> Optional[Reply]:
        return Reply(201, {"Docker-Content-Digest": other}) if "manifests" in request.path else None

    with Double(answer) as double:
        with pytest.raises(ocireg.DigestMismatch, match=other):
            client.repository(f"{double.url}/name").upload_manifest(ocireg.Manifest.artifact("a/b"), ["demo"])


def test_an_error_can_be_pickled(client: Client) -> None:
    with Double(lambda _: Reply(403, {}, body_of("DENIED"))) as double:
        error = refused(client, f"{double.url}/name", ocireg.Denied)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is ocireg.Denied and str(copy) == str(error) and vars(copy) == vars(error)


def test_a_fault_inside_the_library_is_an_internal_error() -> None:
    from ocireg import _calls

    def faulty(*arguments: Any) -> int:
        return 99

    with pytest.raises(ocireg.InternalError, match="OCIREG_E_PANIC") as caught:
        _calls.check(faulty)
    assert caught.value.status == 99


def test_a_status_of_a_newer_library_is_an_error() -> None:
    from ocireg import _calls

    with pytest.raises(ocireg.Error) as caught:
        _calls.check(lambda *_: 1234)
    assert type(caught.value) is ocireg.Error and caught.value.status == 1234
