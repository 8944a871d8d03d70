"""Tryton 8.2 for tests: a seeded SQLite database that is made once, a server, and a fresh copy for each test."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PEER = ROOT / ".peers" / "tryton"
SEED = Path(__file__).with_name("tryton_seed.py")
KEY = "K" * 64
MODULES = "sale stock account_invoice account_invoice_stock"
BUILD_SECONDS, BOOT_SECONDS = 240, 60
CONFIG = """[database]
uri = sqlite://
path = {path}
[web]
listen = 127.0.0.1:{port}
[session]
authentications = password
timeout = 0
"""
"""Without a session timeout the server looks for new databases at once."""


@dataclass(kw_only=True)
class Erp:
    """A database on a running server."""

    url: str
    port: int
    database: str
    key: str = KEY

    def rest(self, method: str, path: str, data: Any = None) -> Any:
        """Call its REST as somebody other than the hub would, without any of the hub's code."""
        context = base64.urlsafe_b64encode(b'{"company": 1, "companies": [1]}').decode()
        request = urllib.request.Request(
            f"{self.url}/{self.database}/rest/model/{path}",
            method=method,
            data=None if data is None else json.dumps(data).encode(),
            headers={
                "Authorization": f"bearer {self.key}",
                "Content-Type": "application/json",
                "X-Tryton-Context": context,
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from None

    def sales(self) -> list[dict[str, Any]]:
        """Return every sale with its lines, oldest first."""
        names = [
            "number",
            "state",
            "reference",
            "description",
            "total_amount",
            "party.code",
            "lines.product.code",
            "lines.quantity",
        ]
        fields = "&".join(f"f={name}" for name in [*names, "lines.unit_price", "invoices.id", "shipment_address.city"])
        order = base64.urlsafe_b64encode(b'[["id", "ASC"]]').decode()
        found: list[dict[str, Any]] = self.rest("GET", f"sale.sale?{fields}&o={order}")
        return found


@dataclass(kw_only=True)
class Server:
    """A running server; `folder` holds its databases."""

    folder: Path
    port: int
    seeded: Path
    made: int = 0

    def fresh(self) -> Erp:
        """Return a copy of the seeded database."""
        self.made += 1
        name = f"erp{self.made}"
        shutil.copyfile(self.seeded, self.folder / f"{name}.sqlite")
        return Erp(url=f"http://127.0.0.1:{self.port}", port=self.port, database=name)


@contextmanager
def tryton_server() -> Iterator[Server]:
    """Run trytond on a free port until the block ends; skips where `make peers` was not run."""
    if not (PEER / ".stamp").is_file():
        pytest.skip("there is no .peers/tryton; `make peers` builds it")
    seeded = _seeded()
    with tempfile.TemporaryDirectory(prefix="tryton-") as name:
        folder, port = Path(name), _free_port()
        conf = folder / "trytond.conf"
        conf.write_text(CONFIG.format(path=folder, port=port))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([PEER / "bin" / "trytond", "-c", conf], stdout=log, stderr=log, cwd=folder)
            try:
                _wait_for(port, process, folder / "log")
                yield Server(folder=folder, port=port, seeded=seeded)
            finally:
                _end(process)


def _seeded() -> Path:
    """Return the seeded database, made at the first use and again when the seed or the versions change."""
    said = hashlib.sha256(SEED.read_bytes() + (ROOT / "tests/peers/tryton.txt").read_bytes() + MODULES.encode())
    kept = ROOT / ".peers" / f"tryton-{said.hexdigest()[:12]}.sqlite"
    if kept.is_file():
        return kept
    with tempfile.TemporaryDirectory(prefix="tryton-seed-", dir=kept.parent) as name:
        folder = Path(name)
        conf = folder / "trytond.conf"
        conf.write_text(CONFIG.format(path=folder, port=0))
        (folder / "password").write_text("a-password-nobody-uses\n")
        (folder / "seed.sqlite").touch()
        admin = [PEER / "bin" / "trytond-admin", "-c", conf, "-d", "seed", "--email", "admin@erp.example"]
        _run([*admin, "-u", *MODULES.split(), "--activate-dependencies"], folder)
        _run([PEER / "bin" / "python", SEED, conf, "seed", KEY], folder)
        os.replace(folder / "seed.sqlite", kept)
    return kept


def _run(command: Sequence[str | Path], folder: Path) -> None:
    environment = {**os.environ, "TRYTONPASSFILE": str(folder / "password")}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
    assert done.returncode == 0, f"{command[0]} failed: {done.stderr[-2000:]}"


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers, at most a minute; a server that ended says why."""
    pause, ends = threading.Event(), monotonic() + BOOT_SECONDS
    while monotonic() < ends:
        assert process.poll() is None, f"trytond ended: {log.read_text()[-2000:]}"
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
            return
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            pause.wait(0.1)
    raise AssertionError(f"trytond did not answer within {BOOT_SECONDS} s: {log.read_text()[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
