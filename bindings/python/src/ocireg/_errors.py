"""What a failed call raises: one class for each status of the library."""

from __future__ import annotations

import ctypes
from typing import Dict, NamedTuple, Optional, Sequence, Tuple, Type

from . import _bindings
from ._lib import lib


class RegistryError(NamedTuple):
    """One entry of the `errors` list in a registry's answer (distribution-spec, "Error Codes")."""

    code: str
    """Such as "NAME_UNKNOWN". Registries also send codes that the specification does not list."""
    message: str
    """For people; may be empty."""
    detail: str
    """Any JSON, as text; empty when there is none."""


class Error(Exception):
    """Why a call failed. Its text is one line with operation, target and reason.

    Secrets and the query strings of URLs are never part of it. Each status of the library has a class of its own below;
    one that a newer library adds is raised as Error itself.
    """

    STATUS = 0
    """The status of this class, OCIREG_E_... in ocireg.h."""

    status: int
    """The status that the call returned."""
    operation: str
    """What was being done, such as "upload blob", or the name of the C function that refused an argument."""
    target: str
    """What it was done to: a repository, reference, file or host; empty when there is none."""
    request: Optional[str]
    """The HTTP request that failed: method and URL, without query. None when the failure was local."""
    http_status: Optional[int]
    """The HTTP status of the registry's answer. None when there was no answer."""
    registry_errors: Tuple[RegistryError, ...]
    """Every error in the registry's answer."""
    retryable: bool
    """Whether the same call can succeed later with nothing changed."""
    retry_after: Optional[float]
    """How many seconds the registry asked to wait before another try. None when it did not say."""

    def __init__(
        self,
        message: str = "",
        *,
        status: Optional[int] = None,
        operation: str = "",
        target: str = "",
        request: Optional[str] = None,
        http_status: Optional[int] = None,
        registry_errors: Sequence[RegistryError] = (),
        retryable: bool = False,
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(message)
        self.status = self.STATUS if status is None else status
        self.operation = operation
        self.target = target
        self.request = request
        self.http_status = http_status
        self.registry_errors = tuple(registry_errors)
        self.retryable = retryable
        self.retry_after = retry_after

    @property
    def registry_code(self) -> Optional[str]:
        """The code of the first error in the registry's answer, such as "MANIFEST_UNKNOWN"."""
        return self.registry_errors[0].code if self.registry_errors else None


# --- Arguments and usage -----------------------------------------------------------------------------------------


class InvalidArgument(Error, ValueError):
    """An argument is not allowed here: not UTF-8, out of range, in conflict with another, or a closed object."""

    STATUS = 1


class InvalidReference(Error, ValueError):
    """A repository address, reference or tag does not follow the grammar."""

    STATUS = 2


class InvalidDigest(Error, ValueError):
    """A digest does not follow the grammar, or its algorithm is not one that ocireg computes."""

    STATUS = 3


class InvalidManifest(Error, ValueError):
    """A manifest is not valid: too large, malformed, or with a malformed descriptor."""

    STATUS = 4


class Busy(Error):
    """The object is in use by another call, or by the call whose callback runs now."""

    STATUS = 5


# --- This machine ------------------------------------------------------------------------------------------------


class IoFailed(Error, OSError):
    """A local file or directory could not be read or written."""

    STATUS = 20


class SourceFailed(Error):
    """The source of a blob broke its contract, such as a read() that returns more than it was asked for."""

    STATUS = 21


class NotRewindable(Error):
    """The source must be read again and cannot be."""

    STATUS = 22


class SourceChanged(Error):
    """A file changed its size or modification time while it was being uploaded."""

    STATUS = 23


class InvalidLayout(Error):
    """A directory is not an image layout that can be used."""

    STATUS = 24


# --- The way to the registry -------------------------------------------------------------------------------------


class ConnectionFailed(Error, ConnectionError):
    """The connection broke. Also the base of the errors of a connection that was never made."""

    STATUS = 32


class DnsFailed(ConnectionFailed):
    """The host name could not be resolved."""

    STATUS = 30


class ConnectFailed(ConnectionFailed):
    """No connection could be made."""

    STATUS = 31


class TlsFailed(ConnectionFailed):
    """The TLS handshake failed: a certificate is not trusted, has expired, or names another host."""

    STATUS = 33


class Timeout(Error, TimeoutError):
    """The registry did not move for longer than the time limit."""

    STATUS = 93


# --- What the registry answers -----------------------------------------------------------------------------------


class Unauthorized(Error):
    """The registry wants credentials, or does not accept the ones it was given (401)."""

    STATUS = 40


class Denied(Error):
    """The credentials do not allow this (403)."""

    STATUS = 41


class NotFound(Error):
    """The repository, manifest, tag or blob does not exist (404)."""

    STATUS = 42


class RateLimited(Error):
    """The registry limits the rate of requests (429)."""

    STATUS = 43


class TooLarge(Error):
    """The registry does not take a body of this size (413)."""

    STATUS = 44


class Rejected(Error):
    """The registry refused the request (any other 4xx)."""

    STATUS = 45


class RegistryFailed(Error):
    """The registry failed (5xx)."""

    STATUS = 46


class ProtocolFailed(Error):
    """The answer is not one that a registry gives."""

    STATUS = 47


class RedirectFailed(Error):
    """A redirect or `Location` leads where it must not be followed, or there are too many of them."""

    STATUS = 48


class TagConflict(Error):
    """A tag exists, points at other content, and was not moved."""

    STATUS = 49


class LimitExceeded(Error):
    """An answer was larger, or a list longer, than the limit."""

    STATUS = 50


# --- The content -------------------------------------------------------------------------------------------------


class DigestMismatch(Error):
    """The digest of the content is not the expected one."""

    STATUS = 70


class SizeMismatch(Error):
    """The size of the content is not the expected one."""

    STATUS = 71


# --- The end -----------------------------------------------------------------------------------------------------


class Aborted(Error):
    """The progress callback ended the call by returning True."""

    STATUS = 90


class InternalError(Error):
    """A fault inside the library, or a call on an object that was in use when one happened. Please report it."""

    STATUS = 99


CLASSES: Tuple[Type[Error], ...] = (
    InvalidArgument,
    InvalidReference,
    InvalidDigest,
    InvalidManifest,
    Busy,
    IoFailed,
    SourceFailed,
    NotRewindable,
    SourceChanged,
    InvalidLayout,
    DnsFailed,
    ConnectFailed,
    ConnectionFailed,
    TlsFailed,
    Unauthorized,
    Denied,
    NotFound,
    RateLimited,
    TooLarge,
    Rejected,
    RegistryFailed,
    ProtocolFailed,
    RedirectFailed,
    TagConflict,
    LimitExceeded,
    DigestMismatch,
    SizeMismatch,
    Aborted,
    Timeout,
    InternalError,
)

for _class in (Error, *CLASSES):
    # What a traceback and a pickle name.
    _class.__module__ = "ocireg"

BY_STATUS: Dict[int, Type[Error]] = {one.STATUS: one for one in CLASSES}


def take_error(status: int, err: ctypes._Pointer[_bindings.ocireg_error]) -> Error:
    """The exception for a status, from the error object that came with it, which is freed."""

    def text(value: bytes) -> str:
        return value.decode("utf-8", "replace")

    try:
        retry_after_ms = lib.ocireg_error_retry_after_ms(err)
        return BY_STATUS.get(status, Error)(
            text(lib.ocireg_error_message(err)) or text(lib.ocireg_status_name(status)),
            status=status,
            operation=text(lib.ocireg_error_operation(err)),
            target=text(lib.ocireg_error_target(err)),
            request=text(lib.ocireg_error_request(err)) or None,
            http_status=lib.ocireg_error_http_status(err) or None,
            registry_errors=[
                RegistryError(
                    text(lib.ocireg_error_registry_code(err, position)),
                    text(lib.ocireg_error_registry_message(err, position)),
                    text(lib.ocireg_error_registry_detail(err, position)),
                )
                for position in range(lib.ocireg_error_registry_count(err))
            ],
            retryable=lib.ocireg_error_is_retryable(err),
            retry_after=None if retry_after_ms == _bindings.UNKNOWN else retry_after_ms / 1000,
        )
    finally:
        lib.ocireg_error_free(err)
