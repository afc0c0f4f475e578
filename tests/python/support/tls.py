"""A certificate authority of its own, with a certificate for 127.0.0.1."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import tools


@dataclass
class Identity:
    authority: Path
    certificate: Path
    key: Path

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def make(directory: Path) -> Identity:
    openssl = tools.find("openssl")

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=directory, check=True, capture_output=True)

    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    (directory / "extensions").write_text("subjectAltName=IP:127.0.0.1\n")
    run("req", "-x509", *curve, "-subj", "/CN=ocireg test authority", "-keyout", "ca.key", "-out", "ca.pem")
    run("req", "-new", *curve, "-subj", "/CN=ocireg test server", "-keyout", "server.key", "-out", "server.csr")
    run(
        *("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"),
        *("-extfile", "extensions", "-out", "server.pem"),
    )
    return Identity(directory / "ca.pem", directory / "server.pem", directory / "server.key")
