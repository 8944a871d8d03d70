"""Keys for the tests of AS2, made once, and `openssl cms` as the judge that nobody here wrote."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from connectors.as2.keys import Certificate, Identity, read_identities

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""Where the tests' clock stands."""


def pem(name: str, *, days: int = 365, since: int = -30, bits: int = 2048) -> str:
    """Return a key and its self-signed certificate, made once per name and dates (in days from NOW)."""
    return _made(name, days, since, bits)


@lru_cache(maxsize=64)
def _made(name: str, days: int, since: int, bits: int) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=since))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private + certificate.public_bytes(Encoding.PEM).decode()


def certificate_pem(name: str, **dates: int) -> str:
    """Return the certificate of a name alone."""
    text = pem(name, **dates)
    return text[text.index("-----BEGIN CERTIFICATE") :]


def identity(name: str, **dates: int) -> Identity:
    """Return the key and certificate of a name."""
    return read_identities(pem(name, **dates))[0]


def certificate(name: str, **dates: int) -> Certificate:
    """Return the certificate of a name."""
    return identity(name, **dates).certificate


@dataclass
class OpenSsl:
    """`openssl cms` in a folder of its own, with the keys of all names that were asked for."""

    folder: Path

    def key(self, name: str) -> str:
        """Return the path of a name's key and certificate."""
        file = self.folder / f"{name}.pem"
        file.write_text(pem(name), encoding="ascii")
        return str(file)

    def cms(self, given: bytes, *arguments: str) -> bytes:
        """Run one command over bytes and return its output; where it refuses, the test fails with its words."""
        done = self.run(given, *arguments)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def run(self, given: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run one command over bytes."""
        command = ["openssl", "cms", *arguments]
        return subprocess.run(command, input=given, capture_output=True, check=False, timeout=60, cwd=self.folder)

    def decrypt(self, der: bytes, name: str) -> bytes:
        """Return what was encrypted for a name."""
        return self.cms(der, "-decrypt", "-inform", "DER", "-inkey", self.key(name), "-recip", self.key(name))

    def verify(self, entity: bytes, name: str) -> bytes:
        """Return what a multipart/signed entity's signature by a name covers, once openssl has verified it.

        It is cut at its boundaries here: openssl reads MIME line by line and changes what is binary.
        """
        head, body = entity.split(b"\r\n\r\n", 1)
        found = re.search(rb'boundary="([^"]+)"', head)
        assert found is not None
        before, content, signature, after = re.split(rb"(?:^|\r\n)--" + re.escape(found[1]), body)
        assert (before, after) == (b"", b"--\r\n")
        covered = self.folder / "content"
        covered.write_bytes(content.removeprefix(b"\r\n"))
        der = base64.b64decode(signature.split(b"\r\n\r\n", 1)[1])
        return self.verify_detached(der, covered.read_bytes(), name)

    def verify_detached(self, der: bytes, content: bytes, name: str) -> bytes:
        """Return the content, once openssl has verified a detached signature over it."""
        covered = self.folder / "content"
        covered.write_bytes(content)
        return self.cms(der, "-verify", "-inform", "DER", "-binary", "-content", str(covered), *self.trusted(name))

    def trusted(self, name: str) -> tuple[str, ...]:
        """Return the arguments that make openssl trust a name today."""
        return ("-CAfile", self.key(name), "-attime", str(int(NOW.timestamp())), "-purpose", "any")


@pytest.fixture(scope="session")
def openssl(tmp_path_factory: pytest.TempPathFactory) -> OpenSsl:
    """The judge."""
    return OpenSsl(tmp_path_factory.mktemp("openssl"))


@pytest.fixture
def trade(tmp_path: Path, database_url: str) -> Iterator[Callable[..., Any]]:
    """Founds a hub and its partner; in the end the record must hold together."""
    from .trade import trading

    with ExitStack() as stack:

        def found(*settings: str, **changes: Any) -> Any:
            return stack.enter_context(trading(tmp_path, database_url, *settings, **changes))

        yield found
