"""In: the whole files of one folder of theirs, put away or remembered once they were stored."""

from __future__ import annotations

import fnmatch
import hashlib
import heapq
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from hub.domain.errors import Paused, RetryLater, TooLarge
from hub.kit.remote.session import Session, joined
from hub.kit.steady import Steady
from hub.kit.taking import Taken
from hub.ports.files import FileSettings, RemoteFile

MOST_LISTED = 100_000
"""No more of a folder is listed: a look's memory has a bound."""


class RemoteInbox:
    """One look into one folder."""

    def __init__(
        self,
        session: Session,
        settings: FileSettings,
        *,
        folder: str,
        archive: str,
        steady: Steady,
        cursor: str,
        now: datetime,
    ) -> None:
        self._session, self._settings = session, settings
        self._folder, self._archive = folder, archive
        self._steady, self._now = steady, now.timestamp()
        self._known = frozenset(cursor.split())
        self._still: set[str] = set()
        """What the cursor knows and lies there still: the rest need not be remembered."""
        self._found: dict[str, RemoteFile] = {}

    def ready(self) -> Iterable[str]:
        """Return names of whole files, oldest first, at most as many as one look may take.

        Links, folders and names that begin with a dot are left alone.
        """
        listed = self._listed()
        names = {file.name for file in listed}
        wanted = [file for file in listed if self._is_wanted(file, names)]
        whole = self._whole(wanted)
        chosen = heapq.nsmallest(self._settings.most_files, whole, key=lambda file: (file.changed, file.name))
        self._found = {file.name: file for file in chosen}
        return [file.name for file in chosen]

    def read(self, name: str) -> Taken | None:
        """Return a file; None where it was written to since it was listed, or while it was read."""
        file = self._found[name]
        if file.size > self._settings.cap:
            raise TooLarge(f"{joined(self._folder, name)} has more than {self._settings.cap} bytes; it stays there")
        body = self._session.read(joined(self._folder, name), cap=self._settings.cap)
        if not self._is_as_listed(file):
            return None
        if len(body) != file.size:
            raise RetryLater(f"of {joined(self._folder, name)} came {len(body)} of {file.size} bytes; it stays there")
        return Taken(name, body, file.stamp)

    def has(self, name: str) -> bool:
        """Say whether it is still there: a file that they took back is no failure."""
        return self._session.look(joined(self._folder, name)) is not None

    def put_away(self, file: Taken) -> None:
        """Move or delete it; one that was written again since stays for the next look.

        The marker goes first: one left over would vouch for the next file of that name while it is being written.
        """
        if self._settings.after == "leave" or not self._is_as_listed(self._found[file.name]):
            return
        if self._settings.ready == "marker":
            self._session.remove(joined(self._folder, self._marker(file.name)))
        if self._settings.after == "delete":
            self._session.remove(joined(self._folder, file.name))
        else:
            self._move(file)
        self._steady.forget(file.name)

    def cursor(self, files: Sequence[Taken]) -> str:
        """Return the marks of all files that were taken and left, these included; empty where none are left."""
        if self._settings.after != "leave":
            return ""
        self._still |= {_mark(file.name, file.stamp) for file in files}
        return " ".join(sorted(self._still))

    def _listed(self) -> list[RemoteFile]:
        listed = list(islice(self._session.entries(self._folder), MOST_LISTED + 1))
        if len(listed) > MOST_LISTED:
            raise Paused(
                f"{self._folder or 'the folder after sign-in'} has more than {MOST_LISTED} files; clear it up, or take "
                "files away once they were taken in (after = archive or delete)"
            )
        if self._settings.after == "leave":
            self._still = {mark for file in listed if (mark := _mark(file.name, file.stamp)) in self._known}
        return listed

    def _is_wanted(self, file: RemoteFile, names: set[str]) -> bool:
        settings = self._settings
        if not self._is_asked(file.name):
            return False
        if settings.after == "leave" and _mark(file.name, file.stamp) in self._known:
            return False
        return settings.ready != "marker" or self._marker(file.name) in names

    def _is_asked(self, name: str) -> bool:
        is_plain = not name.startswith(".") and "/" not in name and "\\" not in name and name.isprintable()
        return is_plain and any(fnmatch.fnmatchcase(name, pattern) for pattern in self._settings.patterns)

    def _whole(self, files: Sequence[RemoteFile]) -> Sequence[RemoteFile]:
        if self._settings.ready == "marker":
            return files
        if self._settings.ready == "old":
            return [file for file in files if self._now - file.changed >= self._settings.old_after]
        by_name = {file.name: file for file in files}
        looks = ((file.name, (file.size, file.changed * 1_000_000_000)) for file in files)
        return [by_name[name] for name in self._steady.ready(looks, self._now, self._is_asked)]

    def _marker(self, name: str) -> str:
        stem = name.rpartition(".")[0] or name
        return self._settings.marker.replace("{name}", name).replace("{stem}", stem)

    def _is_as_listed(self, file: RemoteFile) -> bool:
        now = self._session.look(joined(self._folder, file.name))
        return now is not None and now.stamp == file.stamp

    def _move(self, file: Taken) -> None:
        """Move it to the archive, beside one of its name that lies there."""
        self._session.make(self._archive)
        to = joined(self._archive, file.name)
        if self._session.look(to) is not None:
            to = f"{to}.{hashlib.sha256(file.body).hexdigest()[:8]}.{file.stamp}"
        self._session.rename(joined(self._folder, file.name), to)


def _mark(name: str, stamp: str) -> str:
    return hashlib.sha256(f"{name}\0{stamp}".encode()).hexdigest()[:16]
