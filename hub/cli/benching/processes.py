"""The processes of a run: the hub's as its users start them, the sink, the load; their logs and their peak memory."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hub.domain.errors import RetryLater

START_SECONDS = 60.0
STOP_SECONDS = 40.0
LOOK_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class Started:
    """One process of ours."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


class Processes:
    """Starts processes with one environment, and ends all of them, whatever happens."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = {**os.environ, **environment}
        self.started: list[Started] = []

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        """Ask each to end, newest first; kill what does not."""
        for each in reversed(self.started):
            with suppress(ProcessLookupError):
                each.process.send_signal(signal.SIGTERM)
        for each in reversed(self.started):
            try:
                each.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                each.process.kill()
                each.process.wait()

    def hub(self, *words: str, name: str = "") -> Started:
        """Start `hub WORDS`, as `python -m hub.cli` so that no script has to be on the path."""
        return self.start(name or words[0], [sys.executable, "-m", "hub.cli", *words])

    def start(self, name: str, command: Sequence[str]) -> Started:
        """Start a process whose output goes to a file of its name."""
        log = self.folder / f"{name.replace(' ', '-')}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )  # fmt: skip
        self.started.append(Started(name=name, process=process, log=log))
        return self.started[-1]

    def check(self) -> None:
        """Raise RetryLater, with the end of its log, where one has ended."""
        for each in self.started:
            if each.process.poll() is not None:
                last = each.log.read_text(errors="replace")[-2000:]
                raise RetryLater(f"{each.name} ended with status {each.process.returncode}; it said:\n{last}")

    def wait_ready(self, port: int) -> None:
        """Return when the hub answers that it is ready."""
        for _ in patiently(START_SECONDS, "the hub did not become ready"):
            self.check()
            with suppress(OSError, http.client.HTTPException):
                if ask(port, "/health/ready")[0] == 200:
                    return

    def wait_said(self, each: Started, words: str) -> str:
        """Return the output of a process once it contains some words."""
        for _ in patiently(START_SECONDS, f"{each.name} did not say {words!r}"):
            self.check()
            text = each.log.read_text(errors="replace")
            if words in text:
                return text
        raise AssertionError("unreachable")

    def memory(self) -> dict[str, float]:
        """Return the peak resident memory of each process with its children, in MB; empty where /proc is missing."""
        children = _children()
        found = {}
        for each in self.started:
            peaks = [_peak(pid) for pid in _family(each.process.pid, children)]
            if any(peaks):
                found[each.name] = round(sum(peaks) / 1024, 1)
        return found

    def seconds(self, processes: Sequence[Started]) -> float:
        """Return the processor time that some processes have used with their children; 0 where /proc is missing."""
        children = _children()
        return sum(_used(pid) for each in processes for pid in _family(each.process.pid, children))


def patiently(seconds: float, failure: str) -> Iterator[float]:
    """Yield until the time is over, with a short wait between; then raise RetryLater."""
    end = time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        yield end - now
        time.sleep(LOOK_SECONDS)
    raise RetryLater(f"{failure} within {seconds:.0f} s")


def ask(port: int, path: str) -> tuple[int, bytes]:
    """GET a path of this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
            found.setdefault(parent, []).append(int(entry.parent.name))
    return found


def _family(pid: int, children: Mapping[int, Sequence[int]]) -> Iterator[int]:
    yield pid
    for child in children.get(pid, ()):
        yield from _family(child, children)


def _used(pid: int) -> float:
    with suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _peak(pid: int) -> int:
    """Return the peak in KB."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0
