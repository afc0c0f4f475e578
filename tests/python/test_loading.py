"""Which library is loaded, and what is said when that cannot be."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict

import ocireg
import pytest
from ocireg import _lib
from support import ROOT, tools

PACKAGE = ROOT / "bindings/python/src/ocireg"
PROGRAM = "import ocireg; print(ocireg._lib.path); ocireg.Client()"


def load(packages: Path, environment: Dict[str, str]) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if name != "OCIREG_LIBRARY"}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**kept, "PYTHONPATH": str(packages), **environment},
        cwd=packages,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A copy of the package, without a library."""
    shutil.copytree(PACKAGE, tmp_path / "ocireg", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def build(directory: Path, code: str) -> Path:
    source, library = directory / "library.c", directory / "libother.so"
    source.write_text(code)
    subprocess.run([tools.find("cc"), "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
    return library


def test_the_library_in_the_package_is_found(packages: Path) -> None:
    (packages / "ocireg/_lib").mkdir()
    bundled = packages / "ocireg/_lib/libocireg.so"
    os.symlink(_lib.path, bundled)
    run = load(packages, {})
    assert (run.stdout.strip(), run.stderr) == (str(bundled), "")


def test_the_library_that_is_named_goes_before_the_one_in_the_package(packages: Path) -> None:
    (packages / "ocireg/_lib").mkdir()
    (packages / "ocireg/_lib/libocireg.so").write_text("not a library")
    (packages / "relative.so").symlink_to(_lib.path)
    for named in (_lib.path, "relative.so"):
        run = load(packages, {"OCIREG_LIBRARY": named})
        assert (run.stdout.strip(), run.stderr) == (os.path.abspath(packages / named), "")


def test_the_library_of_the_system_is_found(packages: Path) -> None:
    # What ctypes finds depends on ldconfig and the compiler: here it finds this one.
    (packages / "sitecustomize.py").write_text(
        f"import ctypes.util\nctypes.util.find_library = {{'ocireg': {_lib.path!r}}}.get\n"
    )
    assert load(packages, {}).stdout.strip() == _lib.path


def test_no_library_at_all_is_an_import_error_that_says_where_it_was_looked_for(packages: Path) -> None:
    run = load(packages, {})
    last = run.stderr.splitlines()[-1]
    assert run.returncode == 1 and last.startswith("ImportError: ")
    assert "OCIREG_LIBRARY" in last and str(packages / "ocireg/_lib/libocireg.so") in last


def test_a_library_that_cannot_be_loaded_is_named(packages: Path) -> None:
    missing = packages / "missing.so"
    last = load(packages, {"OCIREG_LIBRARY": str(missing)}).stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: ocireg {ocireg.__version__} cannot load {missing}")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("int nothing;", "is not libocireg"),
        (
            'const char *ocireg_version(void) { return "0.99.0"; }',
            f"is libocireg 0.99.0, but this is the Python package ocireg {ocireg.__version__}",
        ),
        (f'const char *ocireg_version(void) {{ return "{ocireg.__version__}"; }}', "is not complete"),
    ],
)
def test_another_library_is_refused_by_name_and_version(code: str, reason: str, packages: Path) -> None:
    other = build(packages, code)
    last = load(packages, {"OCIREG_LIBRARY": str(other)}).stderr.splitlines()[-1]
    assert last.startswith("ImportError: ") and str(other) in last and reason in last


def test_a_library_of_the_same_series_is_taken() -> None:
    major, minor, _ = ocireg.__version__.split(".")
    assert _lib._series(f"{major}.{minor}.999") == _lib._series(ocireg.__version__)


def test_importing_starts_no_thread_and_prints_nothing() -> None:
    program = "import os, ocireg; print(len(os.listdir('/proc/self/task')))"
    run = subprocess.run([sys.executable, "-X", "dev", "-c", program], capture_output=True, text=True)
    assert (run.stdout.strip(), run.stderr) == ("1", "")
