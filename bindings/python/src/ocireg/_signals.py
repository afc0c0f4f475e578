"""Ctrl-C, and every other signal with a Python handler, while the library calls back.

Python runs such handlers at the first instruction of a function, which is before any `try` in it: an exception that a
handler raises then leaves a ctypes callback unseen, and what the callback returns is left to chance. So for the time of
an upload on the main thread the handlers are exchanged for one that waits until the exception can be caught.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Dict, List, Optional, Tuple, Type


class Signals:
    """Holds signals back; a context manager, for one upload."""

    def __init__(self) -> None:
        self._handlers: Dict[int, Any] = {}
        self._held: List[Tuple[int, Optional[FrameType]]] = []
        # Whether an exception that a handler raises now is caught.
        self.open = False

    def __enter__(self) -> Signals:
        # Handlers run on the main thread only.
        if threading.current_thread() is threading.main_thread():
            for number in signal.valid_signals():
                handler = signal.getsignal(number)
                if callable(handler):
                    self._handlers[number] = handler
                    signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        for number, handler in self._handlers.items():
            # A handler that was set meanwhile stays.
            if signal.getsignal(number) == self._handle:
                signal.signal(number, handler)

    def active(self) -> bool:
        """Whether there is any signal to hold back."""
        return bool(self._handlers)

    def deliver(self) -> None:
        """Runs the handlers of what was held back; raises what they raise."""
        while self._held:
            number, frame = self._held.pop(0)
            self._handlers[number](number, frame)

    def _handle(self, number: int, frame: Optional[FrameType]) -> None:
        if self.open:
            self._handlers[number](number, frame)
        else:
            self._held.append((number, frame))
