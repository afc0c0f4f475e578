"""Registries that answer what none should, for tests/cpp/bad_answers.cpp.

`double.py DIRECTORY` prints the URL of one over HTTP, the URL of one over HTTPS and the path of the CA file that trusts
it, and serves until standard input ends. The name of the repository says how they answer.
"""

import json
import subprocess
import sys
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Optional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))

from support.doubles import Double, Reply, Request  # noqa: E402


def answer(request: Request) -> Optional[Reply]:
    name = request.path.split("/")[2] if request.path.startswith("/v2/") else ""
    if name == "page":
        return Reply(200, {"Content-Type": "text/html"}, b"<!DOCTYPE html><html><body>Please sign in</body></html>")
    if name == "large":
        return Reply(400, {}, b"x" * (5 << 20))
    if name == "redirect":
        return Reply(307, {"Location": request.path})
    if name == "downgrade":
        return Reply(202, {"Location": "http://127.0.0.1:1/session?state=secret"})
    if name == "renamed" and "/manifests/" in request.path:
        return Reply(201, {"Docker-Content-Digest": "sha256:" + "0" * 64})
    if name == "broken":
        raise ConnectionResetError
    if name.isdigit():
        error = {"code": "CODE", "message": "what it means", "detail": {"number": int(name)}}
        return Reply(int(name), {"Retry-After": "7"}, json.dumps({"errors": [error]}).encode())
    return None


def identity(directory: Path) -> SSLContext:
    """A certificate for 127.0.0.1 that signs itself: cert.pem in the directory."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        + ["-subj", "/CN=ocireg test server", "-addext", "subjectAltName=IP:127.0.0.1"]
        + ["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=directory,
        check=True,
        capture_output=True,
    )
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    return context


def main() -> None:
    directory = Path(sys.argv[1])
    with Double(answer) as plain, Double(answer, tls=identity(directory)) as secure:
        print(plain.url, secure.url, directory / "cert.pem", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
