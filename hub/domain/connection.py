"""Accounts and partners, as configured: what the database holds and the pipeline reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from hub.domain.order import SourceKind
from hub.domain.party import Identifier

ConnectionState = Literal["draft", "testing", "active", "paused", "degraded", "needs_reauth", "suspended", "retired"]


class Partner(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who is at the other end, and how they are known."""

    name: str
    title: str = ""
    gln: str = ""
    identifiers: tuple[Identifier, ...] = ()
    extensions: dict[str, Any] = {}


class Agreement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one document travels one way on one connection: syntax, guide, mapping, envelope, answers, clocks."""

    connection: str
    direction: Literal["in", "out"]
    document: str
    """Canonical document as `hub/translate/documents.py` names them: order, shipment, remittance, …; or receipt."""
    codec: str
    mapping: str = ""
    """Empty with codec json: the document in our own fields, as it is."""
    guide: str = ""
    partner: str = ""
    match: dict[str, str] = {}
    """Inbound: sender, receiver, set, version, kind that must agree; empty matches all."""
    envelope: dict[str, Any] = {}
    answer: tuple[str, ...] = ()
    """Acknowledgements we owe: 997, 999, TA1, CONTRL; and 824 or APERAK where our system refuses what was sound."""
    answer_to: str = ""
    """Connection that takes our acknowledgements; empty means the same connection."""
    expect: dict[str, str] = {}
    """Acknowledgements they owe us, with their clocks as ISO 8601 durations."""
    options: dict[str, Any] = {}


class ConnectionConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One account or partner of a connector, as an admin configured it. Secrets are references only."""

    name: str
    connector: str
    title: str = ""
    partner: str = ""
    account: str = ""
    """Connections of one account share the identity of orders; empty means the connection's own name."""
    settings: dict[str, Any] = {}
    state: ConnectionState = "active"
    channel: str = ""
    source_kind: SourceKind = "api"
    items: Literal["known", "any"] = "known"
    """known: a line whose item is not found holds the order; any: items are not looked up."""
    fulfilled_by: Literal["hub", "elsewhere"] = "hub"
    """elsewhere: orders of this connection are translated and routed, not allocated or shipped by us."""
    totals_rule: Literal["line", "none"] = "line"
    priority_lane: str = "document"
    pull_every: dict[str, int] = {}
    """Document kind -> seconds between pulls."""
    max_bytes: int = 10_000_000
    test: bool = False
    options: dict[str, Any] = {}

    @property
    def identity(self) -> str:
        """Return the account whose order numbers this connection speaks."""
        return self.account or self.name


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """A secret at rest: which key closed it, its nonce and its ciphertext."""

    key_id: str
    nonce: bytes
    ciphertext: bytes


SettingsMap = Mapping[str, Any]
