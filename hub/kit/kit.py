"""What the hub lends an opened connection: the one implementation of the port `Kit`."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from hub.codecs.cxml import without_named_dtd
from hub.codecs.plain_xml import read_xml
from hub.domain.errors import Rejected
from hub.domain.message import Page
from hub.domain.secret import Secret
from hub.domain.tree import Decoded
from hub.kit.budget import Budget, Budgets
from hub.kit.files import DiskFolder
from hub.kit.guard import Resolver
from hub.kit.http import GuardedHttp, Limits, Recorder
from hub.kit.mail import MailServer
from hub.kit.remote.endpoint import GuardedEndpoint
from hub.kit.remote.exchange import RemoteExchange
from hub.kit.soap import SoapClient
from hub.kit.taking import FolderInbox, take
from hub.ports import Clock, Endpoint, FileExchange, Files, FileSettings, Folder, Http, Mail, Profile, Rate, Soap


class Notes(Protocol):
    """Where small notes of connections are kept."""

    def remember(self, connection: str, name: str, value: str) -> None:
        """Keep a note."""

    def recall(self, connection: str, name: str) -> str | None:
        """Return a note, None where there is none."""


class RateBudgets(Protocol):
    """Where rate budgets come from: the process's own `Budgets`, or a store that all workers share."""

    def of(self, name: str, rate: Rate) -> Budget:
        """Return the budget of that name."""


@dataclass(kw_only=True)
class Shared:
    """What the kits of one process share, so that reopening a connection forgets nothing."""

    budgets: RateBudgets = field(default_factory=Budgets)
    folders: dict[Path, DiskFolder] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def folder(self, path: Path, clock: Clock) -> DiskFolder:
        """Return the one folder of that path: it remembers what it saw."""
        with self.lock:
            return self.folders.setdefault(path, DiskFolder(path, clock=clock))


@dataclass(frozen=True, kw_only=True)
class Limited:
    """What an admin allowed a connection: private networks, and folders outside the var directory."""

    networks: tuple[str, ...] = ()
    roots: tuple[Path, ...] = ()


class HubKit:
    """The kit of one connection. Making it, and all it opens, touches nothing until it is used."""

    def __init__(
        self,
        *,
        connection: str,
        clock: Clock,
        var: Path,
        notes: Notes,
        limited: Limited | None = None,
        rate: Rate | None = None,
        shared: Shared | None = None,
        record: Recorder | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        self.connection = connection
        self.clock = clock
        self._var, self._notes = var, notes
        self._limited = limited or Limited()
        self._shared = shared or Shared()
        self._rate, self._record, self._resolver = rate, record, resolver

    def http(
        self,
        base_url: str,
        *,
        bearer: Secret | None = None,
        basic: tuple[str, Secret] | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        deadline: float = 20.0,
        cap: int = 20_000_000,
        per_second: float | None = None,
    ) -> Http:
        """Open a guarded client; nothing is sent yet."""
        return self._client(
            base_url,
            bearer=bearer,
            basic=basic,
            headers=headers,
            limits=Limits(deadline=deadline, cap=cap),
            budget=self._budget(base_url, per_second),
        )

    def soap(
        self, wsdl: str, *, service_url: str, basic: tuple[str, Secret] | None = None, deadline: float = 20.0
    ) -> Soap:
        """Open a SOAP client for a WSDL on disk; nothing is sent or read yet."""
        limits, budget = Limits(deadline=deadline), self._budget(service_url, None)

        def http(origin: str) -> GuardedHttp:
            return self._client(origin, bearer=None, basic=basic, headers=None, limits=limits, budget=budget)

        return SoapClient(wsdl, service_url=service_url, connection=self.connection, http=http)

    def xml(self, body: bytes) -> Mapping[str, Any]:
        """Read XML through the one gate of the codecs; the document type that cXML names is taken off, not fetched."""
        found = read_xml(without_named_dtd(body), Profile())
        if isinstance(found, Decoded):
            raise Rejected(found.problems)
        return {found.name: found.content}

    def folder(self, path: str) -> Folder:
        """Open a folder below the var directory or an allowed root; it is made when first used."""
        return self._shared.folder(self._allowed(path), self.clock)

    def take(self, inbox: Folder, taken: Folder, *, kind: str, pattern: str, cap: int) -> Iterator[Page]:
        """Yield the stable files of a folder as pages, oldest first; each moves to `taken` once it was stored."""
        return take(FolderInbox(inbox, taken, pattern=pattern, cap=cap), kind=kind)

    def files(self, settings: FileSettings, opener: Callable[[], Files]) -> FileExchange:
        """Exchange files with a server; nothing is opened yet."""
        return RemoteExchange(settings, opener, connection=self.connection, clock=self.clock)

    def endpoint(self, host: str, port: int) -> Endpoint:
        """Check an address for a protocol of the connector's own; nothing is looked up or opened yet."""
        return GuardedEndpoint(host, port, networks=self._limited.networks, resolver=self._resolver)

    def mail(
        self, host: str, port: int, *, username: str = "", password: Secret | None = None, starttls: bool = True
    ) -> Mail:
        """Open a mail server; nothing is sent yet."""
        return MailServer(
            host,
            port,
            clock=self.clock,
            connection=self.connection,
            username=username,
            password=password,
            starttls=starttls,
            networks=self._limited.networks,
            resolver=self._resolver,
        )

    def path(self, name: str) -> str:
        """Return the absolute path of a regular file below the var directory or an allowed root."""
        place = self._allowed(name)
        if not place.is_file():
            raise Rejected(f"{self.connection}: there is no file {name!r} in the allowed folders")
        return str(place)

    def remember(self, name: str, value: str) -> None:
        """Keep a small note for this connection, at most 4,000 characters."""
        if len(value) > 4000:
            raise Rejected(f"{self.connection}: the note {name!r} is too long ({len(value)} of 4000 characters)")
        self._notes.remember(self.connection, name, value)

    def recall(self, name: str) -> str | None:
        """Return what was kept under that name."""
        return self._notes.recall(self.connection, name)

    def _client(
        self,
        base_url: str,
        *,
        bearer: Secret | None,
        basic: tuple[str, Secret] | None,
        headers: Mapping[str, str | Secret] | None,
        limits: Limits,
        budget: Budget | None,
    ) -> GuardedHttp:
        return GuardedHttp(
            base_url,
            connection=self.connection,
            clock=self.clock,
            bearer=bearer,
            basic=basic,
            headers=headers,
            limits=limits,
            networks=self._limited.networks,
            budget=budget,
            record=self._record,
            resolver=self._resolver,
        )

    def _budget(self, base_url: str, per_second: float | None) -> Budget | None:
        """Return the budget of the connection, or one of its own for a base address that has its own rate."""
        if per_second is not None:
            rate = Rate(per_second=per_second, burst=max(1, int(per_second)))
            return self._shared.budgets.of(f"{self.connection} {base_url}", rate)
        return self._shared.budgets.of(self.connection, self._rate) if self._rate is not None else None

    def _allowed(self, name: str) -> Path:
        """Return where a path leads, links resolved; outside of what is allowed it is Rejected."""
        if not name or "\0" in name:
            raise Rejected(f"{self.connection}: {name[:80]!r} is not a path")
        place = Path(os.path.realpath(self._var / name))
        for root in self._roots(name):
            if place.is_relative_to(root):
                return place
        raise Rejected(
            f"{self.connection}: {name!r} lies outside the allowed folders; an admin can allow its folder (HUB_ROOTS)"
        )

    def _roots(self, name: str) -> Sequence[Path]:
        given = self._limited.roots if os.path.isabs(name) else ()
        return [Path(os.path.realpath(root)) for root in (self._var, *given)]
