"""In: a call is opened and verified, and its receipt written; or it is itself the receipt for something we sent."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from connectors.as2 import mdn, mime, names
from connectors.as2.failures import Unusable
from connectors.as2.keyring import Keyring
from connectors.as2.mdn import Report
from connectors.as2.mime import Entity
from connectors.as2.names import Wish
from connectors.as2.outbound import DELIVER_TO, demand_of
from connectors.as2.receipts import compare
from connectors.as2.settings import Settings
from connectors.as2.unwrapping import Unwrapped, unwrap
from hub.sdk import Exchange, Incoming, Kit, Outgoing, Problem, Request

log = logging.getLogger(__name__)
Sent = Callable[[str], Outgoing | None]
NOT_KEPT = frozenset({"authorization", "proxy-authorization", "cookie"})
LONGEST_ID = 900
JUDGED = "Hub-Judged"
"""A field of ours in stored receipts of theirs: `received` or `refused`, and why."""
ABOUT = "Hub-Delivery"
"""A field of ours in stored receipts of theirs: the delivery that it is for."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call to us: its fields, and what of them matters."""

    headers: Mapping[str, str]
    body: bytes
    identity: str
    wish: Wish

    @property
    def entity(self) -> Entity:
        """Return the message as MIME: HTTP's fields are its outermost."""
        return Entity(self.headers.items(), self.body)

    def kept(self, *more: tuple[str, str]) -> bytes:
        """Return the call as it is stored: the fields as they came but credentials and ours, and the body."""
        came = [
            (name.title(), names.clean(value, 8000))
            for name, value in self.headers.items()
            if name not in NOT_KEPT and not name.startswith("hub-")
        ]
        return mime.written([*more, *came], self.body)


def call_of(request: Request) -> Call:
    """Return a request as a call."""
    identity = names.clean(request.headers.get("message-id", ""), LONGEST_ID)
    return Call(headers=request.headers, body=request.body, identity=identity, wish=names.wish_of(request.headers))


def event_of(headers: Mapping[str, str]) -> str:
    """Return the id that repeats of a call are known by; empty where it has no Message-ID."""
    identity = names.clean(headers.get("message-id", ""), LONGEST_ID)
    return f"as2 {identity}" if identity else ""


class Receiver:
    """Takes the calls of one partnership."""

    def __init__(self, settings: Settings, kit: Kit, keyring: Keyring) -> None:
        self.settings, self.kit, self.keyring = settings, kit, keyring

    def exchange(self, request: Request, sent: Sent) -> Exchange:
        """Open, verify and answer one call; whatever is wrong with it becomes a negative receipt."""
        call = call_of(request)
        trust = self.keyring.trust()
        try:
            found = unwrap(call.entity, trust)
            if mdn.is_receipt(found.entity):
                return self._receipt(call, mdn.read(found.entity), sent)
            self._check(call, found)
            content = found.entity.content
        except Unusable as error:
            return self._refused(call, error)
        except Exception as error:  # whatever fails, the sender is told by a receipt and our people by an incident
            log.exception("%s: a message could not be opened", self.kit.connection)
            text = f"the hub failed on it: {type(error).__name__}: {error}"[:300]
            return self._refused(
                call, Unusable("unexpected-processing-error", text, "the log has the reason; report it")
            )
        return self._taken(call, found, content)

    def _taken(self, call: Call, found: Unwrapped, content: bytes) -> Exchange:
        message = Incoming(
            body=content,
            kind=self.settings.kind,
            event_id=call.identity,
            content_type=found.entity.media.value,
            name=mime.file_name(found.entity),
        )
        digest = self._digest(found, call.wish)
        report = self._report(call, "processed", found.mic(digest), digest)
        return Exchange(
            kept=self._kept(call),
            messages=(message,),
            answer=self._answer(call, report),
            is_delivered=bool(call.wish.deliver_to),
        )

    def _check(self, call: Call, found: Unwrapped) -> None:
        """Refuse what lacks an agreed protection, or asks for a receipt that we cannot give."""
        lacking = [
            name
            for name, has in (("signature", found.signed is not None), ("encryption", found.is_encrypted))
            if name in self.settings.require and not has
        ]
        if lacking:
            raise Unusable(
                "insufficient-message-security",
                f"it came without {' and without '.join(lacking)}",
                "ask the partner to protect their messages as agreed; or change this connection's setting require",
            )
        if call.wish.unmet:
            raise Unusable(
                "unsupported MIC-algorithms",
                "it requires a receipt with a signature or digest that we do not give",
                "ask the partner to ask for pkcs7-signature and SHA-256",
            )
        if not call.identity:
            raise Unusable("unexpected-processing-error", "it has no Message-ID, so a repeat could not be told")

    def _digest(self, found: Unwrapped, wish: Wish) -> str:
        """Return the digest for the MIC: that of their signature, else the first they ask for; never a weak one."""
        asked = [found.signed.digest] if found.signed is not None else []
        return next((each for each in (*asked, *wish.digests) if each not in ("sha1", "md5")), "sha256")

    def _kept(self, call: Call) -> Incoming:
        return Incoming(
            body=call.kept(),
            kind="as2",
            event_id=event_of(call.headers),
            content_type="message/http",
            name=names.clean(call.headers.get("subject", ""), 120),
        )

    def _refused(self, call: Call, error: Unusable) -> Exchange:
        report = self._report(call, error.disposition)
        problem = Problem(code=error.modifier.replace(" ", "-"), path="as2", text=error.text, value=call.identity[:200])
        return Exchange(
            kept=self._kept(call),
            answer=self._answer(call, report),
            is_delivered=bool(call.wish.deliver_to),
            problem=problem,
            action=error.action,
        )

    def _report(self, call: Call, disposition: str, mic: bytes = b"", digest: str = "") -> Report:
        recipient = names.quoted(self.settings.our_id)
        return Report(original_id=call.identity, disposition=disposition, mic=mic, digest=digest, recipient=recipient)

    def _answer(self, call: Call, report: Report) -> bytes:
        """Return the receipt as it is stored and sent; empty where none was asked for."""
        if not call.wish.wanted:
            return b""
        settings, now = self.settings, self.kit.clock.now()
        seed = hashlib.sha256(f"{call.identity} {now.isoformat()} {report.disposition}".encode()).hexdigest()
        receipt = mdn.write(report, seed)
        if call.wish.signed and self.keyring.can_sign():
            digest = next(iter(call.wish.digests), settings.digest)
            receipt = mdn.signed(receipt, self.keyring.signing(), digest, now, seed)
        to = [(DELIVER_TO, names.clean(call.wish.deliver_to, 2000))] if call.wish.deliver_to else []
        return mime.written([*to, *self._fields(seed, now), *receipt.fields], receipt.body)

    def _fields(self, seed: str, now: datetime) -> list[tuple[str, str]]:
        settings = self.settings
        return [
            ("AS2-Version", names.VERSION),
            ("EDIINT-Features", names.FEATURES),
            ("AS2-From", names.quoted(settings.our_id)),
            ("AS2-To", names.quoted(settings.their_id)),
            ("Message-ID", names.message_id(f"mdn-{seed[:32]}", b"", settings.our_id)),
            ("Date", format_datetime(now, usegmt=True)),
            ("Subject", "Receipt"),
            ("MIME-Version", "1.0"),
        ]

    def _receipt(self, call: Call, report: Report, sent: Sent) -> Exchange:
        """Compare an asynchronous receipt with what was sent; its verdict is stored with it."""
        key = names.key_of(report.original_id)
        out = sent(key) if key else None
        if out is None:
            text = f"a receipt came for message {report.original_id[:200]!r}, which was never sent by this connection"
            action = "ask the partner which message they mean; another system may be sending under our AS2 id"
            problem = Problem(code="unknown-receipt", path="as2", value=report.original_id[:200], text=text)
            return Exchange(kept=self._kept(call), problem=problem, action=action)
        wrong = compare(call.entity, self.keyring.trust(), demand_of(out, self.settings))
        judged = f"refused {wrong.text}" if wrong is not None else "received"
        body = call.kept((ABOUT, key), (JUDGED, names.clean(judged, 2000)))
        message = Incoming(
            body=body,
            kind="mdn",
            event_id=event_of(call.headers),
            content_type="message/http",
            name=f"receipt for {key}",
        )
        return Exchange(messages=(message,))
