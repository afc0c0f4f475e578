"""Finds libocireg, loads it and checks that it is one that this package can use."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
from typing import List

from . import _bindings
from ._version import VERSION

# Where a program or test says which library it wants.
VARIABLE = "OCIREG_LIBRARY"


def _file_name() -> str:
    if sys.platform == "darwin":
        return "libocireg.dylib"
    if sys.platform == "win32":
        return "ocireg.dll"
    return "libocireg.so"


def _find() -> str:
    """The one that OCIREG_LIBRARY names; else the one in this package; else the system's."""
    named = os.environ.get(VARIABLE)
    if named:
        return os.path.abspath(named)
    bundled = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_lib", _file_name())
    if os.path.exists(bundled):
        return bundled
    installed = ctypes.util.find_library("ocireg")
    if installed:
        return installed
    raise ImportError(
        f"ocireg {VERSION} finds no libocireg: {VARIABLE} is not set, {bundled} does not exist, and the system has none"
    )


def _series(version: str) -> List[str]:
    return version.split(".")[:2]


def _load(path: str) -> ctypes.CDLL:
    try:
        # CDLL, which gives the GIL away during every call.
        library = ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(f"ocireg {VERSION} cannot load {path}: {error}") from error
    try:
        library.ocireg_version.restype = ctypes.c_char_p
        version = library.ocireg_version().decode()
    except AttributeError as error:
        raise ImportError(f"{path} is not libocireg: {error}") from error
    if _series(version) != _series(VERSION):
        raise ImportError(
            f"{path} is libocireg {version}, but this is the Python package ocireg {VERSION}: "
            "the first two numbers must be the same"
        )
    try:
        _bindings.declare(library)
    except AttributeError as error:
        raise ImportError(f"{path} (libocireg {version}) is not complete: {error}") from error
    return library


path = _find()
lib = _load(path)


def library_version() -> str:
    """Version of the library that is loaded, such as "0.1.0"."""
    version: bytes = lib.ocireg_version()
    return version.decode()
