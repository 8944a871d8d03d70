"""Message disposition notifications: AS2's receipts, written and read (RFC 4130 7, RFC 3798, RFC 8098)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime

from connectors.as2 import mime
from connectors.as2.algorithms import from_mime, in_mime
from connectors.as2.failures import Unusable
from connectors.as2.keys import Identity
from connectors.as2.mime import Entity
from connectors.as2.names import AGENT, clean
from connectors.as2.signing import sign
from connectors.as2.wrapping import boundary_for, multipart_signed

NOTIFICATION = "message/disposition-notification"
MOST_WORDS = 500
_MODE = "automatic-action/MDN-sent-automatically"
_SENTENCES = {
    "processed": "The message was received and stored. This says nothing of whether its content can be used.",
    "decryption-failed": "The message could not be decrypted. Check which of our certificates it is encrypted for.",
    "authentication-failed": "The sender could not be authenticated. Check which certificate signed the message.",
    "integrity-check-failed": "The content is not what was signed. Something changed it on the way.",
    "decompression-failed": "The content could not be decompressed.",
    "insufficient-message-security": "The message is not signed or not encrypted as was agreed.",
    "unsupported format": "The message uses a format or an algorithm that is not supported or was not agreed.",
    "unsupported MIC-algorithms": "A receipt was required with a signature or digest that is not supported.",
}
_OTHER = "The message could not be processed."


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a receipt says of one message."""

    original_id: str
    disposition: str = "processed"
    """What stands after the semicolon: processed, processed/Error: decryption-failed, failed/Failure: …"""
    mic: bytes = b""
    digest: str = ""
    recipient: str = ""
    words: str = ""
    """The text for people."""

    @property
    def modifier(self) -> str:
        """Return what went wrong, in AS2's words; empty where nothing did."""
        return self.disposition.partition("/")[2].partition(":")[2].strip()

    @property
    def is_positive(self) -> bool:
        """Say whether they have the message: `processed` and no modifier, or the warning that they had it before."""
        state, _, modifier = self.disposition.partition("/")
        kind, _, text = modifier.partition(":")
        is_warned = kind.strip().lower() == "warning" and text.strip().lower() == "duplicate-document"
        return state.strip().lower() in ("processed", "displayed") and (not modifier.strip() or is_warned)


def write(report: Report, seed: str) -> Entity:
    """Return the receipt as multipart/report; `seed` makes its boundary."""
    modifier = report.modifier
    sentence = _SENTENCES.get(modifier or "processed", _OTHER)
    text = f"{sentence}\r\nMessage: {report.original_id}\r\n"
    fields = [
        ("Reporting-UA", AGENT),
        ("Original-Recipient", f"rfc822; {report.recipient}"),
        ("Final-Recipient", f"rfc822; {report.recipient}"),
        ("Original-Message-ID", report.original_id),
        ("Disposition", f"{_MODE}; {report.disposition}"),
    ]
    if report.mic:
        fields.append(("Received-Content-MIC", f"{base64.b64encode(report.mic).decode()}, {in_mime(report.digest)}"))
    plain = [("Content-Type", "text/plain; charset=us-ascii"), ("Content-Transfer-Encoding", "7bit")]
    notice = [("Content-Type", NOTIFICATION), ("Content-Transfer-Encoding", "7bit")]
    pieces = (
        mime.written(plain, text.encode("ascii", "replace")),
        mime.written(notice, mime.written([(name, clean(value)) for name, value in fields], b"")),
    )
    boundary = boundary_for(b"".join(pieces), seed)
    mark = f"--{boundary}\r\n".encode()
    body = b"".join(mark + piece + mime.CRLF for piece in pieces) + f"--{boundary}--\r\n".encode()
    kind = f'multipart/report; report-type=disposition-notification; boundary="{boundary}"'
    return Entity([("Content-Type", kind)], body)


def signed(receipt: Entity, identity: Identity, digest: str, at: datetime, seed: str) -> Entity:
    """Return a receipt under our signature and its time."""
    return multipart_signed(receipt.raw, sign(receipt.raw, identity, digest, at=at), digest, f"{seed}/signed")


def is_receipt(entity: Entity) -> bool:
    """Say whether an entity is a receipt without its signature."""
    media = entity.media
    kind = media.parameters.get("report-type", "disposition-notification").lower()
    return media.value == "multipart/report" and kind == "disposition-notification"


def read(entity: Entity) -> Report:
    """Read a receipt that was unwrapped; Unusable where it says no disposition."""
    parts = [mime.read(each) for each in mime.parts(entity)[0]]
    notice = next((each for each in parts if each.media.value == NOTIFICATION), None)
    if notice is None:
        raise Unusable("unexpected-processing-error", "the receipt has no part message/disposition-notification")
    facts = mime.read(notice.content.rstrip() + b"\r\n\r\n")
    disposition = facts.field("disposition").partition(";")[2].strip()
    if not disposition:
        raise Unusable("unexpected-processing-error", "the receipt says no disposition")
    mic, digest = _mic(facts.field("received-content-mic"))
    also = [facts.field(name) for name in ("failure", "error", "warning")]
    text = next((each.content.decode("utf-8", "replace") for each in parts if each.media.value == "text/plain"), "")
    return Report(
        original_id=facts.field("original-message-id").strip(),
        disposition=disposition,
        mic=mic,
        digest=digest,
        recipient=facts.field("final-recipient").partition(";")[2].strip(),
        words=" ".join(" ".join((*also, text)).split())[:MOST_WORDS],
    )


def _mic(text: str) -> tuple[bytes, str]:
    """Return the MIC and our name of its digest (empty where it is none of ours); SHA-1 where none is said."""
    value, _, name = text.partition(",")
    if not value.strip():
        return b"", ""
    try:
        mic = base64.b64decode("".join(value.split()), validate=True)
    except binascii.Error as error:
        raise Unusable("unexpected-processing-error", "the receipt's MIC is no base64") from error
    return mic, from_mime(name) if name.strip() else "sha1"
