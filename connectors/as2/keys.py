"""Keys and certificates: read from PEM or PKCS#12, chosen by date, named for people.

Several of each are valid side by side while one is changed for the next: whoever reads tries them all, whoever writes
takes the first that is valid today.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs12

_KEY = re.compile(rb"-----BEGIN (?P<kind>(?:RSA |ENCRYPTED )?PRIVATE KEY)-----.+?-----END (?P=kind)-----", re.DOTALL)
LEAST_BITS = 2048


class BadKey(ValueError):
    """A key or certificate in the settings that cannot be used; the text says which and why."""


@dataclass(frozen=True)
class Certificate:
    """A pinned certificate."""

    x509: x509.Certificate

    @cached_property
    def der(self) -> bytes:
        """Return the certificate as it is sent."""
        return self.x509.public_bytes(Encoding.DER)

    @cached_property
    def issuer(self) -> bytes:
        """Return the issuer's name, DER."""
        return self.x509.issuer.public_bytes()

    @property
    def serial(self) -> int:
        """Return the serial number."""
        return self.x509.serial_number

    @cached_property
    def key_id(self) -> bytes:
        """Return the subject key identifier; empty where the certificate has none."""
        try:
            return self.x509.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        except (x509.ExtensionNotFound, ValueError):
            return b""

    @cached_property
    def public_key(self) -> RSAPublicKey:
        """Return its RSA key."""
        key = self.x509.public_key()
        if not isinstance(key, RSAPublicKey):
            raise BadKey(f"certificate {self} has no RSA key; AS2 needs one")
        return key

    @property
    def until(self) -> datetime:
        """Return the last instant of its validity, in UTC."""
        return self.x509.not_valid_after_utc

    def is_valid(self, at: datetime) -> bool:
        """Say whether its dates include an instant."""
        return self.x509.not_valid_before_utc <= at <= self.until

    def __str__(self) -> str:
        return f"{self.x509.subject.rfc4514_string()[:120]} (serial {self.serial:x}, until {self.until:%Y-%m-%d})"


@dataclass(frozen=True)
class Identity:
    """A private key with its certificate."""

    key: RSAPrivateKey
    certificate: Certificate

    def __repr__(self) -> str:
        return f"Identity({self.certificate})"


@lru_cache(maxsize=256)
def read_certificates(pem: str) -> tuple[Certificate, ...]:
    """Return every certificate of a PEM text, in its order; BadKey where there is none or one is not RSA."""
    try:
        found = tuple(Certificate(each) for each in x509.load_pem_x509_certificates(pem.encode()))
    except ValueError as error:
        raise BadKey(f"no certificate can be read from the PEM text that begins {pem[:40]!r} ({error})") from error
    for each in found:
        if each.public_key.key_size < LEAST_BITS:
            raise BadKey(f"certificate {each} has {each.public_key.key_size} bits; at least {LEAST_BITS} are needed")
    return found


def read_identities(secret: str, password: str = "") -> tuple[Identity, ...]:
    """Return every key of a PEM text, or of a PKCS#12 file in base64, that has its certificate beside it."""
    if "-----BEGIN" in secret:
        return _from_pem(secret.encode(), password)
    return _from_pkcs12(secret, password)


def _from_pem(pem: bytes, password: str) -> tuple[Identity, ...]:
    keys = [_private(match.group(0), password) for match in _KEY.finditer(pem)]
    certificates = read_certificates(pem.decode("latin-1")) if b"BEGIN CERTIFICATE" in pem else ()
    found = [_paired(key, certificates) for key in keys]
    if not found:
        raise BadKey("there is no private key in the PEM text; it must hold the key and its certificate")
    return tuple(found)


def _private(pem: bytes, password: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(pem, password.encode() if b"ENCRYPTED" in pem else None)
    except (ValueError, TypeError) as error:
        raise BadKey(f"the private key cannot be read; check it and its password ({error})"[:300]) from error
    if not isinstance(key, RSAPrivateKey):
        raise BadKey("the private key is no RSA key; AS2 needs one")
    return key


def _paired(key: RSAPrivateKey, certificates: Iterable[Certificate]) -> Identity:
    numbers = key.public_key().public_numbers()
    for each in certificates:
        if each.public_key.public_numbers() == numbers:
            return Identity(key, each)
    raise BadKey("a private key stands without its certificate; put the certificate into the same PEM text")


def _from_pkcs12(secret: str, password: str) -> tuple[Identity, ...]:
    try:
        raw = base64.b64decode("".join(secret.split()), validate=True)
        key, certificate, _ = pkcs12.load_key_and_certificates(raw, password.encode() or None)
    except (ValueError, binascii.Error) as error:
        raise BadKey("the key is neither PEM nor PKCS#12 in base64, or its password is wrong") from error
    if not isinstance(key, RSAPrivateKey) or certificate is None:
        raise BadKey("the PKCS#12 file must hold an RSA key and its certificate")
    return (_paired(key, [Certificate(certificate)]),)


def first_valid(certificates: Sequence[Certificate], at: datetime) -> Certificate | None:
    """Return the first whose dates include an instant."""
    return next((each for each in certificates if each.is_valid(at)), None)


def first_identity(identities: Sequence[Identity], at: datetime) -> Identity | None:
    """Return the first whose certificate is valid at an instant."""
    return next((each for each in identities if each.certificate.is_valid(at)), None)
