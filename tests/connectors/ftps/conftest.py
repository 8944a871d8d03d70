"""FTPS servers: the simulator in this process, and pyftpdlib."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors import ftps
from connectors.ftps.simulator import Partner, serve
from hub.kit.kit import HubKit
from hub.sdk import Endpoint, FileExchange, Secret
from hub.testing.fakes import FakeClock, fake_kit
from tests.connectors.cutter import Cutter
from tests.connectors.file_exchange import There

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".peers/pyftpdlib/bin/python"
SCRIPT = ROOT / "tests/peers/pyftpdlib_peer.py"
EVERYTHING = "elradfmw"


def certificate(folder: Path, name: str = "theirs", address: str = "127.0.0.1") -> tuple[Path, Path]:
    """Write a self-signed certificate for an address and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "partner.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    return folder / f"{name}.pem", folder / f"{name}.key"


@contextmanager
def opening(tmp_path: Path, root: Path, port: int, vouched: Path) -> Iterator[There]:
    """Make what tests use of a server that runs."""
    for folder in ("in", "out", "ack"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    clock = FakeClock()
    via: list[Cutter] = []
    kit = Kit(fake_kit(tmp_path / "var", clock=clock), port, via)
    account: dict[str, Any] = {
        "host": "127.0.0.1", "port": port, "user": "northwind", "password": Secret("correct horse"), "deadline": 10,
        "authorities": (vouched.read_text(),),
    }  # fmt: skip

    def opened(**settings: Any) -> FileExchange:
        return ftps.opened(ftps.Settings(**{**account, **settings}), kit)  # type: ignore[arg-type]

    yield There(root=root, port=port, opened=opened, at=clock, via=via)


class Kit:
    """The kit, but data lines go through the cutter as well."""

    def __init__(self, kit: HubKit, port: int, via: list[Cutter]) -> None:
        self._kit, self._port, self._via = kit, port, via

    def endpoint(self, host: str, port: int) -> Endpoint:
        """Return an address; while there is a cutter, that of a data line is the cutter's."""
        is_data = bool(self._via) and port not in (self._port, self._via[0].port)
        return self._kit.endpoint(host, self._via[0].to(port) if is_data else port)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kit, name)


@pytest.fixture
def partner(tmp_path: Path) -> Partner:
    """Their server's disk and rules."""
    cert, key = certificate(tmp_path)
    return Partner(root=tmp_path / "theirs", certificate=cert, key=key)


@pytest.fixture
def simulated(partner: Partner, tmp_path: Path) -> Iterator[There]:
    """The simulator."""
    with serve(partner) as port, opening(tmp_path, partner.root, port, partner.certificate) as there:
        yield there


@pytest.fixture
def pyftpdlib(tmp_path: Path) -> Iterator[There]:
    """The server that nobody here wrote."""
    with running(tmp_path) as there:
        yield there


@contextmanager
def running(folder: Path, mode: str = "explicit", rights: str = EVERYTHING) -> Iterator[There]:
    """Run pyftpdlib in its own environment."""
    if not PYTHON.exists():
        pytest.skip("pyftpdlib is not installed under .peers/pyftpdlib; make peers")
    cert, key = certificate(folder)
    root = folder / "theirs"
    root.mkdir()
    command = [str(PYTHON), str(SCRIPT), str(root), str(cert), str(key), mode, rights]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline()
            assert port, (folder / "log").read_text()
            with opening(folder, root, int(port), cert) as there:
                there.hides_links = False
                yield there
        finally:
            process.terminate()
            process.wait(timeout=10)
