"""A plug-in for fault tests: ways in and out that nobody should build, and a document that kills."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from hub.domain.errors import Problem
from hub.ports import Check, MappingFolder
from hub.sdk import Connector, Incoming, Kit, Outgoing, Page, Push, Receipt, Reception, Request, hookimpl


@dataclass(frozen=True, kw_only=True)
class PollSettings:
    """Where orders lie."""

    base_url: Annotated[str, "Address with /orders?after=NUMBER"]


class Poll:
    """Pulls pages of orders."""

    def __init__(self, settings: PollSettings, kit: Kit) -> None:
        self.http = kit.http(settings.base_url, deadline=5)

    def pull(self, kind: str, cursor: str) -> Iterator[Page]:
        """Ask for what comes after the cursor until a page is empty."""
        while found := self.http.get("/orders", after=cursor or "0"):
            cursor = str(found[-1]["no"])
            yield Page(messages=tuple(_incoming(each["body"]) for each in found), cursor=cursor)


def _incoming(body: str) -> Incoming:
    name = body.partition('"id":"')[2].partition('"')[0]
    return Incoming(body=body.encode(), kind="order", order_key=name, content_type="application/json")


@dataclass(frozen=True, kw_only=True)
class FolderSettings:
    """Where files lie."""

    path: Annotated[str, "Folder below var"]


class Files:
    """Takes files in and moves them away."""

    def __init__(self, settings: FolderSettings, kit: Kit) -> None:
        self.inbox, self.done = kit.folder(settings.path), kit.folder(f"{settings.path}-done")

    def pull(self, kind: str, cursor: str) -> Iterator[Page]:
        """Read each file, and move it once it is stored."""
        for name in list(self.inbox.stable("*.json")):
            body = self.inbox.read(name, cap=1_000_000).decode()
            yield Page(messages=(_incoming(body),), cursor=name)
            self.inbox.move(name, self.done)


@dataclass(frozen=True, kw_only=True)
class AskSettings:
    """Where documents go."""

    base_url: Annotated[str, "Address with POST /orders"]


class Ask:
    """Sends without any way to find out what became of it."""

    def __init__(self, settings: AskSettings, kit: Kit) -> None:
        self.http = kit.http(settings.base_url, deadline=1)

    def push(self, out: Outgoing) -> Receipt:
        """POST; a second time would be a second order."""
        reply: Any = self.http.request("POST", "/orders", body=out.body, headers={"X-Key": out.key})
        return Receipt(reference=str(reply.json()["id"]))


@dataclass(frozen=True, kw_only=True)
class DoorSettings:
    """Nothing to set."""


class Door:
    """Takes whatever bytes anybody sends."""

    def __init__(self, settings: DoorSettings, kit: Kit) -> None:
        self.name = kit.connection

    def receive(self, request: Request) -> Reception:
        """Look at nothing."""
        return Reception(messages=(Incoming(body=request.body, event_id=request.headers.get("x-event-id", "")),))


class Hang:
    """Never comes back from sending."""

    def __init__(self, settings: DoorSettings, kit: Kit) -> None:
        self.name = kit.connection

    def push(self, out: Outgoing) -> Receipt:
        """Wait for ever, without any deadline."""
        threading.Event().wait()
        return Receipt()


def poison(order: Any) -> Iterable[Problem]:
    """End the process that checks an order with this note."""
    if "poison" in order.notes:
        os.kill(os.getpid(), signal.SIGKILL)
    return ()


@hookimpl
def hub_connectors() -> Iterator[Connector]:
    """Declare the connectors of the fault tests."""
    yield Connector(name="faults_poll", title="Pages", settings=PollSettings, open=Poll, pulls=("order",))
    yield Connector(name="faults_files", title="Files", settings=FolderSettings, open=Files, pulls=("order",))
    yield Connector(
        name="faults_ask", title="Ask", settings=AskSettings, open=Ask, pushes={"order": Push(on_doubt="ask")}
    )
    yield Connector(name="faults_door", title="Door", settings=DoorSettings, open=Door, receives=("order",))
    yield Connector(
        name="faults_hang", title="Hang", settings=DoorSettings, open=Hang, pushes={"order": Push(on_doubt="ask")}
    )


@hookimpl
def hub_checks() -> Iterator[Check]:
    """Declare the deadly check."""
    yield Check(name="faults_poison", document="order", call=poison)


@hookimpl
def hub_mappings() -> Iterator[MappingFolder]:
    """Declare the mappings of the fault tests."""
    yield MappingFolder(name="faults", path=str(Path(__file__).parent / "mappings"))
