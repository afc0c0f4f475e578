"""How an upload is followed, and ended."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Callable, Optional, Union

from . import _bindings
from ._calls import decoded
from ._lib import lib


class Phase(enum.IntEnum):
    """What an upload is doing. More may be added by newer libraries, and are plain numbers here."""

    HASHING = 1
    """The source is read once, to compute its digest."""
    UPLOADING = 2
    """Bytes are sent to the registry, or written to the layout."""


@dataclass(frozen=True)
class Progress:
    """The state of an upload at one moment."""

    phase: Union[Phase, int]
    """What is being done."""
    bytes_done: int
    """Bytes that this phase has behind it. Can go back when a body is sent again."""
    total: Optional[int]
    """Size of the blob in bytes. None for a source of unknown length, until its end has been read."""
    digest: Optional[str]
    """Digest of the blob. None until it is known."""
    attempt: int
    """1 for the first try of this blob, 2 for the second, and so on."""


ProgressCallback = Callable[[Progress], Optional[bool]]
"""Called on the thread of the upload, about ten times a second and at the start and end of each phase. To return True
ends the upload with Aborted; to raise ends it with that exception; None and False go on."""


def read_progress(pointer: object) -> Progress:
    """What the library shows to a callback."""
    phase = lib.ocireg_progress_phase(pointer)
    total = lib.ocireg_progress_total(pointer)
    return Progress(
        phase=Phase(phase) if phase in Phase.__members__.values() else phase,
        bytes_done=lib.ocireg_progress_bytes_done(pointer),
        total=None if total == _bindings.UNKNOWN else total,
        digest=decoded(lib.ocireg_progress_digest(pointer)),
        attempt=lib.ocireg_progress_attempt(pointer),
    )
