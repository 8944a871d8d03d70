"""What the inside asks of the outside: connectors, codecs, the kit, the store, the doorbell and the clock."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol, Required, TypedDict, runtime_checkable

from hub.domain.errors import HubError, Problem
from hub.domain.message import Exchange, Incoming, Outgoing, Page, Receipt, Reception, Request
from hub.domain.secret import Secret
from hub.domain.tree import Decoded
from hub.ports.files import Endpoint, FileExchange, Files, FileSettings, RemoteFile

OnDoubt = Literal["resend", "find", "ask"]


class Clock(Protocol):
    """The time, passed in so that tests own it."""

    def now(self) -> datetime:
        """Return the current instant, aware and in UTC."""


class Reply(Protocol):
    """An HTTP answer with a 2xx status; anything else was raised as one of our errors."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON, numbers with a point as Decimal; garbage raises `RetryLater`."""


class Call(TypedDict, total=False):
    """One of several requests: the arguments of `Http.request` by name."""

    method: Required[str]
    path: Required[str]
    body: bytes | None
    json: Any
    query: Mapping[str, Any] | None
    headers: Mapping[str, str] | None
    deadline: float | None


class Http(Protocol):
    """A guarded client for one base address: total deadline, byte cap, rate budget, no redirects, redaction.

    Status to error: 401, 403 -> Paused; 408, 425, 429, 5xx -> RetryLater (Retry-After kept); other 4xx -> Rejected;
    a time-out or reset after the request may have been read -> InDoubt for unsafe methods, RetryLater for GET;
    a failure to connect -> RetryLater.
    """

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        json: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
    ) -> Reply:
        """Send one request below the base address and return its answer."""

    def request_many(self, calls: Sequence[Call], *, lines: int = 4) -> list[Reply | HubError]:
        """Send several requests, at most `lines` at a time, each on a line of its own; one result each, in order.

        What `request` would raise is the result of that one. Once their side cannot be reached or refuses our
        credentials, nothing more is sent, and the others' results say so.
        """

    def get(self, path: str, **query: Any) -> Any:
        """GET and return the JSON."""

    def post(self, path: str, json: Any = None, *, key: str = "") -> Any:
        """POST JSON and return the JSON; `key` goes out as Idempotency-Key."""

    def put(self, path: str, json: Any = None, *, key: str = "") -> Any:
        """PUT JSON and return the JSON."""


class Soap(Protocol):
    """A SOAP service whose WSDL lies on disk."""

    def call(self, operation: str, /, **arguments: Any) -> Any:
        """Call one operation and return its result as plain dicts and lists."""


class Folder(Protocol):
    """A folder below a root: regular files only, stable before read, written beside and renamed."""

    def stable(self, pattern: str = "*") -> Iterable[str]:
        """Yield names of regular files whose size and time did not change between two looks, oldest first."""

    def read(self, name: str, *, cap: int) -> bytes:
        """Return a file's bytes; larger than `cap` raises TooLarge, a link is refused."""

    def write(self, name: str, body: bytes) -> None:
        """Write beside, fsync, rename: a reader sees the whole file or none. The same name twice is one file."""

    def stamp(self, name: str) -> str:
        """Return what changes whenever the file is written again (its size and time of change)."""

    def move(self, name: str, to: Folder) -> None:
        """Move a file that was taken in to another folder on the same disk."""

    def exists(self, name: str) -> bool:
        """Say whether a regular file of that name is there."""


class Mail(Protocol):
    """An outgoing mail server."""

    def send(self, *, key: str, sender: str, to: Sequence[str], subject: str, text: str, html: str = "") -> str:
        """Hand over one message with a Message-ID made from `key`; return that id."""


class Kit(Protocol):
    """What the hub lends an opened connection. Nothing else of the world is reachable for a connector."""

    connection: str
    clock: Clock

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

    def soap(
        self, wsdl: str, *, service_url: str, basic: tuple[str, Secret] | None = None, deadline: float = 20.0
    ) -> Soap:
        """Open a SOAP client for a WSDL on disk; nothing is sent yet."""

    def folder(self, path: str) -> Folder:
        """Open a folder (relative paths lie below the hub's var directory); it is made when it is missing."""

    def take(self, inbox: Folder, taken: Folder, *, kind: str, pattern: str, cap: int) -> Iterator[Page]:
        """Yield the stable files of a folder as pages, oldest first; each moves to `taken` once it was stored."""

    def files(self, settings: FileSettings, opener: Callable[[], Files]) -> FileExchange:
        """Exchange files with a server in the protocol that `opener` makes sessions of; nothing is opened yet."""

    def endpoint(self, host: str, port: int) -> Endpoint:
        """Check an address for a protocol of the connector's own, which encrypts by itself; nothing is opened yet."""

    def mail(
        self, host: str, port: int, *, username: str = "", password: Secret | None = None, starttls: bool = True
    ) -> Mail:
        """Open a mail server; nothing is sent yet."""

    def xml(self, body: bytes) -> Mapping[str, Any]:
        """Read XML that must be looked into before it is kept, as the codecs do: {root: tree}; Rejected for attacks."""

    def path(self, name: str) -> str:
        """Return the absolute path of a file that an admin gave, below the allowed roots; else Rejected."""

    def remember(self, name: str, value: str) -> None:
        """Keep a small note for this connection (a token's expiry); not for documents."""

    def recall(self, name: str) -> str | None:
        """Return what was kept under that name."""


@runtime_checkable
class Checks(Protocol):
    """An opened connection that can be tried without effect."""

    def check(self) -> None:
        """Raise one of our errors if the account cannot be used."""


@runtime_checkable
class Pulls(Protocol):
    """An opened connection that fetches."""

    def pull(self, kind: str, cursor: str) -> Iterator[Page]:
        """Yield pages, oldest first; each page's cursor is stored with its messages before the next is asked for."""


@runtime_checkable
class Pushes(Protocol):
    """An opened connection that sends one document at a time."""

    def push(self, out: Outgoing) -> Receipt:
        """Send one document; twice with one key must be harmless as far as the declared `on_doubt` says."""


@runtime_checkable
class PushesMany(Protocol):
    """An opened connection that sends several documents in one call, or in calls side by side."""

    def push_many(self, outs: Sequence[Outgoing]) -> Sequence[Receipt | HubError]:
        """Send up to the declared batch in one call, or the declared window side by side; a result each, in order."""


@runtime_checkable
class Finds(Protocol):
    """An opened connection that can look up what it was sent."""

    def find(self, out: Outgoing) -> Receipt | None:
        """Return the receipt if their side has a document with our key, None if it certainly has not."""


@runtime_checkable
class Receives(Protocol):
    """An opened connection that is called over HTTP."""

    def receive(self, request: Request) -> Reception:
        """Verify the raw bytes (Unverified if they fail), then say what messages they carry. No outside calls."""


@runtime_checkable
class Exchanges(Protocol):
    """An opened connection that is called at its protocol's own address (`POST /as2`) and answers with receipts.

    Its settings have `our_id` and `their_id`: by these the address finds the connection.
    """

    def event_of(self, headers: Mapping[str, str]) -> str:
        """Return the id that repeats of a call are known by, from its header fields (names in lower case).

        What the call brings is stored under this id; empty where it has none.
        """

    def exchange(self, request: Request, sent: Callable[[str], Outgoing | None]) -> Exchange:
        """Open and verify a call and write its receipt. No outside calls; what is wrong is said, never raised.

        `sent` returns what this connection was given to send under a key, None where there is no such delivery:
        receipts for it are compared with it.
        """


@runtime_checkable
class Foresees(Protocol):
    """An opened connection that knows what will stop it unless a person acts."""

    def foresee(self) -> Sequence[Problem]:
        """Return what will stop working soon, such as a certificate that runs out; looks at settings only."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rate:
    """How often their side may be called."""

    per_second: float
    burst: int = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Push:
    """How one document kind is sent: `on_doubt` has no default, on purpose.

    resend: their side de-duplicates our key. find: look up by our key, then resend. ask: a person decides.
    """

    on_doubt: OnDoubt
    batch: int = 1
    """So many documents go out in one call, by `push_many`."""
    window: int = 1
    """So many documents are handed to `push_many` together, which sends a call for each, side by side
    (`Http.request_many`). In place of `batch` and `parallel`."""
    parallel: int = 4
    """So many threads call `push` where their side takes its time."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Connector:
    """A kind of system, declared as data."""

    name: str
    title: str
    settings: type
    open: Callable[[Any, Kit], Any]
    pulls: tuple[str, ...] = ()
    pushes: Mapping[str, Push] = dataclasses.field(default_factory=dict)
    receives: tuple[str, ...] = ()
    exchanges: tuple[str, ...] = ()
    """Protocols whose own address it is called at: as2 (`POST /as2`)."""
    signature: str = ""
    """How `receive` proves the sender: hmac-sha256-hex, hmac-sha256-base64, bearer, none (audited)."""
    roles: tuple[str, ...] = ()
    rate: Rate | None = None
    ack_granularity: Literal["", "order", "line"] = ""
    ack_deadline_hours: float | None = None
    version: str = "1.0.0"


VERBS: Mapping[str, type] = {"pulls": Pulls, "pushes": Pushes, "receives": Receives, "exchanges": Exchanges}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Frame:
    """A part of a message that can be decoded alone: `context` is whatever the codec needs of the envelope."""

    offset: int
    length: int
    first: int
    count: int
    context: bytes = b""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Profile:
    """What an agreement says about syntax; all optional."""

    guide: str = ""
    charset: str = ""
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    max_bytes: int = 200_000_000
    max_segments: int = 2_000_000
    max_element: int = 100_000


class Codec(Protocol):
    """One syntax. Pure: bytes to trees and back, no clock, no files but its own dictionaries."""

    name: str
    content_type: str

    def sniff(self, head: bytes) -> bool:
        """Say whether these first bytes look like this syntax."""

    def frames(self, body: bytes, profile: Profile) -> Sequence[Frame]:
        """Cut a message into parts of at most 500 documents; the first parts are small so that work starts early."""

    def decode(self, body: bytes, frame: Frame, profile: Profile) -> Iterator[Decoded]:
        """Yield each document of a frame; `body` is the frame's bytes. A damaged one carries problems, never raises."""

    def encode(self, trees: Sequence[Any], envelope: Mapping[str, Any]) -> bytes:
        """Write documents; raises Rejected where a value cannot be written. Counts are computed, never copied."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Function:
    """A value function for mapping files: `as = ["name:argument"]`. Pure; raises ValueError with a clear text."""

    name: str
    call: Callable[..., Any]
    help: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Check:
    """A rule that a canonical document must pass; yields what is wrong."""

    name: str
    document: str
    call: Callable[[Any], Iterable[Problem]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MappingFolder:
    """A folder of mapping files that comes with a package."""

    name: str
    path: str


class Doorbell(Protocol):
    """Wakes workers. A lost ring costs time, never work."""

    def ring(self, lane: str) -> None:
        """Say that something is due in a lane."""


__all__ = [
    "VERBS", "Call", "Check", "Checks", "Clock", "Codec", "Connector", "Doorbell", "Endpoint", "Exchange",
    "Exchanges", "FileExchange", "FileSettings", "Files", "Finds", "Folder", "Foresees", "Frame", "Function", "Http",
    "Incoming", "Kit", "Mail", "MappingFolder", "OnDoubt", "Outgoing", "Page", "Profile", "Pulls", "Push", "Pushes",
    "PushesMany", "Rate", "Receipt", "Receives", "Reception", "RemoteFile", "Reply", "Request", "Soap",
]  # fmt: skip
