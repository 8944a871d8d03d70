"""Out: a document under a temporary name, its size checked, then its name; never over another file."""

from __future__ import annotations

import contextlib
from typing import Literal

from hub.domain.errors import HubError, InDoubt, Problem, Rejected, RetryLater, TooLarge
from hub.domain.message import Outgoing, Receipt
from hub.kit.files import safe_name
from hub.kit.remote.session import Session, joined
from hub.ports.files import FileSettings

State = Literal["free", "ours", "other"]


class RemoteOutbox:
    """One folder of theirs that we put documents in, within one session."""

    def __init__(self, session: Session, settings: FileSettings, folder: str, where: str) -> None:
        self._session, self._settings, self._folder, self._where = session, settings, folder, where

    def put(self, out: Outgoing) -> Receipt:
        """Put a document there, unless it lies there already.

        InDoubt only where the line broke after its name was asked for; Rejected where another file has the name.
        """
        names = self._names(out)
        for name in names:
            state = self._state(name, out.body)
            if state == "ours":
                return Receipt(reference=name)
            if state == "free":
                return self._upload(name, out)
        text = (
            f"{self._path(names[-1])} is there already with other content; nothing was sent. Give file_name a {{key}}"
        )
        text += ", set name_taken to another, or remove theirs"
        raise Rejected([Problem(code="name_taken", text=f"{self._where}: {text}", value=names[-1])])

    def find(self, out: Outgoing) -> Receipt | None:
        """Look for a document; None where its temporary file shows that it never got its name.

        Where there is neither, they may have taken it: Rejected, so that a person decides, or None, as the settings
        say.
        """
        names = self._names(out)
        for name in names:
            if self._state(name, out.body) == "ours":
                return Receipt(reference=name)
        if self._settings.when_gone == "resend" or any(self._session.look(self._part(name)) for name in names):
            return None
        raise Rejected(
            f"{self._where}: neither {self._path(names[0])} nor its temporary file is there; they may have taken it. "
            "Ask them; where they drop repeats of a file, set when_gone to resend"
        )

    def _names(self, out: Outgoing) -> list[str]:
        """Return the names a document may have there, in the order they are tried."""
        given = out.name or f"{out.kind}-{out.key}"
        name = self._settings.file_name
        for word, value in (("{name}", given), ("{kind}", out.kind), ("{key}", out.key)):
            name = name.replace(word, value)
        if self._settings.name_taken == "refuse":
            return [safe_name(name)]
        stem, dot, ending = name.rpartition(".")
        return [safe_name(name), safe_name(f"{stem or name}-{out.key}{dot if stem else ''}{ending if stem else ''}")]

    def _state(self, name: str, body: bytes) -> State:
        found = self._session.look(self._path(name))
        if found is None:
            return "free"
        if found.size != len(body):
            return "other"
        with contextlib.suppress(TooLarge):
            return "ours" if self._session.read(self._path(name), cap=len(body)) == body else "other"
        return "other"

    def _upload(self, name: str, out: Outgoing) -> Receipt:
        part = self._part(name)
        try:
            self._session.write(part, out.body)
            self._prove(part, out.body)
        except HubError:
            with contextlib.suppress(HubError):
                self._session.remove(part)
            raise
        try:
            self._session.rename(part, self._path(name))
        except HubError as error:
            self._judge(name, out, error)
        return Receipt(reference=name)

    def _prove(self, part: str, body: bytes) -> None:
        found = self._session.look(part)
        if found is None or found.size != len(body):
            has = "nothing" if found is None else f"{found.size} bytes"
            raise RetryLater(f"{self._where}: {part} has {has} of {len(body)}; it was not given its name, so try again")

    def _judge(self, name: str, out: Outgoing, error: HubError) -> None:
        """Say what became of a change of name that failed: done after all, not done, or not known."""
        try:
            if self._state(name, out.body) == "ours":
                return
            if self._session.look(self._part(name)) is not None:
                raise error
        except HubError as lost:
            if lost is error:
                raise
        text = f"whether {self._path(name)} got its name is not known ({error}); look before sending it again"
        raise InDoubt(f"{self._where}: {text}") from error

    def _path(self, name: str) -> str:
        return joined(self._folder, name)

    def _part(self, name: str) -> str:
        part = self._settings.temporary.replace("{name}", name)
        return part if "/" in part else joined(self._folder, part)
