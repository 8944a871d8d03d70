"""The canonical order: what was asked for, and one fact per axis about what became of it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

from hub.domain.money import ZERO
from hub.domain.party import Address, Party

SourceKind = Literal["marketplace", "web", "pos", "edi", "phone", "email", "agent", "voice", "manual", "api"]
Acceptance = Literal["draft", "received", "validated", "accepted", "rejected"]
PaymentState = Literal[
    "unpaid", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "void", "chargeback",
    "cod_pending",
]  # fmt: skip
Fulfillment = Literal["unfulfilled", "partially_fulfilled", "fulfilled", "partially_delivered", "delivered"]
Cancellation = Literal["none", "requested", "confirmed", "declined", "partial"]
HoldCode = Literal[
    "payment", "fraud", "address", "unmapped_sku", "totals_mismatch", "stock", "credit", "duplicate_suspect",
    "manual", "partner",
]  # fmt: skip
PaymentTerms = Literal["prepaid", "on_account", "cod", "pay_on_delivery"]
FulfilBy = Literal["location", "supplier", "production", "digital"]
LineChange = Literal["", "added", "changed", "deleted", "unchanged"]


class Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where an order came from."""

    connection: str = ""
    channel: str = ""
    kind: SourceKind = "api"
    external_id: str = ""
    external_number: str = ""
    agent: str = ""


class Skus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the two sides and the world call an item. Kept as given, also when no item is found for them."""

    seller: str = ""
    buyer: str = ""
    gtin: str = ""
    manufacturer: str = ""


class Charge(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Money on top of the lines: shipping, handling, gift_wrap, cod, fee, surcharge."""

    kind: str
    amount: Decimal
    description: str = ""
    vat_category: str = ""
    """What VAT it falls under, with `vat_rate`, where the document says so."""
    vat_rate: Decimal | None = None


class Discount(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Money off, as a positive amount."""

    amount: Decimal
    scope: Literal["order", "line", "shipping"] = "order"
    code: str = ""
    funded_by: str = ""
    vat_category: str = ""
    """What VAT it falls under, with `vat_rate`, where the document says so."""
    vat_rate: Decimal | None = None


class TaxLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One tax; `rate` is a fraction (0.19), `collected_by` names a marketplace facilitator if it is one."""

    amount: Decimal
    rate: Decimal | None = None
    jurisdiction: str = ""
    collected_by: str = ""
    category: str = ""
    """Of VAT, by UN/EDIFACT 5305: S standard, Z zero, E exempt, AE reverse charge, K, G, O."""
    exemption: str = ""
    """Why no VAT is asked for, as the invoice says it."""


class Totals(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Totals in the document currency. None means not stated."""

    lines: Decimal | None = None
    discounts: Decimal | None = None
    charges: Decimal | None = None
    tax: Decimal | None = None
    grand: Decimal | None = None
    paid: Decimal | None = None
    due: Decimal | None = None


class TotalsProof(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the stated grand total compares with the one the lines add up to, and under which rule."""

    rule: str
    computed: Decimal
    stated: Decimal | None = None
    difference: Decimal = ZERO


class Requested(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Dates the buyer asked for."""

    ship_after: date | None = None
    ship_by: date | None = None
    deliver_by: date | None = None
    cancel_after: date | None = None


class Hold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reason not to go on. Several at once; each is placed and released alone."""

    code: HoldCode
    reason: str
    path: str = ""
    value: str = ""
    placed_at: datetime | None = None
    released_at: datetime | None = None
    released_by: str = ""


class OrderLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line. Counters are cumulative: ordered >= allocated >= shipped >= delivered.

    `change` stands only in a document that changes an order: what it leaves out of a changed line stays as it is.
    """

    line_no: str
    ordered: Decimal
    external_id: str = ""
    item_id: str = ""
    sku: Skus = Skus()
    description: str = ""
    unit: str = "EA"
    """UN/ECE Recommendation 20; EA is each."""
    unit_price: Decimal = ZERO
    price_basis: Decimal = Decimal(1)
    """The price is for this many units."""
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[TaxLine, ...] = ()
    ship_by: date | None = None
    fulfil_by: FulfilBy = "location"
    pack: Decimal | None = None
    lots: tuple[str, ...] = ()
    serials: tuple[str, ...] = ()
    bundle_parent: str = ""
    substitution: Literal["", "none", "allowed"] = ""
    change: LineChange = ""
    cancelled: Decimal = ZERO
    allocated: Decimal = ZERO
    backordered: Decimal = ZERO
    shipped: Decimal = ZERO
    delivered: Decimal = ZERO
    returned: Decimal = ZERO
    invoiced: Decimal = ZERO
    extensions: dict[str, Any] = {}


class Unmapped(msgspec.Struct, frozen=True, kw_only=True):
    """A value that no rule used, kept so that nothing is dropped silently."""

    path: str
    value: str


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A customer's or partner's order. Known by (account, external_id); for EDI by (buyer party, number)."""

    number: str
    lines: tuple[OrderLine, ...] = ()
    id: str = ""
    version: int = 0
    account: str = ""
    external_id: str = ""
    partner: str = ""
    source: Source = Source()
    purpose: Literal["original", "change", "cancel", "replace"] = "original"
    release: str = ""
    placed_at: datetime | None = None
    placed_on: date | None = None
    source_updated_at: datetime | None = None
    received_at: datetime | None = None
    currency: str = ""
    accounting_currency: str = ""
    rate: Decimal | None = None
    prices_include_tax: bool = False
    buyer: Party | None = None
    seller: Party | None = None
    ship_to: Address | None = None
    bill_to: Address | None = None
    ship_from: Address | None = None
    charges: tuple[Charge, ...] = ()
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[TaxLine, ...] = ()
    totals: Totals = Totals()
    totals_proof: TotalsProof | None = None
    payment_terms: PaymentTerms | None = None
    requested: Requested = Requested()
    promised_at: datetime | None = None
    service_level: str = ""
    incoterm: str = ""
    carrier: str = ""
    department: str = ""
    priority: int = 0
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    holds: tuple[Hold, ...] = ()
    acceptance: Acceptance = "received"
    payment: PaymentState = "unpaid"
    fulfillment: Fulfillment = "unfulfilled"
    cancellation: Cancellation = "none"
    amending: bool = False
    closed_at: datetime | None = None
    extensions: dict[str, Any] = {}
    unmapped: tuple[Unmapped, ...] = ()

    @property
    def open_holds(self) -> tuple[Hold, ...]:
        """Return the holds that still stand."""
        return tuple(hold for hold in self.holds if hold.released_at is None) if self.holds else ()
