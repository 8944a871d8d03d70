"""Which algorithms there are, how each is called in MIME, CMS and `cryptography`, and which are too weak to send."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives import hashes

from connectors.as2.failures import Unusable

Digest = Literal["sha256", "sha384", "sha512"]
Cipher = Literal["aes128-cbc", "aes192-cbc", "aes256-cbc", "aes128-gcm", "aes192-gcm", "aes256-gcm"]
Transport = Literal["pkcs1", "oaep"]
Weak = Literal["sha1", "md5", "3des"]

HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha1": hashes.SHA1(),
    "md5": hashes.MD5(),
}
WEAK = frozenset({"sha1", "md5", "3des"})
_MIME = {"sha256": "sha-256", "sha384": "sha-384", "sha512": "sha-512", "sha1": "sha1", "md5": "md5"}
_PLAIN = {"sha1": "sha1", "sha256": "sha256", "sha384": "sha384", "sha512": "sha512", "md5": "md5"}


@dataclass(frozen=True, kw_only=True)
class CipherFacts:
    """A content cipher: its name in asn1crypto, key length in bytes, and whether it proves integrity itself."""

    name: str
    key: int
    gcm: bool = False


CIPHERS: Mapping[str, CipherFacts] = {
    f"aes{bits}-{mode}": CipherFacts(name=f"aes{bits}_{mode}", key=bits // 8, gcm=mode == "gcm")
    for bits in (128, 192, 256)
    for mode in ("cbc", "gcm")
}


def in_mime(digest: str) -> str:
    """Return a digest as RFC 5751 writes it in `micalg`: sha-256."""
    return _MIME[digest]


def from_mime(name: str) -> str:
    """Return our name of a digest however it is spelt (SHA-256, sha256); empty where it is none of ours."""
    return _PLAIN.get(name.strip().lower().replace("-", "").replace("_", ""), "")


def digest_of(content: bytes, digest: str) -> bytes:
    """Return the digest of bytes."""
    hasher = hashes.Hash(HASHES[digest])
    hasher.update(content)
    return hasher.finalize()


def check_strength(algorithm: str, allowed: Collection[str], where: str) -> None:
    """Raise where a weak algorithm was used that the connection does not allow."""
    if algorithm in WEAK and algorithm not in allowed:
        raise Unusable(
            "unsupported format",
            f"{where} uses {algorithm}, which is too weak",
            f"ask the partner for SHA-256 and AES, or allow {algorithm} in this connection's setting accept_weak",
        )
