"""A PostgreSQL whose disk is full: what is answered with yes is kept, and it goes on once there is room."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.clusters import Cluster, clusters
from tests.faults.driver import System, order_body, running, until

pytestmark = pytest.mark.faults
SIZE = "200m"
LEFT = 1_500_000
"""Bytes that are left on the disk before orders come."""
FULL = (503, 507)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of this test's own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.getuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Take what room there is; return the file to remove when there should be room again."""
    filler = disk / "filler"
    size = shutil.disk_usage(disk).free - LEFT
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)
    return filler


def large_order(name: str) -> bytes:
    """Return an order of 150 KB that does not grow smaller where it is stored."""
    return order_body(name, notes=[random.Random(name).randbytes(75_000).hex()])


def serve(cluster: Cluster) -> None:
    """Start the server where a full disk ended it."""
    try:
        cluster.run("SELECT 1")
    except Exception:
        cluster.kill()
        cluster.start()


def test_on_a_full_disk_nothing_is_accepted_that_is_not_kept(disk: Path, tmp_path: Path) -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server on this machine")
    with clusters(disk) as (first, _):
        first.run("CREATE DATABASE hub")
        url = f"postgresql://postgres@127.0.0.1:{first.port}/hub"
        with running("postgres", url, tmp_path) as system:
            system.web()
            assert system.post(order_body("F-0"), "event-0") == 202
            filler = fill(disk)
            answers = until_refused(system)
            # then what was answered with yes is kept, whole, and nothing else is
            filler.unlink()
            serve(first)
            kept = "SELECT event_id FROM messages WHERE event_id <> 'event-0' ORDER BY id"
            until(lambda: system.post(order_body("F-0"), "event-0") == 200, 30, "the hub to answer again")
            assert [row[0] for row in system.rows(kept)] == [each for each, status in answers if status == 202]
            # and what was refused is taken when it comes again
            names = ["F-0", *(each.removeprefix("event-") for each, _ in answers)]
            for name in names[1:]:
                system.send(large_order(name), f"event-{name}")
            system.worker()
            system.quiet(40)
            system.verify(names)


def until_refused(system: System) -> list[tuple[str, int]]:
    """Send orders until three in a row were refused; return (event, status) of each."""
    answers: list[tuple[str, int]] = []
    refused = 0
    while refused < 3:
        name = f"F-{len(answers) + 1}"
        status = system.post(large_order(name), f"event-{name}")
        answers.append((f"event-{name}", status))
        refused = 0 if status == 202 else refused + 1
        assert len(answers) < 200, "the disk does not fill"
    assert {status for _, status in answers} <= {202, *FULL}
    return answers
