"""How manifests in repositories are named."""

from __future__ import annotations

from typing import Optional

from . import _bindings
from ._calls import decoded, decoded_or_empty, new, text
from ._lib import lib


class Reference:
    """A manifest in a repository: an address, with `:TAG` or `@DIGEST` or both behind it.

    In `oci-layout:PATH:TAG` the tag follows the last `:` behind the last `/`. InvalidReference or InvalidDigest when
    the text does not follow the grammar.

    >>> Reference("myregistry.azurecr.io/sample-artifact:demo").tag
    'demo'
    """

    def __init__(self, text_: str) -> None:
        owned = new(lib.ocireg_reference_new, _bindings.reference, lib.ocireg_reference_free, text(text_, "text"))
        self._address = decoded_or_empty(lib.ocireg_reference_address(owned))
        self._tag = decoded(lib.ocireg_reference_tag(owned))
        self._digest = decoded(lib.ocireg_reference_digest(owned))

    @property
    def address(self) -> str:
        """The address of the repository, as Client.repository takes it."""
        return self._address

    @property
    def tag(self) -> Optional[str]:
        """The tag, where there is one."""
        return self._tag

    @property
    def digest(self) -> Optional[str]:
        """The digest, where there is one. It then decides, whatever the tag points at."""
        return self._digest

    def __str__(self) -> str:
        tag = "" if self._tag is None else f":{self._tag}"
        digest = "" if self._digest is None else f"@{self._digest}"
        return self._address + tag + digest

    def __repr__(self) -> str:
        return f"Reference({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Reference):
            return NotImplemented
        return str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))
