"""A partner at the other end of two folders: for tests, the demo and sandbox mode. The connector never imports it."""

from __future__ import annotations

from pathlib import Path


class Partner:
    """Puts files into our inbox and picks up from our outbox, as a well-behaved partner does: whole files only."""

    def __init__(self, inbox: Path, outbox: Path) -> None:
        self.inbox, self.outbox = inbox, outbox
        self.picked: dict[str, bytes] = {}
        """What was picked up, by file name; a name that was seen before is a repeat and is dropped."""
        self.repeats = 0

    def put(self, name: str, body: bytes) -> Path:
        """Write beside and rename."""
        self.inbox.mkdir(parents=True, exist_ok=True)
        part = self.inbox / f".{name}.part"
        part.write_bytes(body)
        return part.rename(self.inbox / name)

    def pick_up(self) -> list[str]:
        """Take what lies in the outbox and return the names that are new, oldest first."""
        fresh = []
        files = [each for each in self.outbox.glob("[!.]*") if each.is_file()] if self.outbox.is_dir() else []
        for file in sorted(files, key=lambda each: (each.stat().st_mtime_ns, each.name)):
            if file.name in self.picked:
                self.repeats += 1
            else:
                self.picked[file.name] = file.read_bytes()
                fresh.append(file.name)
            file.unlink()
        return fresh
