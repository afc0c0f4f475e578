"""How the library is called: objects that are freed, arguments that are checked, statuses that raise."""

from __future__ import annotations

import ctypes
import math
import os
from typing import Any, Callable, Dict, Iterable, Optional, Sequence, Tuple, Union

from . import _bindings
from ._errors import InvalidArgument, take_error
from ._lib import lib

MAX_UINT32 = 2**32 - 1
MAX_UINT64 = 2**64 - 1

# Where a string can only be a path, it is taken as one.
PathLike = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]

BytesLike = Union[bytes, bytearray, memoryview]


class Owned:
    """An object of the library, freed when nothing refers to it any more.

    A call holds a reference to its arguments, so that an object which is closed or dropped meanwhile, also by another
    thread, is freed when that call is over.
    """

    __slots__ = ("_as_parameter_", "_free")

    def __init__(self, pointer: Any, free: Callable[[Any], None]) -> None:
        self._as_parameter_ = pointer
        # Kept here because the module may be gone when the interpreter ends.
        self._free = free

    def __bool__(self) -> bool:
        """Whether there is an object at all."""
        return bool(self._as_parameter_)

    def __del__(self) -> None:
        self._free(self._as_parameter_)


def check(function: Any, *arguments: Any) -> None:
    """Calls what takes `ocireg_error **err` last, and raises what it says."""
    err = _bindings.error()
    status = function(*arguments, ctypes.byref(err))
    if status:
        raise take_error(status, err)


def new(function: Any, kind: Any, free: Any, *arguments: Any) -> Owned:
    """Calls what gives an object through its last parameter but one."""
    out = kind()
    check(function, *arguments, ctypes.byref(out))
    return Owned(out, free)


def take_bytes(function: Any, owner: Owned) -> bytes:
    """Calls what gives an ocireg_bytes."""
    out = new(function, _bindings.bytes_, lib.ocireg_bytes_free, owner)
    return ctypes.string_at(lib.ocireg_bytes_data(out), lib.ocireg_bytes_len(out))


# --- Arguments ---------------------------------------------------------------------------------------------------


def text(value: str, name: str) -> bytes:
    """NUL-terminated UTF-8."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    try:
        encoded = value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"{name} cannot be written as UTF-8: {error}") from error
    return _without_nul(encoded, name)


def path(value: PathLike, name: str) -> bytes:
    """A path as the system has it: any bytes but NUL."""
    return _without_nul(os.fsencode(value), name)


def _without_nul(encoded: bytes, name: str) -> bytes:
    if b"\0" in encoded:
        raise InvalidArgument(f"{name} has a NUL in it")
    return encoded


def number(value: int, name: str, most: int = MAX_UINT64) -> int:
    """A number that fits the parameter: ctypes would cut it off."""
    if not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if not 0 <= value <= most:
        raise InvalidArgument(f"{name} must be from 0 to {most}, not {value}")
    return value


def milliseconds(seconds: float, name: str) -> int:
    """Seconds as whole milliseconds; what is not zero does not become zero."""
    if not isinstance(seconds, (int, float)):
        raise TypeError(f"{name} must be a number of seconds, not {type(seconds).__name__}")
    if not math.isfinite(seconds) or seconds < 0 or seconds * 1000 >= MAX_UINT64:
        raise InvalidArgument(f"{name} must be a number of seconds, not {seconds}")
    return math.ceil(seconds * 1000)


def texts(values: Union[str, Iterable[str]], name: str) -> Tuple[Any, int]:
    """An array of texts and its length."""
    if isinstance(values, str):
        values = (values,)
    encoded = [text(value, name) for value in values]
    return (ctypes.c_char_p * len(encoded))(*encoded), len(encoded)


def content(data: Any, name: str) -> bytes:
    """Bytes that are small enough to be copied: JSON, or the data of a descriptor."""
    if isinstance(data, str):
        return data.encode("utf-8", "surrogatepass")
    if isinstance(data, bytes):
        return data
    try:
        return bytes(memoryview(data))
    except TypeError:
        raise TypeError(f"{name} must be bytes or str, not {type(data).__name__}") from None


# --- Results -----------------------------------------------------------------------------------------------------


def decoded(value: Optional[bytes]) -> Optional[str]:
    """A text of the library; None for NULL."""
    return None if value is None else value.decode("utf-8", "replace")


def decoded_or_empty(value: Optional[bytes]) -> str:
    """A text that is always there."""
    return decoded(value) or ""


def pairs(owner: Owned, count: Any, at: Any) -> Dict[str, str]:
    """Every annotation of an object, in the order of the keys."""
    found = {}
    key, value = ctypes.c_char_p(), ctypes.c_char_p()
    for position in range(count(owner)):
        if at(owner, position, ctypes.byref(key), ctypes.byref(value)):
            found[decoded_or_empty(key.value)] = decoded_or_empty(value.value)
    return found


def listed(owner: Owned, count: Any, at: Any) -> Sequence[str]:
    """Every text of a list in an object."""
    return tuple(decoded_or_empty(at(owner, position)) for position in range(count(owner)))
