"""cXML over HTTP: requests in at our address, our own to theirs. The shared secrets are checked and never kept."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from xml.sax.saxutils import escape

from hub.sdk import (
    Connector,
    HubError,
    Incoming,
    InDoubt,
    Kit,
    Outgoing,
    Paused,
    Problem,
    Push,
    Receipt,
    Reception,
    Rejected,
    Request,
    RetryLater,
    Secret,
    Unverified,
    hookimpl,
)

KINDS = {
    "OrderRequest": "order",
    "ConfirmationRequest": "acknowledgement",
    "ShipNoticeRequest": "shipment",
    "InvoiceDetailRequest": "invoice",
}
_SECRET = re.compile(rb"<SharedSecret\b[^<>]*>.*?</SharedSecret\s*>", re.S)
_OURS = re.compile(rb"<Sender><Credential [^<>]*><Identity>[^<>]*</Identity>")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one trading partner or network needs."""

    secret: Annotated[Secret, "SharedSecret that they send with every request"]
    sender: Annotated[str, "Credential they send it with, as domain:identity; empty: any that knows the secret"] = ""
    base_url: Annotated[str, "Address of their server, such as https://procure.example; empty: we only receive"] = ""
    path: Annotated[str, "Where our documents are posted; {kind} stands for the document"] = "/"
    our_secret: Annotated[Secret | None, "SharedSecret that we send, if they ask for one"] = None
    deadline: Annotated[int, "Seconds that one call may take in all"] = 30


class Cxml:
    """One open partner."""

    def __init__(self, settings: Settings, kit: Kit) -> None:
        self.settings, self.kit = settings, kit
        self.http = kit.http(settings.base_url, deadline=settings.deadline) if settings.base_url else None

    def check(self) -> None:
        """Ask their address for anything: whether it answers shows, what it says to a bare GET does not matter."""
        if self.http is not None:
            try:
                self.http.request("GET", "/")
            except Rejected:
                return

    def receive(self, request: Request) -> Reception:
        """Compare the secret, take it out, keep the rest; the answer is a cXML Response."""
        content = _of(self.kit.xml(request.body), "cXML")
        if content is None:
            raise Rejected("the body must be a cXML document")
        self._verify(content)
        payload = _payload(content)
        if payload not in KINDS:
            return Reception(answer=self._answer(450, "Not Implemented", content), answer_type="text/xml")
        message = Incoming(
            body=self._without_secret(request.body),
            kind=KINDS[payload],
            event_id=str(content.get("@payloadID", "")),
            order_key=_order(content, payload),
            content_type=request.headers.get("content-type", ""),
            name=payload,
        )
        return Reception(messages=(message,), answer=self._answer(201, "Accepted", content), answer_type="text/xml")

    def push(self, out: Outgoing) -> Receipt:
        """POST one document with our secret in it; they know one that comes again by its payload id."""
        if self.http is None:
            raise Paused(f"{self.kit.connection} has no base_url, so {out.kind} cannot be sent there; set one")
        path = self.settings.path.replace("{kind}", out.kind)
        reply = self.http.request("POST", path, body=self._signed(out), headers={"Content-Type": "text/xml"})
        return self._receipt(reply.body)

    def _verify(self, content: Mapping[str, Any]) -> None:
        wanted = self.settings.secret.reveal().encode()
        for each in _list(_of(_of(content, "Header"), "Sender"), "Credential"):
            named = f"{each.get('@domain', '')}:{_text(each.get('Identity'))}"
            fits = hmac.compare_digest(_text(each.get("SharedSecret")).encode("utf-8", "surrogateescape"), wanted)
            if fits and self.settings.sender in ("", named):
                return
        raise Unverified("no credential of the Sender has the SharedSecret that was agreed; check both")

    def _without_secret(self, body: bytes) -> bytes:
        """Return the body without its secrets; one that cannot be cleaned is not taken."""
        cleaned = _SECRET.sub(b"", body)
        sender = _of(_of(_of(self.kit.xml(cleaned), "cXML"), "Header"), "Sender")
        left = [each for each in _list(sender, "Credential") if each.get("SharedSecret")]
        if left or self.settings.secret.reveal().encode() in cleaned:
            raise Rejected("the SharedSecret is written in a way that cannot be taken out; write it plainly, in UTF-8")
        return cleaned

    def _signed(self, out: Outgoing) -> bytes:
        if self.settings.our_secret is None:
            return out.body
        found = _OURS.search(out.body)
        if found is None:
            raise Rejected(f'the {out.kind} has no Sender of ours; its agreement needs codec = "cxml"')
        secret = f"<SharedSecret>{escape(self.settings.our_secret.reveal())}</SharedSecret>".encode()
        return out.body[: found.end()] + secret + out.body[found.end() :]

    def _receipt(self, body: bytes) -> Receipt:
        """Read the status that stands in their answer, whatever HTTP said."""
        try:
            content = _of(self.kit.xml(body), "cXML") or {}
        except HubError as error:
            raise InDoubt(f"{self.kit.connection} took it but answered with something that is not cXML") from error
        status = _of(_of(content, "Response"), "Status") or {}
        code, text = str(status.get("@code", "")), f"{status.get('@text', '')} {_text(status)}".strip()[:500]
        if not code.isdecimal():
            raise InDoubt(f"{self.kit.connection} took it but its answer has no Status")
        if code.startswith("2"):
            return Receipt(reference=str(content.get("@payloadID", "")), body=body)
        if code in ("401", "403"):
            raise Paused(f"{self.kit.connection} refused our credentials ({code} {text}); check our_secret")
        if code.startswith("5"):
            raise RetryLater(f"{self.kit.connection} cannot take it now ({code} {text})")
        raise Rejected(
            [Problem(code=f"cxml_{code}", text=f"{self.kit.connection} refused it: {code} {text}", value=code)]
        )

    def _answer(self, code: int, text: str, content: Mapping[str, Any]) -> bytes:
        now = self.kit.clock.now()
        theirs = re.sub(r"[^\w.@:-]", "-", str(content.get("@payloadID", "")))[:100]
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<cXML payloadID="{now:%Y%m%d%H%M%S}.{theirs}" '
            f'timestamp="{now.isoformat(timespec="seconds")}"><Response><Status code="{code}" text="{text}"/>'
            "</Response></cXML>"
        ).encode()


def _of(holder: Any, name: str) -> Any:
    found = holder.get(name) if isinstance(holder, Mapping) else None
    return (found[0] if found else None) if isinstance(found, list) else found


def _list(holder: Any, name: str) -> list[Mapping[str, Any]]:
    found = holder.get(name) if isinstance(holder, Mapping) else None
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, Mapping)]


def _text(element: Any) -> str:
    found = element.get("#text", "") if isinstance(element, Mapping) else element
    return found if isinstance(found, str) else ""


def _payload(content: Mapping[str, Any]) -> str:
    request = _of(content, "Request")
    names = request if isinstance(request, Mapping) else {}
    return next((name for name in names if not name.startswith(("@", "#"))), "")


def _order(content: Mapping[str, Any], payload: str) -> str:
    """Return their number of the order, by which messages about it are kept in order."""
    request = _of(_of(content, "Request"), payload)
    header = _of(request, "OrderRequestHeader") or _of(request, "OrderReference")
    return str(header.get("@orderID", "")) if isinstance(header, Mapping) else ""


@hookimpl
def hub_connectors() -> Iterator[Connector]:
    """Declare cXML."""
    yield Connector(
        name="cxml",
        title="cXML (over HTTP, both ways)",
        settings=Settings,
        open=Cxml,
        receives=tuple(KINDS.values()),
        pushes={"*": Push(on_doubt="resend")},
        signature="shared-secret",
        roles=("order source", "acknowledgement sink", "shipment sink", "invoice sink", "document transport"),
    )
