"""Stand-ins for the outside that tests own: a clock, notes, and kits that work or refuse to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from hub.kit.http import Recorder
from hub.kit.kit import HubKit, Limited
from hub.kit.remote.exchange import RemoteExchange

LOOPBACK = ("127.0.0.0/8",)
BEGINNING = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class FakeClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime = BEGINNING) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return the instant it stands at."""
        return self.at

    def advance(self, **by: float) -> None:
        """Move it, with the arguments of timedelta: `advance(minutes=5)`."""
        self.at += timedelta(**by)


class FakeNotes:
    """Notes in memory."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def remember(self, connection: str, name: str, value: str) -> None:
        """Keep a note."""
        self.kept[connection, name] = value

    def recall(self, connection: str, name: str) -> str | None:
        """Return a note."""
        return self.kept.get((connection, name))


def fake_kit(
    var: Path,
    *,
    connection: str = "acme",
    clock: FakeClock | None = None,
    networks: tuple[str, ...] = LOOPBACK,
    roots: tuple[Path, ...] = (),
    record: Recorder | None = None,
) -> HubKit:
    """Return the real kit for tests: it may call the loopback interface only, and its clock stands still."""
    return HubKit(
        connection=connection,
        clock=clock or FakeClock(),
        var=var,
        notes=FakeNotes(),
        limited=Limited(networks=networks, roots=roots),
        record=record,
        resolver=_nowhere,
    )


def _nowhere(host: str, *_: object) -> NoReturn:
    raise OSError(f"tests look up no names, and {host!r} is one")


class IdleKit:
    """A kit for opening a connection only: what it lends fails the test at the first use."""

    connection = "contract"

    def __init__(self) -> None:
        self.clock = _Untouchable("clock")

    def http(self, base_url: str, **settings: Any) -> Any:
        """Lend a client that must not be used yet."""
        return _Untouchable(f"http {base_url}")

    def soap(self, wsdl: str, **settings: Any) -> Any:
        """Lend a SOAP client that must not be used yet."""
        return _Untouchable(f"soap {wsdl}")

    def folder(self, path: str) -> Any:
        """Lend a folder that must not be used yet."""
        return _Untouchable(f"folder {path}")

    def files(self, settings: Any, opener: Any) -> Any:
        """Lend an exchange of files, whose server must not be called yet."""
        return RemoteExchange(settings, opener, connection=self.connection, clock=FakeClock())

    def endpoint(self, host: str, port: int) -> Any:
        """Lend an address that must not be used yet."""
        return _Untouchable(f"endpoint {host}:{port}")

    def mail(self, host: str, port: int, **settings: Any) -> Any:
        """Lend a mail server that must not be used yet."""
        return _Untouchable(f"mail {host}:{port}")

    def xml(self, body: bytes) -> Any:
        """Fail: nothing came that could be read."""
        raise AssertionError("opening read XML; opening must not touch the world")

    def path(self, name: str) -> str:
        """Return a path without looking whether a file is there."""
        return f"/nowhere/{name}"

    def remember(self, name: str, value: str) -> None:
        """Fail: nothing happened that could be worth a note."""
        raise AssertionError(f"opening kept the note {name!r}; opening must not touch the world")

    def recall(self, name: str) -> str | None:
        """Fail: the notes lie in the database."""
        raise AssertionError(f"opening asked for the note {name!r}; opening must not touch the world")


class _Untouchable:
    """Raises on any use, and says of what."""

    def __init__(self, what: str) -> None:
        object.__setattr__(self, "_what", what)

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"opening used {self._what} ({name}); opening must not touch the world")
