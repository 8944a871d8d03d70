"""Files on a partner's server: what a protocol must be able to do, and what every such connection is told."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, Protocol

import msgspec

from hub.domain.errors import HubError
from hub.domain.message import Outgoing, Page, Receipt


class RemoteFile(msgspec.Struct, frozen=True, kw_only=True):
    """A regular file as their server lists it."""

    name: str
    size: int
    changed: int
    """When it was last written, in seconds since 1970 by their clock."""

    @property
    def stamp(self) -> str:
        """Return what changes whenever the file is written again."""
        return f"{self.size}-{self.changed}"


class Endpoint(Protocol):
    """A guarded address for a protocol that the kit does not speak itself."""

    host: str
    port: int

    def connect(self, deadline: float) -> socket.socket:
        """Return a connected socket without TLS within so many seconds.

        Rejected where the address is not allowed, RetryLater where it cannot be reached.
        """


class Files(Protocol):
    """One session with a server that keeps files. Paths are theirs, parts joined by `/`.

    Every method but `cut` and `close` raises our errors: Paused where a person must act (no right, no such folder),
    RetryLater where the line broke or the server failed, Rejected where it refuses for good.
    """

    def open(self) -> None:
        """Connect, prove the server and sign in."""

    def entries(self, folder: str) -> Iterator[RemoteFile]:
        """Yield the regular files directly in a folder, as the server sends them: never the whole list at once."""

    def look(self, path: str) -> RemoteFile | None:
        """Return what a file is now; None where there certainly is none."""

    def read(self, path: str, *, cap: int) -> bytes:
        """Return a file's bytes; larger than `cap` raises TooLarge."""

    def write(self, path: str, body: bytes) -> None:
        """Write a file, in place of one of that name."""

    def rename(self, path: str, to: str) -> None:
        """Move a file. Whoever calls has looked that `to` is not there."""

    def remove(self, path: str) -> None:
        """Delete a file."""

    def make(self, folder: str) -> None:
        """Make a folder."""

    def cut(self) -> None:
        """Hang up at once, from another thread: the call that waits fails."""

    def close(self) -> None:
        """Sign off; never raises."""


class FileExchange(Protocol):
    """Documents as files on a partner's server: read when stable, written whole, never over another."""

    def check(self) -> None:
        """Sign in and look into the folders, without effect."""

    def pull(self, kind: str, cursor: str) -> Iterator[Page]:
        """Yield what lies there, oldest first; a file is put away once its page was stored."""

    def push(self, out: Outgoing) -> Receipt:
        """Put one document there; what lies there already as it should is left."""

    def push_many(self, outs: Sequence[Outgoing]) -> Sequence[Receipt | HubError]:
        """Put several there in one session: a result each, in order."""

    def find(self, out: Outgoing) -> Receipt | None:
        """Look whether a document is there; None where it certainly never got its name."""


@dataclass(frozen=True, kw_only=True)
class FileSettings:
    """What every account on a server that keeps files needs. Folders are as the account sees them after sign-in."""

    inbox: Annotated[str, "Folder they put files in; {kind} stands for the document that is fetched; empty: none"] = ""
    inboxes: Annotated[
        dict[str, str], "Folders they put files in by document, where it is another one, such as receipt = ack"
    ] = field(default_factory=dict)
    outbox: Annotated[str, "Folder we put files in; {kind} stands for the document that is sent; empty: none"] = ""
    outboxes: Annotated[
        dict[str, str], "Folders we put files in by document, where it is another one, such as receipt = ack"
    ] = field(default_factory=dict)
    patterns: Annotated[tuple[str, ...], "Which file names are taken in, such as *.edi; any of them"] = ("*",)
    ready: Annotated[
        Literal["unchanged", "old", "marker"],
        "When a file is whole: two looks found it unchanged, it is older than old_after, or its marker file is there",
    ] = "unchanged"
    old_after: Annotated[int, "Seconds after which a file is old, by their server's time stamps and our clock"] = 60
    marker: Annotated[str, "Name of the marker of a file; {name} is its name, {stem} that without its ending"] = (
        "{name}.done"
    )
    after: Annotated[
        Literal["archive", "delete", "leave"],
        "What becomes of a file that was taken in: moved to archive, deleted, or left where it is",
    ] = "archive"
    archive: Annotated[str, "Where files go that were taken in; {kind} as above; empty: `taken` within the inbox"] = ""
    cap: Annotated[int, "Largest file in bytes; a larger one stays where it is and is reported"] = 50_000_000
    most_files: Annotated[int, "Most files that one look takes; the rest is for the next"] = 500
    file_name: Annotated[
        str, "Name of what we put there; {name} is ours (unique), {kind} the document, {key} the delivery's id"
    ] = "{name}"
    temporary: Annotated[
        str,
        "Name while it is written; {name} as above; with a / it is a path, for a folder of its own on the same disk",
    ] = ".{name}.part"
    name_taken: Annotated[
        Literal["refuse", "another"],
        "What we do where another file has the name: refuse, or put ours there under a name with the delivery's id",
    ] = "refuse"
    when_gone: Annotated[
        Literal["ask", "resend"],
        "Where an attempt was cut off and neither the file nor its temporary name is there (they may have taken it): "
        "ask a person, or send the same bytes under the same name again because they drop repeats",
    ] = "ask"
    deadline: Annotated[int, "Seconds that one step may take: signing in, a list, one file, a change of name"] = 60

    def __post_init__(self) -> None:
        """Refuse what cannot work, with every reason at once."""
        wrong = [text for is_wrong, text in self.faults() if is_wrong]
        if wrong:
            raise ValueError("; ".join(wrong))

    def faults(self) -> Sequence[tuple[bool, str]]:
        """Return what would be wrong, each with whether it is."""
        named = "{name}" in self.marker or "{stem}" in self.marker
        return (
            (not self.patterns, "patterns must name one at least, such as *"),
            (not named or self.marker == "{name}", "marker must have {name} or {stem} and differ from the file's name"),
            ("{name}" not in self.temporary or self.temporary == "{name}", "temporary must have {name} and more"),
            (not any(part in self.file_name for part in ("{name}", "{key}")), "file_name must have {name} or {key}"),
            ("/" in self.file_name, "file_name must not have a /; outbox and outboxes name folders"),
            (min(self.cap, self.most_files, self.deadline) < 1, "cap, most_files and deadline must be above 0"),
        )
