"""From a payload to what goes over the wire: compress, sign and encrypt in the agreed order (RFC 4130, 5402)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from connectors.as2 import mime
from connectors.as2.algorithms import Transport, digest_of, in_mime
from connectors.as2.keys import Certificate, Identity
from connectors.as2.mime import Entity
from connectors.as2.packing import compress
from connectors.as2.sealing import encrypt
from connectors.as2.signing import sign

Step = Literal["compress", "sign", "encrypt"]
Encoding = Literal["binary", "base64"]


@dataclass(frozen=True, kw_only=True)
class Payload:
    """What is to be sent: its bytes, their type, and the file name that goes along; `key` is the delivery's."""

    body: bytes
    content_type: str
    name: str = ""
    key: str = ""
    encoding: Encoding = "binary"


@dataclass(frozen=True, kw_only=True)
class Means:
    """With what: our signing key, their certificates, the algorithms."""

    identity: Identity | None = None
    certificates: Sequence[Certificate] = ()
    digest: str = "sha256"
    cipher: str = "aes256-cbc"
    transport: Transport = "pkcs1"


@dataclass(frozen=True, kw_only=True)
class Wrapped:
    """An entity that is ready to go, and the bytes whose digest the receiver must report."""

    entity: Entity
    checked: bytes

    def mic(self, digest: str) -> bytes:
        """Return the message integrity check that the receiver must come to."""
        return digest_of(self.checked, digest)


def wrap(payload: Payload, steps: Sequence[Step], means: Means) -> Wrapped:
    """Apply the steps in their order. Nothing but encryption depends on chance."""
    entity = entity_of(payload)
    checked = checked_bytes(payload, steps)
    for step in steps:
        if step == "compress":
            entity = _compressed(entity, payload)
        else:
            entity = (_signed if step == "sign" else _encrypted)(entity, payload, means)
    return Wrapped(entity=entity, checked=checked)


def checked_bytes(payload: Payload, steps: Sequence[Step]) -> bytes:
    """Return what the MIC covers (RFC 4130 7.3.1, RFC 5402 4): the same that `wrap` signs, without signing."""
    entity = entity_of(payload)
    if not steps:
        return entity.body
    if "sign" in steps and steps[0] == "compress":
        return _compressed(entity, payload).raw
    return entity.raw


def entity_of(payload: Payload) -> Entity:
    """Return the payload with its MIME fields."""
    fields = [("Content-Type", payload.content_type), ("Content-Transfer-Encoding", payload.encoding)]
    if payload.name:
        fields.append(("Content-Disposition", f'attachment; filename="{mime.safe_name(payload.name)}"'))
    return Entity(fields, _encoded(payload.body, payload.encoding))


def _encoded(body: bytes, encoding: Encoding) -> bytes:
    return mime.base64_lines(body) if encoding == "base64" else body


def _compressed(entity: Entity, payload: Payload) -> Entity:
    return _smime("compressed-data", "smime.p7z", compress(entity.raw), payload.encoding)


def _encrypted(entity: Entity, payload: Payload, means: Means) -> Entity:
    kind = "authenveloped-data" if means.cipher.endswith("gcm") else "enveloped-data"
    sealed = encrypt(entity.raw, means.certificates, means.cipher, means.transport)
    return _smime(kind, "smime.p7m", sealed, payload.encoding)


def _smime(kind: str, name: str, der: bytes, encoding: Encoding) -> Entity:
    fields = [
        ("Content-Type", f"application/pkcs7-mime; smime-type={kind}; name={name}"),
        ("Content-Transfer-Encoding", encoding),
        ("Content-Disposition", f"attachment; filename={name}"),
    ]
    return Entity(fields, _encoded(der, encoding))


def _signed(entity: Entity, payload: Payload, means: Means) -> Entity:
    assert means.identity is not None
    content = entity.raw
    signature = sign(content, means.identity, means.digest)
    return multipart_signed(content, signature, means.digest, payload.key)


def multipart_signed(content: bytes, signature: bytes, digest: str, seed: str) -> Entity:
    """Return multipart/signed over an entity's bytes; `seed` makes its boundary, the same for the same message."""
    boundary = boundary_for(content, seed)
    mark = f"--{boundary}".encode()
    fields = b'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\nContent-Transfer-Encoding: base64\r\n'
    disposition = b'Content-Disposition: attachment; filename="smime.p7s"\r\n\r\n'
    body = b"".join(
        (mark, mime.CRLF, content, mime.CRLF, mark, mime.CRLF, fields, disposition, mime.base64_lines(signature), mark)
    )
    kind = (
        f'multipart/signed; protocol="application/pkcs7-signature"; micalg="{in_mime(digest)}"; boundary="{boundary}"'
    )
    return Entity([("Content-Type", kind)], body + b"--\r\n")


def boundary_for(content: bytes, seed: str) -> str:
    """Return a boundary that does not occur in the content."""
    for turn in range(100):
        boundary = f"=_hub_{hashlib.sha256(f'{seed}/{turn}'.encode()).hexdigest()[:32]}"
        if boundary.encode() not in content:
            return boundary
    raise AssertionError("unreachable: a hundred digests stand in the content")
