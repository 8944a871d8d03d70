"""From what came over the wire to what was meant: decrypt, verify, decompress (RFC 4130, 5402).

Encryption may only be the outermost layer; within it, signature and compression come in either order, each once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from connectors.as2 import mime
from connectors.as2.algorithms import digest_of
from connectors.as2.asn1 import cms, parser
from connectors.as2.failures import Unusable, reading
from connectors.as2.keys import Certificate, Identity
from connectors.as2.mime import Entity
from connectors.as2.packing import Caps, decompress
from connectors.as2.sealing import decrypt
from connectors.as2.signing import Signed, verify

_PKCS7 = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_SIGNATURE = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature"})


@dataclass(frozen=True, kw_only=True)
class Trust:
    """What a connection opens and believes: our keys, their certificates, the time, what it allows and its caps."""

    ours: Sequence[Identity]
    theirs: Sequence[Certificate]
    at: datetime
    weak: Collection[str] = ()
    expired: bool = False
    caps: Caps = field(default_factory=Caps)


@dataclass(frozen=True, kw_only=True)
class Unwrapped:
    """A message without its layers, and what the layers were."""

    entity: Entity
    """The innermost entity: its fields and the payload."""
    signed: Signed | None = None
    is_encrypted: bool = False
    is_compressed: bool = False
    is_sound: bool = True

    def mic(self, digest: str) -> bytes:
        """Return the message integrity check (RFC 4130 7.3.1, RFC 5402 4).

        Signed: over the bytes that were signed. Encrypted or compressed only: over the payload with its MIME fields,
        uncompressed, in canonical form. Plain: over the body alone.
        """
        if self.signed is not None:
            return digest_of(self.signed.content, digest)
        if self.is_encrypted or self.is_compressed:
            return digest_of(mime.canonical(self.entity), digest)
        return digest_of(self.entity.body, digest)


def unwrap(entity: Entity, trust: Trust) -> Unwrapped:
    """Take off every layer; Unusable says by the words of an MDN why that is not possible."""
    found = Unwrapped(entity=entity)
    while (take_off := _layer(found.entity)) is not None:
        found = take_off(found, trust)
    if not found.is_sound:
        raise _noise()
    return found


def _layer(entity: Entity) -> Callable[[Unwrapped, Trust], Unwrapped] | None:
    """Return what takes off the outermost layer, None where only the payload is left."""
    media = entity.media.value
    if media == "multipart/signed":
        return _detached
    if media not in _PKCS7:
        return None
    info = _structure(entity.content)
    with reading("the CMS structure"):
        kind = info["content_type"].native
        if kind not in _OPENERS:
            raise ValueError(f"its content type {kind} is not supported")
        return partial(_OPENERS[kind], info)


def _structure(raw: bytes) -> Any:
    """Return a CMS structure; but for white space nothing may stand behind it."""
    with reading("the CMS structure"):
        info = cms.ContentInfo.load(raw)
        if raw[parser.peek(raw) :].strip():
            raise ValueError("something stands behind it")
        return info


def _decrypted(info: Any, found: Unwrapped, trust: Trust) -> Unwrapped:
    if found.is_encrypted or found.signed is not None or found.is_compressed:
        raise Unusable("unsupported format", "encryption stands within another layer; it must be the outermost")
    gcm = info["content_type"].native == "authenticated_enveloped_data"
    with reading("the encryption"):
        data = info["content"]
    opened = decrypt(data, trust.ours, gcm=gcm, weak=trust.weak)
    try:
        inner = mime.read(opened.content)
    except Unusable as error:
        raise _noise() from error
    return replace(found, entity=inner, is_encrypted=True, is_sound=opened.is_sound)


def _noise() -> Unusable:
    return Unusable(
        "decryption-failed",
        "what was decrypted makes no sense: the key or the encrypted bytes are not what the message says",
        "ask the partner to send again and to check which of our certificates they encrypt for",
    )


def _decompressed(info: Any, found: Unwrapped, trust: Trust) -> Unwrapped:
    if found.is_compressed:
        raise Unusable("unsupported format", "it is compressed twice")
    with reading("the compression", "decompression-failed"):
        data = info["content"]
    content = decompress(data, trust.caps)
    return replace(found, entity=mime.read(content), is_compressed=True)


def _opaque(info: Any, found: Unwrapped, trust: Trust) -> Unwrapped:
    """Open SignedData that carries its content itself."""
    with reading("the signature"):
        data = info["content"]
    return _believed(found, data, None, trust)


def _detached(found: Unwrapped, trust: Trust) -> Unwrapped:
    """Verify multipart/signed: the first part as it came, else with canonical line ends.

    What stands after the last part is looked at last: where it is noise of a bad padding, the answer must not differ.
    """
    parts, after = mime.parts(found.entity)
    if len(parts) != 2:
        raise Unusable("unsupported format", f"multipart/signed has {len(parts)} parts, not 2")
    signature = mime.read(parts[1])
    if signature.media.value not in _SIGNATURE:
        raise Unusable("unsupported format", f"the signature is {signature.media.value[:60]!r}, not pkcs7-signature")
    info = _structure(signature.content)
    with reading("the signature"):
        if info["content_type"].native != "signed_data":
            raise ValueError("it is no SignedData")
        data = info["content"]
    believed = _verified_part(found, data, parts[0], trust)
    if after.strip():
        raise Unusable("integrity-check-failed", "something stands after the last part, beside what was signed")
    return believed


def _verified_part(found: Unwrapped, data: Any, part: bytes, trust: Trust) -> Unwrapped:
    try:
        return _believed(found, data, part, trust)
    except Unusable as error:
        turned = mime.canonical(mime.read(part))
        if error.modifier != "integrity-check-failed" or turned == part:
            raise
        return _believed(found, data, turned, trust)


def _believed(found: Unwrapped, data: Any, content: bytes | None, trust: Trust) -> Unwrapped:
    if found.signed is not None:
        raise Unusable("unsupported format", "it is signed twice")
    signed = verify(data, content, trust.theirs, at=trust.at, weak=trust.weak, expired=trust.expired)
    return replace(found, entity=mime.read(signed.content), signed=signed)


_OPENERS: Mapping[str, Callable[[Any, Unwrapped, Trust], Unwrapped]] = {
    "enveloped_data": _decrypted,
    "authenticated_enveloped_data": _decrypted,
    "compressed_data": _decompressed,
    "signed_data": _opaque,
}
