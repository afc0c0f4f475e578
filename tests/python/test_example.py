"""The sample program, run as its comment says, and after an installation with pip."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Dict, List, Optional

import pytest
from support import ROOT, tools
from support.doubles import closed_port
from support.servers import Registry, skopeo

SAMPLE = "sha256:6c112766946a96eea3a9e1ee664c879f8a71be1701e2c781b2576c1ac90e3ca8"
EXAMPLE = ROOT / "examples/upload_artifact.py"


def run(
    directory: Path, endpoint: Optional[str], python: str = sys.executable, clean: bool = False
) -> "subprocess.CompletedProcess[str]":
    """Runs the example; `clean` without the variables of this test run."""
    environment: Dict[str, str] = dict(os.environ)
    for name in ("REGISTRY_ENDPOINT", *(("OCIREG_LIBRARY", "PYTHONPATH") if clean else ())):
        environment.pop(name, None)
    if endpoint is not None:
        environment["REGISTRY_ENDPOINT"] = endpoint
    return subprocess.run([python, str(EXAMPLE)], cwd=directory, env=environment, capture_output=True, text=True)


def test_without_an_endpoint_it_writes_a_layout_and_says_how_to_look_at_it(tmp_path: Path) -> None:
    result = run(tmp_path, None)
    assert (result.returncode, result.stdout) == (0, SAMPLE + "\n")
    commands = [line.split() for line in result.stderr.splitlines() if line.startswith("  ")]
    assert [command[0] for command in commands] == ["umoci", "skopeo"]
    outputs: List[bytes] = []
    for command in commands:
        program = tools.find(command[0])
        outputs.append(subprocess.run([program, *command[1:]], cwd=tmp_path, check=True, stdout=subprocess.PIPE).stdout)
    assert outputs[0] == b"demo\n"
    assert b"vnd.oci.image.manifest.v1+json" in outputs[1]


@pytest.mark.parametrize("slash", ["", "/"])
def test_with_an_endpoint_it_uploads_there(slash: str, registry: Registry, tmp_path: Path) -> None:
    result = run(tmp_path, registry.url + slash)
    assert (result.returncode, result.stdout, result.stderr) == (0, SAMPLE + "\n", "")
    host = registry.url[len("http://") :]
    raw = skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{host}/sample-artifact:demo")
    layout = run(tmp_path, None)
    assert layout.stdout == SAMPLE + "\n"
    assert raw == skopeo("inspect", "--raw", f"oci:{tmp_path}/sample-artifact-layout:demo")


def test_a_failure_is_one_line_and_a_status(tmp_path: Path) -> None:
    result = run(tmp_path, f"http://127.0.0.1:{closed_port()}")
    assert result.returncode == 1 and result.stdout == ""
    assert len(result.stderr.splitlines()) == 1 and "upload blob" in result.stderr


@pytest.fixture
def python(tmp_path: Path) -> str:
    """The Python of a clean virtual environment."""
    made = subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], capture_output=True, text=True)
    if made.returncode != 0:
        tools.missing(f"a virtual environment ({made.stdout.strip()})")
    return str(tmp_path / "venv/bin/python")


def pip(python: str, environment: Dict[str, str], *arguments: str) -> None:
    result = subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", "--no-cache-dir", *arguments, "./bindings/python"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_after_pip_install_it_runs_as_it_is(python: str, tmp_path: Path) -> None:
    # Built with cargo, in the target directory of these tests.
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    environment = {**os.environ, "CARGO_TARGET_DIR": str(ROOT / target)}
    for name in ("OCIREG_LIBRARY", "PYTHONPATH"):
        environment.pop(name, None)
    before = sorted(path for path in (ROOT / "bindings/python").rglob("*"))
    wheels = tmp_path / "wheels"
    pip(python, environment, "wheel", "--wheel-dir", str(wheels))
    pip(python, environment, "install")
    assert sorted(path for path in (ROOT / "bindings/python").rglob("*")) == before

    (wheel,) = wheels.iterdir()
    assert "-py3-none-linux_" in wheel.name
    names = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("ocireg/")}
    assert {"ocireg/_lib/libocireg.so", "ocireg/py.typed", "ocireg/__init__.py"} <= names

    result = run(tmp_path, None, python, clean=True)
    assert (result.returncode, result.stdout) == (0, SAMPLE + "\n"), result.stderr
    where = subprocess.run(
        [python, "-c", "import ocireg; print(ocireg._lib.path)"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE
    ).stdout.decode()
    assert where.strip().endswith("site-packages/ocireg/_lib/libocireg.so")


def test_a_source_distribution_has_a_crate_that_cargo_takes(python: str, tmp_path: Path) -> None:
    quiet = ["--disable-pip-version-check", "--quiet"]
    subprocess.run([python, "-m", "pip", "install", *quiet, "hatchling>=1.18"], check=True)
    command = [python, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT / "bindings/python", check=True, stdout=subprocess.DEVNULL)
    (archive,) = tmp_path.glob("*.tar.gz")
    subprocess.run(["tar", "-xzf", str(archive)], cwd=tmp_path, check=True)
    (crate,) = tmp_path.glob("ocireg-*/crate")
    # Reads the manifest, and finds the files that it names.
    subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version=1"], cwd=crate, check=True, stdout=subprocess.DEVNULL
    )
    for file in ("Cargo.lock", "build.rs", "cbindgen.toml", "src/ffi/prelude.h"):
        assert (crate / file).read_bytes() == (ROOT / file).read_bytes()


def test_pip_install_takes_a_library_that_is_named(python: str, tmp_path: Path) -> None:
    library = os.environ["OCIREG_LIBRARY"]
    # Without cargo.
    pip(python, {**os.environ, "PATH": "/nonexistent"}, "wheel", "--wheel-dir", str(tmp_path / "wheels"))
    (wheel,) = (tmp_path / "wheels").iterdir()
    assert zipfile.ZipFile(wheel).read("ocireg/_lib/libocireg.so") == Path(library).read_bytes()
