"""Debian's docker-registry, each a process of its own with its own port and storage."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from . import tools
from .tls import Identity

START_LIMIT = 60.0


class Registry:
    """A running registry on a port of 127.0.0.1; a context manager."""

    def __init__(
        self,
        directory: Path,
        identity: Optional[Identity] = None,
        credentials: Optional[Tuple[str, str]] = None,
    ) -> None:
        program = tools.find("docker-registry")
        self.storage = directory / "storage"
        config: Dict[str, Any] = {
            "version": "0.1",
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(self.storage)},
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            "http": {"addr": "127.0.0.1:0", "secret": "for tests only"},
        }
        if identity is not None:
            config["http"]["tls"] = {"certificate": str(identity.certificate), "key": str(identity.key)}
        if credentials is not None:
            (directory / "htpasswd").write_bytes(_htpasswd(*credentials))
            config["auth"] = {"htpasswd": {"realm": "test", "path": str(directory / "htpasswd")}}
        # Configurations are YAML, of which JSON is a part.
        (directory / "config.yml").write_text(json.dumps(config))
        # Variables such as REGISTRY_HTTP_ADDR would change the configuration.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")}
        with (directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [program, "serve", str(directory / "config.yml")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )
        try:
            self.port = self._wait_for_port(directory / "log")
        except BaseException:
            self.__exit__()
            raise
        self.scheme = "http" if identity is None else "https"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def open_uploads(self, repository: str) -> List[Path]:
        """Upload sessions that have neither ended nor been cancelled."""
        uploads = self.storage / "docker/registry/v2/repositories" / repository / "_uploads"
        return sorted(uploads.glob("*/startedat"))

    def _wait_for_port(self, log: Path) -> int:
        """The registry picks a free port itself, so that nobody can take it first; this finds which one it was."""
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline and self._process.poll() is None:
            port = _listening_port(self._process.pid)
            if port is not None:
                return port
            time.sleep(0.005)
        raise AssertionError(f"docker-registry did not start:\n{log.read_text()}")

    def __enter__(self) -> "Registry":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def _htpasswd(user: str, password: str) -> bytes:
    """The only hash that the registry takes is bcrypt."""
    return subprocess.run([tools.find("htpasswd"), "-Bbn", user, password], check=True, stdout=subprocess.PIPE).stdout


def _listening_port(process: int) -> Optional[int]:
    """The port of 127.0.0.1 on which a process listens, from the tables of Linux (proc(5))."""
    listening = "0A"
    try:
        descriptors = list(Path(f"/proc/{process}/fd").iterdir())
        table = Path(f"/proc/{process}/net/tcp").read_text().splitlines()[1:]
    except OSError:
        return None
    sockets = set()
    for descriptor in descriptors:
        try:
            target = os.readlink(descriptor)
        except OSError:
            continue
        if target.startswith("socket:["):
            sockets.add(target[len("socket:[") : -1])
    for line in table:
        fields = line.split()
        if fields[3] == listening and fields[9] in sockets:
            return int(fields[1].split(":")[1], 16)
    return None


def skopeo(*arguments: str) -> bytes:
    """What skopeo prints: a reader that is not ours."""
    run = subprocess.run([tools.find("skopeo"), *arguments], capture_output=True)
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout
