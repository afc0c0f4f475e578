"""The Python code that the library calls during an upload: sources and progress callbacks.

Nothing may leave a ctypes callback by an exception. It is kept here instead, the library is told to end the upload, and
the exception is raised again when that has returned.
"""

from __future__ import annotations

import ctypes
from types import TracebackType
from typing import Any, Callable, List, Optional, Type

from . import _bindings
from ._calls import Owned, check
from ._lib import lib
from ._signals import Signals
from .progress import ProgressCallback, read_progress
from .source import Reader

_GO_ON = 0
_END = 1


class Callbacks:
    """What one upload calls back; a context manager around that upload."""

    def __init__(self, progress: Optional[ProgressCallback]) -> None:
        self._progress = progress
        self._signals = Signals()
        self._raised: Optional[BaseException] = None
        # The function objects must live as long as the upload, and not longer: they refer back to this.
        self._functions: List[Any] = []

    def __enter__(self) -> Callbacks:
        self._signals.__enter__()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self._signals.__exit__(kind, error, traceback)
        self._functions.clear()
        if error is not None:
            # finish() will not be called.
            self._signals.deliver()

    def follow(self, options: Owned) -> None:
        """Sets the progress callback; without one of the caller's too, so that Ctrl-C ends the upload."""
        if self._progress is None and not self._signals.active():
            return
        callback = self._progress

        def on_progress(_user: Optional[int], progress: Any) -> int:
            return self._run(lambda: callback(read_progress(progress)) if callback else None)

        function = _bindings.progress_fn(on_progress)
        self._functions.append(function)
        check(lib.ocireg_blob_options_set_progress, options, function, None)

    def read(self, reader: Reader) -> _bindings.ocireg_reader:
        """The table of callbacks that reads this."""

        def on_read(_user: Optional[int], buffer: int, capacity: int, out_n: Any) -> int:
            def body() -> None:
                with memoryview((ctypes.c_char * capacity).from_address(buffer)) as view, view.cast("B") as target:
                    out_n[0] = reader.read_into(target)

            return self._run(body)

        def on_seek(_user: Optional[int], offset: int) -> int:
            return self._run(lambda: reader.seek(offset))

        table = _bindings.ocireg_reader()
        table.struct_size = ctypes.sizeof(table)
        table.read = _bindings.read_fn(on_read)
        if reader.can_seek:
            table.seek = _bindings.seek_fn(on_seek)
        table.size = _bindings.UNKNOWN if reader.size is None else reader.size
        self._functions.append(table)
        return table

    def finish(self) -> None:
        """After the upload: raises what a callback or a signal handler raised."""
        if self._raised is not None:
            raised, self._raised = self._raised, None
            raise raised
        self._signals.deliver()

    def _run(self, body: Callable[[], Optional[bool]]) -> int:
        if self._raised is not None:
            return _END
        try:
            self._signals.open = True
            self._signals.deliver()
            return _END if body() else _GO_ON
        except BaseException as error:
            self._raised = error
            return _END
        finally:
            self._signals.open = False
