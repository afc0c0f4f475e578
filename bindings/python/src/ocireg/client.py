"""A client: settings, credentials and connections, shared by the repositories that it opens."""

from __future__ import annotations

import enum
import os
from types import TracebackType
from typing import Any, Iterable, Optional, Tuple, Type, Union

from . import _bindings
from ._calls import MAX_UINT32, Owned, PathLike, check, milliseconds, new, number, path, text
from ._errors import InvalidArgument
from ._lib import lib
from .repository import Repository


class TrustRoots(enum.IntEnum):
    """Which certificate authorities are trusted, before those of `ca_files`."""

    SYSTEM = 0
    """Those of the system. Where it has no store at all, the bundled ones; where it has one that cannot be read, that
    is an error. The default."""
    SYSTEM_ONLY = 1
    """Those of the system and no others."""
    BUNDLED = 2
    """Mozilla's, as they were when the library was built."""
    GIVEN = 3
    """None but those of `ca_files`."""


class Client:
    """Settings, credentials and open connections, shared by the repositories that it opens.

    May be used from several threads at once. Connections stay open for a minute, so one client for a whole program is
    best. A context manager; close() is not needed, but gives connections back at once.

    >>> client = Client(user_agent="my-build-tool/1.0")
    >>> repository = client.repository("myregistry.azurecr.io/sample-artifact")
    """

    def __init__(
        self,
        *,
        user_agent: Optional[str] = None,
        connect_timeout: Optional[float] = None,
        read_timeout: Optional[float] = None,
        write_timeout: Optional[float] = None,
        commit_timeout: Optional[float] = None,
        trust_roots: Optional[TrustRoots] = None,
        ca_files: Union[PathLike, Iterable[PathLike]] = (),
        client_certificate: Optional[Tuple[PathLike, PathLike]] = None,
        danger_accept_invalid_certificates: bool = False,
        basic_auth: Optional[Tuple[str, str]] = None,
        chunk_size: Optional[int] = None,
        attempts: Optional[int] = None,
    ) -> None:
        """Makes a client. Nothing is connected to yet.

        - `user_agent`: goes before `ocireg/VERSION` in the `User-Agent` of every request; visible ASCII and spaces.
        - `connect_timeout`: seconds for a connection to be made, TLS included; 30 by default. Looking up the name is
          not covered: `resolv.conf` sets its limit.
        - `read_timeout`, `write_timeout`: seconds for each wait for the registry to say or take something, not for all
          of them; 60 by default.
        - `commit_timeout`: seconds for the answer to a request with a body, when its last byte has been sent: a
          registry may have to hash a large blob first. 600 by default.
        - `trust_roots`: which certificate authorities are trusted.
        - `ca_files`: PEM files with authorities that are trusted too, or alone with TrustRoots.GIVEN.
        - `client_certificate`: PEM files of a certificate with its chain and of its key, shown to a registry that asks
          for one; never to another host that the registry leads to.
        - `danger_accept_invalid_certificates`: takes every certificate, also a forged one: whoever sits between can
          then read and change everything, and has the password. For tests.
        - `basic_auth`: user name and password for registries that ask for HTTP Basic; otherwise the client is
          anonymous. They go to the registries whose repositories the client opens, and to nobody they lead to.
        - `chunk_size`: bytes of a chunk. A blob larger than that then goes in chunks where the host takes them. By
          default only what must goes in chunks. A chunk of what cannot seek is held in memory.
        - `attempts`: how often a request that carries no content of a blob is tried in all; 4 by default, 1 for
          never again.

        InvalidArgument for a setting that cannot be used, IoFailed for a file that cannot be read.
        """
        options = Owned(lib.ocireg_client_options_new(), lib.ocireg_client_options_free)

        def say(setting: Any, *values: Any) -> None:
            check(setting, options, *values)

        if user_agent is not None:
            say(lib.ocireg_client_options_set_user_agent, text(user_agent, "user_agent"))
        for limit, name, setting in (
            (connect_timeout, "connect_timeout", lib.ocireg_client_options_set_connect_timeout_ms),
            (read_timeout, "read_timeout", lib.ocireg_client_options_set_read_timeout_ms),
            (write_timeout, "write_timeout", lib.ocireg_client_options_set_write_timeout_ms),
            (commit_timeout, "commit_timeout", lib.ocireg_client_options_set_commit_timeout_ms),
        ):
            if limit is not None:
                say(setting, milliseconds(limit, name))
        if trust_roots is not None:
            say(lib.ocireg_client_options_set_trust_roots, TrustRoots(trust_roots))
        if isinstance(ca_files, (str, bytes, os.PathLike)):
            ca_files = (ca_files,)
        for ca_file in ca_files:
            say(lib.ocireg_client_options_add_ca_file, path(ca_file, "ca_files"))
        if client_certificate is not None:
            certificate, key = client_certificate
            say(
                lib.ocireg_client_options_set_client_certificate,
                path(certificate, "client_certificate"),
                path(key, "client_certificate"),
            )
        if danger_accept_invalid_certificates:
            say(lib.ocireg_client_options_set_danger_accept_invalid_certificates, True)
        if basic_auth is not None:
            user, password = basic_auth
            say(lib.ocireg_client_options_set_basic_auth, text(user, "user"), text(password, "password"))
        if chunk_size is not None:
            say(lib.ocireg_client_options_set_chunk_size, number(chunk_size, "chunk_size"))
        if attempts is not None:
            say(lib.ocireg_client_options_set_attempts, number(attempts, "attempts", MAX_UINT32))
        self._owned: Optional[Owned] = new(lib.ocireg_client_new, _bindings.client, lib.ocireg_client_free, options)

    def repository(self, address: str) -> Repository:
        """Opens a repository. Nothing is connected to or created yet.

        `[https://|http://]HOST[:PORT]/NAME` is a repository at a registry, the first part always being the host; plain
        HTTP is spoken only where `http://` is written. `oci-layout:PATH` is an OCI image layout in a directory, made
        when first written to. Both without a tag or digest.

        InvalidReference when the address does not follow the grammar, InvalidLayout where the path is something else
        already.
        """
        if self._owned is None:
            raise InvalidArgument("the client is closed", operation="open repository")
        return Repository._of(
            new(
                lib.ocireg_client_repository,
                _bindings.repository,
                lib.ocireg_repository_free,
                self._owned,
                text(address, "address"),
            )
        )

    def close(self) -> None:
        """Gives back what the client holds, once no call uses it any more. Repositories opened from it go on to work.
        May be called again."""
        self._owned = None

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()
