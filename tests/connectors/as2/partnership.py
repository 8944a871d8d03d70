"""What the tests of the connector share: a partnership with North Stores, and their calls to us."""

from __future__ import annotations

from typing import Any

from connectors.as2 import Settings, mime
from connectors.as2.simulator import Partner, Sent
from hub.sdk import Exchange, Outgoing, Request, Secret

from .conftest import certificate_pem, pem

EDI = b"ISA*00*          *00*~\nGS*PR*HUB*NORTH~\n"
OUT = Outgoing(key="0190-abc", kind="acknowledgement", body=EDI, content_type="application/edi-x12", name="a-855.edi")


def settings(**changes: Any) -> Settings:
    given: dict[str, Any] = {
        "our_id": "HUB",
        "their_id": "North Stores",
        "our_key": Secret(pem("hub")),
        "their_certificates": (certificate_pem("north"),),
        **changes,
    }
    return Settings(**given)


def north(**changes: Any) -> Partner:
    return Partner(name="North Stores", hub="HUB", key=pem("north"), hub_certificate=certificate_pem("hub"), **changes)


def request(sent: Sent, **headers: str) -> Request:
    lower = {name.lower(): value for name, value in {**sent.headers, **headers}.items()}
    return Request(body=sent.body, headers=lower)


def never(key: str) -> Outgoing | None:
    raise AssertionError(f"nobody asked for what was sent as {key}")


def answered(exchange: Exchange) -> tuple[dict[str, str], bytes]:
    """Return the receipt that we give as header fields and body."""
    entity = mime.read(exchange.answer)
    return {name.lower(): value for name, value in entity.fields}, entity.body
