"""Finding the programs that the tests use."""

import os
import shutil
from typing import NoReturn

import pytest

from . import ROOT


def find(program: str) -> str:
    """The path of a program. Without it the test is skipped, or fails where everything is required."""
    directories = [os.environ.get("OCIREG_TOOLS_DIR", ""), str(ROOT / "target/tools/bin"), os.environ["PATH"]]
    found = shutil.which(program, path=os.pathsep.join(directories))
    if found is None:
        missing(program)
    return found


def missing(what: str) -> NoReturn:
    """Skips the test, or fails it where everything is required."""
    if os.environ.get("OCIREG_REQUIRE_ALL") == "1":
        pytest.fail(f"{what} is missing, and OCIREG_REQUIRE_ALL=1 asks for it (tests/run tools)")
    pytest.skip(f"{what} is not on this machine")
