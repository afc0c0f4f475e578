"""Digests that a program computes itself."""

from __future__ import annotations

import enum

from . import _bindings
from ._calls import BytesLike, check, content, decoded_or_empty, new
from ._lib import lib


class Algorithm(enum.IntEnum):
    """How a digest is computed."""

    SHA256 = 1
    """SHA-256, which every registry takes."""
    SHA512 = 2
    """SHA-512."""


class Hasher:
    """Computes a digest piece by piece.

    >>> hasher = Hasher()
    >>> hasher.update(b"{}")
    >>> hasher.digest
    'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'
    """

    def __init__(self, algorithm: Algorithm = Algorithm.SHA256) -> None:
        self._owned = new(lib.ocireg_hasher_new, _bindings.hasher, lib.ocireg_hasher_free, Algorithm(algorithm))

    def update(self, data: BytesLike) -> None:
        """Adds bytes. InvalidArgument once the digest has been asked for."""
        piece = content(data, "data")
        check(lib.ocireg_hasher_update, self._owned, piece, len(piece))

    @property
    def digest(self) -> str:
        """The digest of all bytes added. No bytes can be added afterwards."""
        return decoded_or_empty(lib.ocireg_hasher_digest(self._owned))
