"""What a blob is read from: bytes, text, a file, a file object, or an iterable of bytes."""

from __future__ import annotations

import ctypes
import io
import os
from typing import Any, BinaryIO, Iterable, Iterator, Optional, Union

from ._calls import path
from ._errors import SourceFailed

Source = Union[
    str,
    bytes,
    bytearray,
    memoryview,
    "os.PathLike[str]",
    "os.PathLike[bytes]",
    BinaryIO,
    Iterable[bytes],
]
"""What Repository.upload_blob takes:

- bytes, bytearray, memoryview and every other buffer: the bytes themselves, which must not change during the upload;
- str: the text itself as UTF-8, not a path;
- pathlib.Path and every other os.PathLike: the file there, which is read twice, or a pipe, which is read once;
- a binary file object: from where it stands to its end; read twice when it can seek, else once, one chunk in memory;
- an iterable of bytes, such as a generator: read once, one chunk in memory.
"""


class Memory:
    """Bytes that the library reads by itself."""

    def __init__(self, data: Any, size: int) -> None:
        # bytes or a ctypes array: both keep what they point at.
        self.data = data
        self.size = size


class File:
    """A file that the library opens by itself."""

    def __init__(self, path: bytes) -> None:
        self.path = path


class Reader:
    """What the library reads through callbacks."""

    size: Optional[int] = None
    can_seek = False

    def read_into(self, target: memoryview) -> int:
        """Puts the next bytes there, and says how many; 0 at the end."""
        raise NotImplementedError

    def seek(self, offset: int) -> None:
        """Moves to this offset from where the reader stood at first."""
        raise NotImplementedError


def open_source(source: Source) -> Union[Memory, File, Reader]:
    """The kind of source that this is. Nothing is read yet."""
    if isinstance(source, str):
        encoded = source.encode("utf-8")
        return Memory(encoded, len(encoded))
    if isinstance(source, bytes):
        return Memory(source, len(source))
    if isinstance(source, os.PathLike):
        return File(path(source, "source"))
    view = _view(source)
    if view is not None:
        return _open_view(view)
    if hasattr(source, "read"):
        return _FileReader(source)
    if isinstance(source, Iterable):
        pieces: Iterator[bytes] = iter(source)  # type: ignore[arg-type]
        return _IterableReader(pieces)
    raise TypeError(
        "a blob is uploaded from bytes, str, a path, a binary file object or an iterable of bytes, "
        f"not from {type(source).__name__}"
    )


def _view(data: Any) -> Optional[memoryview]:
    """Single bytes in a row, or None for what is no buffer."""
    try:
        view = memoryview(data)
    except TypeError:
        return None
    if view.nbytes == 0 or not view.c_contiguous:
        return memoryview(view.tobytes())
    return view.cast("B")


def _open_view(view: memoryview) -> Union[Memory, Reader]:
    # ctypes gives the address of writable buffers only; others, such as a file mapped for reading, are read in pieces.
    if view.readonly and view.nbytes > 0:
        return _ViewReader(view)
    array = (ctypes.c_char * view.nbytes).from_buffer(view) if view.nbytes > 0 else None
    return Memory(array, view.nbytes)


class _ViewReader(Reader):
    can_seek = True

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._position = 0
        self.size = view.nbytes

    def read_into(self, target: memoryview) -> int:
        piece = self._view[self._position : self._position + len(target)]
        target[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def seek(self, offset: int) -> None:
        self._position = offset


class _FileReader(Reader):
    def __init__(self, file: Any) -> None:
        if isinstance(file, io.TextIOBase):
            raise TypeError('the file is open for text; open it with "rb"')
        self._file = file
        self._start = 0
        seekable = getattr(file, "seekable", None)
        if seekable is not None and seekable():
            self.can_seek = True
            self._start = file.tell()
            self.size = max(0, file.seek(0, io.SEEK_END) - self._start)
            file.seek(self._start)

    def read_into(self, target: memoryview) -> int:
        readinto = getattr(self._file, "readinto", None)
        if readinto is not None:
            n = readinto(target)
        else:
            data = self._file.read(len(target))
            n = None if data is None else _put(data, target, "read()")
        if n is None:
            raise SourceFailed("the file object has no bytes at the moment: it must not be non-blocking")
        if not 0 <= n <= len(target):
            raise SourceFailed(f"readinto() says that it put {n} bytes into a buffer of {len(target)}")
        return int(n)

    def seek(self, offset: int) -> None:
        self._file.seek(self._start + offset)


class _IterableReader(Reader):
    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def read_into(self, target: memoryview) -> int:
        while not self._rest:
            try:
                piece = next(self._pieces)
            except StopIteration:
                return 0
            self._rest = _bytes_of(piece, "the iterable")
        n = min(len(self._rest), len(target))
        target[:n] = self._rest[:n]
        self._rest = self._rest[n:]
        return n


def _put(data: Any, target: memoryview, what: str) -> int:
    view = _bytes_of(data, what)
    if len(view) > len(target):
        raise SourceFailed(f"{what} gave {len(view)} bytes where {len(target)} were asked for")
    target[: len(view)] = view
    return len(view)


def _bytes_of(data: Any, what: str) -> memoryview:
    view = _view(data)
    if view is None:
        raise TypeError(f"{what} gave {type(data).__name__}, not bytes")
    return view
