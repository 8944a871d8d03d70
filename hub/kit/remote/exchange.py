"""What a connector that exchanges files is lent: check, pull, push and find over any protocol."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from hub.domain.errors import HubError, InDoubt, Paused, Rejected, RetryLater
from hub.domain.message import Outgoing, Page, Receipt
from hub.kit.remote.inbox import RemoteInbox
from hub.kit.remote.outbox import RemoteOutbox
from hub.kit.remote.session import Opener, joined, signed_in
from hub.kit.steady import Steady
from hub.kit.taking import take
from hub.ports import Clock
from hub.ports.files import FileSettings


class RemoteExchange:
    """The kit's `FileExchange`. Every call is a session of its own; nothing is opened before the first."""

    def __init__(self, settings: FileSettings, opener: Opener, *, connection: str, clock: Clock) -> None:
        self._settings, self._opener = settings, opener
        self._connection, self._clock = connection, clock
        self._looks: dict[str, Steady] = {}
        self._lock = threading.Lock()

    def check(self) -> None:
        """Sign in and look into every folder whose name does not depend on the document."""
        settings = self._settings
        folders = [settings.inbox, *settings.inboxes.values(), settings.outbox, *settings.outboxes.values()]
        with signed_in(self._opener, settings.deadline) as session:
            for folder in dict.fromkeys(each for each in folders if each and "{kind}" not in each):
                next(session.entries(folder), None)

    def pull(self, kind: str, cursor: str) -> Iterator[Page]:
        """Yield what lies there, oldest first, in one session."""
        folder = self._folder(self._settings.inbox, self._settings.inboxes, kind)
        if not folder:
            return
        archive = self._settings.archive.replace("{kind}", kind) or joined(folder, "taken")
        with signed_in(self._opener, self._settings.deadline) as session:
            inbox = RemoteInbox(
                session,
                self._settings,
                folder=folder,
                archive=archive,
                steady=self._steady(folder),
                cursor=cursor,
                now=self._clock.now(),
            )
            yield from take(inbox, kind=kind)

    def push(self, out: Outgoing) -> Receipt:
        """Put one document there."""
        (result,) = self.push_many([out])
        if isinstance(result, HubError):
            raise result
        return result

    def push_many(self, outs: Sequence[Outgoing]) -> Sequence[Receipt | HubError]:
        """Put several there; once the line or the server fails, nothing more is sent, as the results say."""
        results: list[Receipt | HubError] = []
        with signed_in(self._opener, self._settings.deadline) as session:
            for out in outs:
                try:
                    folder = self._outbox(out)
                    results.append(RemoteOutbox(session, self._settings, folder, self._connection).put(out))
                except Rejected as error:
                    results.append(error)
                except HubError as error:
                    results.append(error)
                    break
        return [*results, *(_unsent(results[-1]) for _ in outs[len(results) :])]

    def find(self, out: Outgoing) -> Receipt | None:
        """Look for a document by its name and bytes."""
        with signed_in(self._opener, self._settings.deadline) as session:
            return RemoteOutbox(session, self._settings, self._outbox(out), self._connection).find(out)

    def _outbox(self, out: Outgoing) -> str:
        folder = self._folder(self._settings.outbox, self._settings.outboxes, out.kind)
        if not folder:
            raise Rejected(f"{self._connection} has no outbox, so {out.kind} cannot be sent there; set one")
        return folder

    def _folder(self, usual: str, by_kind: dict[str, str], kind: str) -> str:
        return by_kind.get(kind, usual).replace("{kind}", kind)

    def _steady(self, folder: str) -> Steady:
        """Return what earlier looks into a folder found; looks and not ages count, since their clock is not ours."""
        with self._lock:
            return self._looks.setdefault(folder, Steady(None))


def _unsent(failed: Receipt | HubError) -> HubError:
    """Return the result of a document that was not tried because an earlier one failed."""
    if isinstance(failed, Paused):
        return failed
    reason = "its result is not known" if isinstance(failed, InDoubt) else str(failed)
    return RetryLater(f"not sent, because the one before it failed: {reason}")
