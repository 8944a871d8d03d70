"""AS2: EDI over HTTP, signed, encrypted and receipted (RFC 4130, with compression by RFC 5402)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from connectors.as2.inbound import Receiver, event_of
from connectors.as2.keyring import Keyring
from connectors.as2.outbound import Sender
from connectors.as2.settings import Settings
from hub.sdk import Connector, Exchange, Kit, Outgoing, Paused, Problem, Push, Receipt, Request, hookimpl

__all__ = ["As2", "Settings", "hub_connectors"]


class As2:
    """One open partnership."""

    def __init__(self, settings: Settings, kit: Kit) -> None:
        keyring = Keyring(settings, kit)
        self.settings, self.keyring = settings, keyring
        self.sender = Sender(settings, kit, keyring)
        self.receiver = Receiver(settings, kit, keyring)

    def check(self) -> None:
        """Read every key and certificate; Paused where one is missing, unreadable or has run out."""
        self.keyring.trust()
        self.keyring.means()
        past = [problem.text for problem in self.foresee() if problem.code == "certificate_ended"]
        if past:
            raise Paused("; ".join(past))

    def foresee(self) -> Sequence[Problem]:
        """Return the certificates that run out within 30 days."""
        return self.keyring.foresee()

    def push(self, out: Outgoing) -> Receipt:
        """Send one document under a Message-ID made from its key, and return the receipt that proves it."""
        return self.sender.push(out)

    def event_of(self, headers: Mapping[str, str]) -> str:
        """Return the id that repeats of a call are known by."""
        return event_of(headers)

    def exchange(self, request: Request, sent: Callable[[str], Outgoing | None]) -> Exchange:
        """Open and verify a call and write its receipt."""
        return self.receiver.exchange(request, sent)


@hookimpl
def hub_connectors() -> Iterator[Connector]:
    """Declare AS2."""
    yield Connector(
        name="as2",
        title="AS2 (EDI over HTTP, signed and encrypted)",
        settings=Settings,
        open=As2,
        pushes={"*": Push(on_doubt="resend", parallel=2)},
        exchanges=("as2",),
        signature="smime",
        roles=("document transport",),
    )
