"""Where the hub may connect to: an address is looked up once, checked, and connected to as checked."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterable, Sequence
from functools import cache
from time import monotonic
from typing import Any, Literal

import ssrfguard

from hub.domain.errors import Paused, Rejected, RetryLater

_LOOKUPS = threading.BoundedSemaphore(16)
"""Name look-ups have no time-out of their own; no more than this many may hang at once in one process."""

Resolver = ssrfguard.Resolver
_Answers = Iterable[tuple[int, int, int, str, tuple[Any, ...]]]
Tls = Literal["at once", "later", "never"]
"""later: the protocol turns it on itself (STARTTLS)."""


@cache
def verifying() -> ssl.SSLContext:
    """Return the one TLS context: certificates and host names are verified, TLS 1.2 or later."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Guard:
    """One origin (scheme, host, port) that may be connected to if all its addresses are public or allowed.

    `networks` are the private networks that an admin allowed for this connection, such as `127.0.0.0/8`.
    What is sent without TLS goes to those networks only.
    """

    def __init__(
        self, url: str, *, networks: Sequence[str] = (), resolver: Resolver | None = None, tls: Tls | None = None
    ) -> None:
        self._networks = tuple(networks)
        self._resolver = resolver or socket.getaddrinfo
        self._target = _checked(url, self._networks)
        self._policy = _policy(self._target.port, self._networks)
        self._tls: Tls = tls or ("at once" if self._target.scheme == "https" else "never")
        self.host = self._target.host
        self.port = self._target.port

    def connect(self, ends: float) -> socket.socket:
        """Return a connected socket (TLS for https) before `ends`, a `time.monotonic()` instant.

        Raises Rejected where the address is not allowed, RetryLater where it cannot be reached, Paused where the
        certificate is not trusted.
        """
        addresses = self._resolve(ends)
        self._refuse_plain_text_in_public(addresses)
        sock = self._open(addresses, ends)
        return self._encrypt(sock, ends) if self._tls == "at once" else sock

    def _open(self, addresses: Sequence[ssrfguard.Address], ends: float) -> socket.socket:
        failed: OSError = TimeoutError("no time left")
        for address in addresses[: self._policy.max_connection_attempts]:
            try:
                sock = ssrfguard.connect((address,), policy=self._policy, timeout=left(ends))
            except OSError as error:
                failed = error
                continue
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        raise RetryLater(f"{self.host}:{self.port} cannot be reached ({failed}); nothing was sent") from failed

    def _encrypt(self, sock: socket.socket, ends: float) -> socket.socket:
        try:
            sock.settimeout(left(ends))
            return verifying().wrap_socket(sock, server_hostname=self.host)
        except ssl.SSLCertVerificationError as error:
            sock.close()
            raise Paused(f"{self.host}: its certificate is not trusted ({error.verify_message})") from error
        except OSError as error:
            sock.close()
            raise RetryLater(f"{self.host}: no TLS connection ({error}); nothing was sent") from error

    def _resolve(self, ends: float) -> tuple[ssrfguard.Address, ...]:
        try:
            if self._target.is_literal_address:
                return ssrfguard.resolve(self._target, policy=self._policy)
            return ssrfguard.resolve(self._target, policy=self._policy, resolver=_bounded(self._resolver, ends))
        except ssrfguard.SSRFGuardError as refused:
            raise Rejected(f"{self.host}: {refused}; an admin can allow the network on the connection") from refused
        except OSError as error:
            raise RetryLater(f"{self.host}: the name cannot be looked up ({error}); nothing was sent") from error

    def _refuse_plain_text_in_public(self, addresses: Iterable[ssrfguard.Address]) -> None:
        if self._tls != "never":
            return
        networks = self._policy.allowed_networks
        for address in addresses:
            if not any(address.ip.version == net.version and address.ip in net for net in networks):
                raise Rejected(f"{self.host}: a line without TLS is for allowed networks only; use https")


def left(ends: float) -> float:
    """Return the seconds until `ends`; raises TimeoutError when there are none."""
    seconds = ends - monotonic()
    if seconds <= 0:
        raise TimeoutError("the deadline has passed")
    return seconds


def _policy(port: int, networks: Sequence[str]) -> ssrfguard.Policy:
    return ssrfguard.Policy(allowed_ports=frozenset({port}), allowed_networks=networks)  # type: ignore[arg-type]


_EVERY_PORT = frozenset(range(1, 65536))


def _checked(url: str, networks: Sequence[str]) -> ssrfguard.Target:
    """Return the origin of an address that an admin entered; raises Rejected with what is wrong with it."""
    try:
        return ssrfguard.Policy(allowed_ports=_EVERY_PORT, allowed_networks=networks).check_url(url)  # type: ignore[arg-type]
    except (ssrfguard.SSRFGuardError, ValueError) as refused:
        raise Rejected(str(refused)) from refused


def _bounded(resolver: Resolver, ends: float) -> Resolver:
    """Give a look-up a deadline: it runs on a thread that is left behind if it hangs."""

    def look_up(*arguments: object) -> _Answers:
        if not _LOOKUPS.acquire(timeout=left(ends)):
            raise TimeoutError("too many name look-ups hang")
        answer: list[_Answers] = []
        failure: list[OSError] = []

        def run() -> None:
            try:
                answer.append(resolver(*arguments))
            except OSError as error:
                failure.append(error)
            finally:
                _LOOKUPS.release()

        thread = threading.Thread(target=run, daemon=True, name="hub-look-up")
        thread.start()
        thread.join(left(ends))
        if failure:
            raise failure[0]
        if not answer:
            raise TimeoutError("the look-up took too long")
        return answer[0]

    return look_up
