"""CSV supplier: a dropship supplier who works with CSV files in folders (a share, or the home of an SFTP account)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from hub.sdk import (
    Connector,
    Folder,
    HubError,
    Incoming,
    Kit,
    Outgoing,
    Page,
    Paused,
    Push,
    Receipt,
    Rejected,
    hookimpl,
)

PAGE_FILES = 32


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where the supplier's folders lie and what they are called."""

    root: Annotated[str, "Folder of this supplier; the others lie within it"]
    orders: Annotated[str, "Where we put purchase orders"] = "orders"
    acknowledgements: Annotated[str, "Where they answer purchase orders, one file per order"] = "acknowledgements"
    shipments: Annotated[str, "Where they say what left, one file per shipment"] = "shipments"
    stock: Annotated[str, "Where they say what they have"] = "stock"
    pattern: Annotated[str, "Which file names are taken in"] = "*.csv"
    cap: Annotated[int, "Largest file in bytes; a larger one stays where it is and is reported"] = 20_000_000


class Supplier:
    """One open supplier."""

    def __init__(self, settings: Settings, kit: Kit) -> None:
        self.settings, self.kit = settings, kit
        self.inboxes = {
            "acknowledgement": settings.acknowledgements,
            "shipment": settings.shipments,
            "stock": settings.stock,
        }

    def check(self) -> None:
        """Look into every folder; they are made where they are missing."""
        for name in (self.settings.orders, *self.inboxes.values()):
            list(self._folder(name).stable())

    def pull(self, kind: str, cursor: str) -> Iterator[Page]:
        """Yield their files, oldest first; a file moves to `taken` once its page was stored."""
        if kind not in self.inboxes:
            raise Paused(f"{self.kit.connection} has no files of kind {kind}; it has {', '.join(self.inboxes)}")
        inbox, taken = self._folder(self.inboxes[kind]), self._folder(f"{self.inboxes[kind]}/taken")
        failures: list[HubError] = []
        names = list(inbox.stable(self.settings.pattern))
        for start in range(0, len(names), PAGE_FILES):
            page = list(self._read(inbox, names[start : start + PAGE_FILES], kind, failures))
            if page:
                yield Page(messages=tuple(page))
            for message in page:
                if is_as_read(inbox, message):
                    inbox.move(message.name, taken)
        if failures:
            raise failures[0]

    def push(self, out: Outgoing) -> Receipt:
        """Write a purchase order as a file that is named after the delivery: twice is one file."""
        if out.kind != "purchase_order":
            raise Rejected(f"{self.kit.connection} takes purchase orders only, not {out.kind}; route it elsewhere")
        name = out.name or f"purchase_order-{out.key}.csv"
        self._folder(self.settings.orders).write(name, out.body)
        return Receipt(reference=name)

    def _read(self, inbox: Folder, names: list[str], kind: str, failures: list[HubError]) -> Iterator[Incoming]:
        """Read files; name, content and time of change are the id, so that yesterday's count may come again today."""
        for name in names:
            try:
                stamp, body = inbox.stamp(name), inbox.read(name, cap=self.settings.cap)
            except HubError as error:
                failures += [error] if inbox.exists(name) else []
                continue
            event_id = f"{kind}:{name[:200]}:{hashlib.sha256(body).hexdigest()}:{stamp}"
            yield Incoming(body=body, kind=kind, event_id=event_id, content_type="text/csv", name=name)

    def _folder(self, name: str) -> Folder:
        return self.kit.folder(f"{self.settings.root}/{name}")


def is_as_read(inbox: Folder, message: Incoming) -> bool:
    """Say whether a file is still what was read; one that was written again stays for the next look."""
    return inbox.exists(message.name) and message.event_id.endswith(f":{inbox.stamp(message.name)}")


@hookimpl
def hub_connectors() -> Iterator[Connector]:
    """Declare the CSV supplier."""
    yield Connector(
        name="csv_supplier",
        title="Dropship supplier (CSV files in folders)",
        settings=Settings,
        open=Supplier,
        pulls=("acknowledgement", "shipment", "stock"),
        pushes={"purchase_order": Push(on_doubt="resend", parallel=1)},
        roles=("fulfilment target", "shipment source", "stock source"),
        ack_granularity="line",
    )
