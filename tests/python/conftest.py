"""What the tests share: clients, and places to upload to."""

import signal
from pathlib import Path
from typing import Iterator

import ocireg
import pytest
from support import tls
from support.servers import Registry

# A shell that starts something in the background lets it ignore Ctrl-C; these tests are about Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def client() -> ocireg.Client:
    """One that does not wait and try again."""
    return ocireg.Client(attempts=1)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with Registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> tls.Identity:
    return tls.make(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def layout(client: ocireg.Client, tmp_path: Path) -> ocireg.Repository:
    return client.repository(f"oci-layout:{tmp_path}/layout")


@pytest.fixture(params=["layout", "registry"])
def repository(request: pytest.FixtureRequest, client: ocireg.Client, tmp_path: Path) -> ocireg.Repository:
    """A new repository of each kind: what a user sees is the same."""
    if request.param == "layout":
        return client.repository(f"oci-layout:{tmp_path}/layout")
    running: Registry = request.getfixturevalue("registry")
    return client.repository(f"{running.url}/{tmp_path.name.lower()}")
