"""SFTP servers: the simulator in this process, and OpenSSH's."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from connectors import sftp
from connectors.sftp.simulator import Partner, serve
from hub.sdk import FileExchange, Secret
from hub.testing.fakes import FakeClock, fake_kit
from tests.connectors.file_exchange import There

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {keys}/host
PidFile none
AuthorizedKeysFile {keys}/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
Subsystem sftp internal-sftp -d {root}
"""


@contextmanager
def opening(tmp_path: Path, root: Path, port: int, account: dict[str, Any]) -> Iterator[There]:
    """Make what tests use of a server that runs."""
    for folder in ("in", "out", "ack"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    clock = FakeClock()
    kit = fake_kit(tmp_path / "var", clock=clock)

    def opened(**settings: Any) -> FileExchange:
        given = {"host": "127.0.0.1", "port": port, "deadline": 10, **account, **settings}
        return sftp.opened(sftp.Settings(**given), kit)

    yield There(root=root, port=port, opened=opened, at=clock)


@pytest.fixture
def partner(tmp_path: Path) -> Partner:
    """Their server's disk and rules."""
    return Partner(root=tmp_path / "theirs")


@pytest.fixture
def simulated(partner: Partner, tmp_path: Path) -> Iterator[There]:
    """The simulator."""
    account = {"user": partner.user, "password": Secret(partner.password), "host_keys": (partner.fingerprint,)}
    with serve(partner) as port, opening(tmp_path, partner.root, port, account) as there:
        yield there


def keygen(place: Path, *more: str) -> Path:
    """Make a key as a person would."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place), *more], check=True)
    return place


@pytest.fixture
def openssh(tmp_path: Path) -> Iterator[There]:
    """OpenSSH's server with a configuration of its own, as this user."""
    with running_sshd(tmp_path) as there:
        yield there


@contextmanager
def running_sshd(folder: Path, more: Sequence[str] = ()) -> Iterator[There]:
    """Run sshd on a free port; `more` are lines of its configuration."""
    if SSHD is None or shutil.which("ssh-keygen") is None:
        pytest.skip("sshd is not installed (Debian: apt-get install openssh-server)")
    keys, root = folder / "keys", folder / "theirs"
    keys.mkdir()
    root.mkdir()
    host, ours = keygen(keys / "host"), keygen(keys / "ours")
    (keys / "authorized").write_bytes((keys / "ours.pub").read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    text = CONFIG.format(port=port, keys=keys, root=root) + "\n".join(more)
    (keys / "config").write_text(text)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    command = [SSHD, "-D", "-e", "-f", str(keys / "config")]
    account = {
        "user": _user(),
        "private_key": Secret(ours.read_text()),
        "host_keys": ((keys / "host.pub").read_text().strip(),),
    }
    assert host.exists()
    with (keys / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            _await(port, process, keys / "log")
            with opening(folder, root, port, account) as there:
                yield there
        finally:
            process.terminate()
            process.wait(timeout=10)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here (root and tmpfs are needed)")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def _user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as line:
            if line.recv(4) == b"SSH-":
                return
        time.sleep(0.02)
    raise AssertionError(f"sshd did not answer: {log.read_text()}")
