"""PostgreSQL clusters of a test's own: started, copied to a standby, killed and promoted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.faults.driver import free_port, until

USER = "postgres"
SETTINGS = (
    "listen_addresses=127.0.0.1", "fsync=off", "full_page_writes=off", "max_connections=60",
    "wal_retrieve_retry_interval=200ms",
)  # fmt: skip
"""Processes are killed here, machines are not: what was written to the operating system stays."""


def programs() -> Path:
    """Return the folder of PostgreSQL's own programs; skips where there is none, or nobody to run them as."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = str(folders[-1]) if folders else shutil.which("initdb")
    if found is None:
        pytest.skip("there is no initdb on this machine; install the package postgresql")
    if os.getuid() == 0 and shutil.which("runuser") is None:
        pytest.skip("PostgreSQL does not run as root and there is no runuser")
    return Path(found).parent


def call(program: str, *arguments: str, **environment: str) -> None:
    """Run one of PostgreSQL's programs as somebody it accepts."""
    given = [str(programs() / program), *arguments]
    command = ["runuser", "-u", USER, "--", *given] if os.getuid() == 0 else given
    done = subprocess.run(
        command, cwd="/", env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{program}: {done.stdout.decode()[-2000:]}"


class Cluster:
    """One server on a free port of 127.0.0.1, whose files lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        settings = (*SETTINGS, f"port={self.port}", f"unix_socket_directories={self.folder}")
        options = " ".join(f"-c {each}" for each in settings)
        # Its output goes to a file: a server that kept our pipe would keep whoever reads it waiting.
        call("pg_ctl", "-D", str(self.folder), "-l", str(self.folder / "log"), "-w", "-t", "30", "-o", options, "start")

    def run(self, *statements: str, database: str = "postgres") -> Any:
        """Run statements one by one; return the first row of the last, None where it has none."""
        address = f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"
        with psycopg.connect(address, autocommit=True, connect_timeout=5) as line:
            for statement in statements:
                done = line.execute(statement.encode())
            return done.fetchone() if done.description else None

    def promote(self) -> None:
        """Make a standby the server that takes writes."""
        call("pg_ctl", "-D", str(self.folder), "-w", "-t", "30", "promote")

    @property
    def pid(self) -> int:
        """Return the id of its first process, 0 where none runs."""
        file = self.folder / "postmaster.pid"
        try:
            return int(file.read_text().split()[0])
        except (OSError, IndexError, ValueError):
            return 0

    def kill(self) -> None:
        """End it as a power cut ends it: every process of it at once, nothing is finished."""
        pid = self.pid
        if not pid:
            return
        children = [
            int(each) for path in Path(f"/proc/{pid}/task").glob("*/children") for each in path.read_text().split()
        ]
        for each in (pid, *children):
            try:
                os.kill(each, signal.SIGKILL)
            except ProcessLookupError:
                continue
        until(lambda: not Path(f"/proc/{pid}").exists(), 10, "the server to be gone")
        (self.folder / "postmaster.pid").unlink(missing_ok=True)


@contextmanager
def clusters(folder: Path) -> Iterator[tuple[Cluster, Cluster]]:
    """Yield a running cluster and one whose folder is empty; both are killed in the end."""
    folder.chmod(0o755)
    for above in list(folder.parents)[:3]:
        if above.stat().st_uid == os.getuid():
            above.chmod(above.stat().st_mode | 0o011)
    both = Cluster(folder / "first"), Cluster(folder / "second")
    for each in both:
        each.folder.mkdir(mode=0o700)
        if os.getuid() == 0:
            shutil.chown(each.folder, USER, USER)
    try:
        first = both[0]
        call("initdb", "-D", str(first.folder), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        first.start()
        yield both
    finally:
        for each in both:
            each.kill()
