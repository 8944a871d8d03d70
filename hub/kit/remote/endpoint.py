"""A guarded address for a protocol that a connector speaks itself."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from time import monotonic

from hub.domain.errors import Rejected, RetryLater
from hub.kit.guard import Guard, Resolver


class GuardedEndpoint:
    """The kit's `Endpoint`: public addresses and allowed networks only. The protocol brings its own encryption."""

    def __init__(self, host: str, port: int, *, networks: Sequence[str] = (), resolver: Resolver | None = None) -> None:
        self.host, self.port = host, port
        self._networks, self._resolver = networks, resolver

    def connect(self, deadline: float) -> socket.socket:
        """Return a connected socket, which waits no longer than `deadline` for anything."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        try:
            guard = Guard(f"https://{host}:{self.port}", networks=self._networks, resolver=self._resolver, tls="later")
            sock = guard.connect(monotonic() + deadline)
        except Rejected as error:
            reason = str(error).replace("https://", "")
            raise Rejected(f"{self.host}: {reason}; an admin can allow the network on the connection") from error
        except TimeoutError as error:
            raise RetryLater(f"{self.host}: no connection in time; nothing was sent") from error
        sock.settimeout(deadline)
        return sock
