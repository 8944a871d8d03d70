"""Folder: files in from a watched folder, files out to a pick-up folder. Any syntax, any document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from hub.sdk import Connector, Kit, Outgoing, Page, Push, Receipt, Rejected, hookimpl


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one pair of folders needs. Relative folders lie below the hub's var directory."""

    inbox: Annotated[str, "Folder they put files in; {kind} stands for the document that is fetched; empty: none"] = ""
    outbox: Annotated[str, "Folder we put files in; {kind} stands for the document that is sent; empty: none"] = ""
    taken: Annotated[str, "Where files go that were taken in, on the same disk; empty: `taken` within the inbox"] = ""
    pattern: Annotated[str, "Which file names are taken in, such as *.edi"] = "*"
    cap: Annotated[int, "Largest file in bytes; a larger one stays where it is and is reported"] = 50_000_000


class Exchange:
    """One open pair of folders."""

    def __init__(self, settings: Settings, kit: Kit) -> None:
        self.settings, self.kit = settings, kit

    def check(self) -> None:
        """Look into both folders; they are made where they are missing."""
        for path in (self.settings.inbox, self.settings.outbox):
            if path and "{kind}" not in path:
                list(self.kit.folder(path).stable())

    def pull(self, kind: str, cursor: str) -> Iterator[Page]:
        """Yield what lies there, oldest first. A file moves to `taken` once its page was stored.

        A crash in between leaves the file; the next look brings it with the same event id, which has no effect.
        """
        if not self.settings.inbox:
            return
        inbox = self.settings.inbox.replace("{kind}", kind)
        taken = self.settings.taken.replace("{kind}", kind) or f"{inbox}/taken"
        pattern, cap = self.settings.pattern, self.settings.cap
        yield from self.kit.take(self.kit.folder(inbox), self.kit.folder(taken), kind=kind, pattern=pattern, cap=cap)

    def push(self, out: Outgoing) -> Receipt:
        """Write the file whole under its own name: the same delivery twice is one file."""
        if not self.settings.outbox:
            raise Rejected(f"{self.kit.connection} has no outbox, so {out.kind} cannot be sent there; set one")
        name = out.name or f"{out.kind}-{out.key}"
        self.kit.folder(self.settings.outbox.replace("{kind}", out.kind)).write(name, out.body)
        return Receipt(reference=name)


@hookimpl
def hub_connectors() -> Iterator[Connector]:
    """Declare the folder exchange."""
    yield Connector(
        name="folder",
        title="Folder (files in and out)",
        settings=Settings,
        open=Exchange,
        pulls=("*",),
        pushes={"*": Push(on_doubt="resend", parallel=1)},
        roles=("document transport",),
    )
