"""Files become pages of messages: one bad file harms no other, and none is put away before it was stored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from hub.domain.errors import HubError
from hub.domain.message import Incoming, Page
from hub.ports import Folder

PAGE_FILES = 32
PAGE_BYTES = 8_000_000


class Taken(NamedTuple):
    """A file as it was read."""

    name: str
    body: bytes
    stamp: str
    """What changes whenever it is written again."""


class Inbox(Protocol):
    """A place that files are taken from."""

    def ready(self) -> Iterable[str]:
        """Yield names of files that are whole, oldest first."""

    def read(self, name: str) -> Taken | None:
        """Return a file; None where it turned out not to be whole yet."""

    def has(self, name: str) -> bool:
        """Say whether a file of that name is there."""

    def put_away(self, file: Taken) -> None:
        """A file was stored: move or delete it, unless it was written again since."""

    def cursor(self, files: Sequence[Taken]) -> str:
        """Return what is remembered with a page of these files."""


def take(inbox: Inbox, *, kind: str, content_type: str = "", prefix: str = "") -> Iterator[Page]:
    """Yield pages of files; each is put away when the next page is asked for, so once it was stored.

    What went wrong with single files is raised in the end, the first of it. Name, content and time of change are a
    message's id (after `prefix`): a new file of the same name is not a repeat.
    """
    failures: list[HubError] = []
    page: list[Taken] = []
    for name in inbox.ready():
        try:
            file = inbox.read(name)
        except HubError as error:
            if inbox.has(name):
                failures.append(error)
            continue
        page += [file] if file is not None else []
        if len(page) >= PAGE_FILES or sum(len(each.body) for each in page) >= PAGE_BYTES:
            yield _page(inbox, page, kind, content_type, prefix)
            _put_away(inbox, page, failures)
            page = []
    if page:
        yield _page(inbox, page, kind, content_type, prefix)
        _put_away(inbox, page, failures)
    if failures:
        raise failures[0]


def _page(inbox: Inbox, files: Sequence[Taken], kind: str, content_type: str, prefix: str) -> Page:
    messages = tuple(
        Incoming(
            body=file.body,
            kind=kind,
            event_id=f"{prefix}{file.name[:200]}:{hashlib.sha256(file.body).hexdigest()}:{file.stamp}",
            content_type=content_type,
            name=file.name,
        )
        for file in files
    )
    return Page(messages=messages, cursor=inbox.cursor(files))


def _put_away(inbox: Inbox, files: Sequence[Taken], failures: list[HubError]) -> None:
    for file in files:
        try:
            inbox.put_away(file)
        except HubError as error:
            failures.append(error)


class FolderInbox:
    """A folder on disk; what was taken moves to another one."""

    def __init__(self, folder: Folder, taken: Folder, *, pattern: str, cap: int) -> None:
        self._folder, self._taken, self._pattern, self._cap = folder, taken, pattern, cap

    def ready(self) -> Iterable[str]:
        """Yield names of stable files, oldest first."""
        return self._folder.stable(self._pattern)

    def read(self, name: str) -> Taken:
        """Return a file."""
        stamp = self._folder.stamp(name)
        return Taken(name, self._folder.read(name, cap=self._cap), stamp)

    def has(self, name: str) -> bool:
        """Say whether it is still there: a file that they took back is no failure."""
        return self._folder.exists(name)

    def put_away(self, file: Taken) -> None:
        """Move it; one that was written again stays for the next look."""
        if self._folder.exists(file.name) and self._folder.stamp(file.name) == file.stamp:
            self._folder.move(file.name, self._taken)

    def cursor(self, files: Sequence[Taken]) -> str:
        """Return nothing: what was taken is gone."""
        return ""
