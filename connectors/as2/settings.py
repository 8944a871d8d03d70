"""What one AS2 partnership needs, and what of it cannot be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from connectors.as2.algorithms import Cipher, Digest, Transport, Weak
from connectors.as2.wrapping import Encoding, Step
from hub.sdk import Secret

LEGAL: frozenset[tuple[str, ...]] = frozenset(
    {
        (), ("sign",), ("encrypt",), ("compress",), ("sign", "encrypt"), ("compress", "sign"), ("sign", "compress"),
        ("compress", "encrypt"), ("compress", "sign", "encrypt"), ("sign", "compress", "encrypt"),
    }
)  # fmt: skip
_DURATION = re.compile(r"P(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+S)?)?")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one partnership (our AS2 id, their AS2 id) needs. Upper and lower case count in both ids."""

    our_id: Annotated[str, "Our AS2 id, as the partner writes it in AS2-To"]
    their_id: Annotated[str, "The partner's AS2 id, as they write it in AS2-From"]
    our_key: Annotated[
        Secret | None,
        "Our private key with its certificate: PEM, or PKCS#12 in base64; empty: nothing is signed or decrypted",
    ]
    their_certificates: Annotated[
        tuple[str, ...],
        "The partner's certificates, each as PEM text or as a file below the var directory; old and new side by side "
        "while one is changed: all are believed, and the first that is valid today is encrypted for",
    ]
    our_key_password: Annotated[Secret | None, "Password of our_key, where it has one"] = None
    our_other_key: Annotated[
        Secret | None, "More keys with their certificates (PEM) that still open messages: the one before, or the next"
    ] = None
    our_other_key_password: Annotated[Secret | None, "Password of our_other_key, where it has one"] = None
    encrypt_for: Annotated[
        tuple[str, ...],
        "Certificates to encrypt for, where the partner has other ones for that; empty: their_certificates",
    ] = ()
    url: Annotated[str, "The partner's address for AS2; empty: nothing is sent to them but receipts"] = ""
    user: Annotated[str, "User name, where their address asks for one"] = ""
    password: Annotated[Secret | None, "Password of that user"] = None
    steps: Annotated[
        tuple[Step, ...],
        "What is done to a message, in this order: sign, encrypt, compress; such as compress, sign, encrypt",
    ] = ("sign", "encrypt")
    digest: Annotated[Digest, "Digest of our signatures"] = "sha256"
    cipher: Annotated[Cipher, "Cipher of what we encrypt; the gcm ones need a partner who knows RFC 5084"] = (
        "aes256-cbc"
    )
    key_transport: Annotated[Transport, "How the content key is encrypted: pkcs1 (all know it) or oaep"] = "pkcs1"
    transfer_encoding: Annotated[Encoding, "Content-Transfer-Encoding of what we send"] = "binary"
    subject: Annotated[str, "Subject of what we send; {kind} stands for the document"] = "{kind}"
    content_types: Annotated[
        dict[str, str],
        "Content type by the syntax's own, such as application/xml = application/cxml; others stay as they are",
    ] = field(default_factory=dict)
    send_name: Annotated[bool, "Send a file name along"] = True
    receipt: Annotated[
        Literal["sync", "async", "none"],
        "Receipt (MDN) that we ask for: in their answer, later at receipt_url, or none",
    ] = "sync"
    receipt_signed: Annotated[bool, "Ask for a signed receipt, and believe no other"] = True
    receipt_digests: Annotated[tuple[Digest, ...], "Digests that we ask for in receipts, best first"] = ("sha256",)
    receipt_url: Annotated[str, "Our address for asynchronous receipts, such as https://hub.example/as2"] = ""
    receipt_within: Annotated[
        str, "How long they may take for an asynchronous receipt, as PT4H or P1D; then we send again, twice"
    ] = "PT4H"
    require: Annotated[
        tuple[Literal["signature", "encryption"], ...],
        "What their messages must have; what lacks it is answered with insufficient-message-security",
    ] = ("signature", "encryption")
    accept_weak: Annotated[tuple[Weak, ...], "Weak algorithms that their messages may use; we never send them"] = ()
    accept_expired: Annotated[bool, "Believe signatures of certificates whose dates have passed"] = False
    receipt_hosts: Annotated[
        tuple[str, ...],
        "Hosts that may be named for our asynchronous receipts, besides the host of url",
    ] = ()
    kind: Annotated[str, "Document that their messages are, where the syntax does not say"] = "order"
    largest_content: Annotated[int, "Most bytes that a compressed message may become"] = 100_000_000
    largest_ratio: Annotated[int, "Most times its compressed size that a message may become"] = 200
    deadline: Annotated[int, "Seconds that one call may take in all"] = 60

    def __post_init__(self) -> None:
        """Refuse what cannot work, with every reason at once."""
        wrong = [text for is_wrong, text in self._faults() if is_wrong]
        if wrong:
            raise ValueError("; ".join(wrong))

    def _faults(self) -> Sequence[tuple[bool, str]]:
        steps, ours, theirs = self.steps, self.our_key is not None, bool(self.their_certificates)
        return (
            (not self.our_id or not self.their_id, "our_id and their_id must not be empty"),
            (steps not in LEGAL, "steps must be each of compress, sign, encrypt at most once, and encrypt the last"),
            ("sign" in steps and not ours, "steps has sign, so our_key is needed"),
            ("encrypt" in steps and not (theirs or self.encrypt_for), "steps has encrypt, so a certificate is needed"),
            ("signature" in self.require and not theirs, "require has signature, so their_certificates is needed"),
            ("encryption" in self.require and not ours, "require has encryption, so our_key is needed"),
            (self._believes_receipts and not theirs, "receipt_signed needs their_certificates"),
            (self.receipt == "async" and not self.receipt_url, "receipt async needs receipt_url, our own address"),
            (not _DURATION.fullmatch(self.receipt_within), "receipt_within must be a duration such as PT4H"),
            (not self.receipt_digests, "receipt_digests must name one at least"),
        )

    @property
    def _believes_receipts(self) -> bool:
        return bool(self.url) and self.receipt != "none" and self.receipt_signed
