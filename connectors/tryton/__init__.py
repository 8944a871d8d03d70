"""Tryton, the open-source ERP (8.2): orders become sales there, invoices are booked there or come from there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from hub.sdk import Connector, Incoming, Kit, Outgoing, Page, Problem, Push, Receipt, Rejected, Secret, hookimpl

from .booking import REVENUE, Bookkeeper
from .client import Client, Record, moment, plain
from .sale import Directory, sale_values

STATES = ("draft", "quotation", "confirmed", "processing")
BUTTONS = {"draft": "quote", "quotation": "confirm", "confirmed": "process"}
SALE = ("number", "state", "reference", "total_amount")
INVOICE = (
    "number", "type", "state", "reference", "invoice_date", "write_date", "currency.code", "party.code", "party.name",
    "untaxed_amount", "tax_amount", "total_amount", "sales.number", "sales.reference", "sales.description",
    "lines.type", "lines.product.code", "lines.product.name", "lines.quantity", "lines.unit_price", "lines.amount",
    "lines.description",
)  # fmt: skip
MOST_PAGES = 2000
OVERLAP = timedelta(minutes=10)
"""Transactions that began earlier may end later than the newest one that a pull saw."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one Tryton database needs."""

    base_url: Annotated[str, "Address of the server, without the database: https://erp.example"]
    database: Annotated[str, "Name of the database"]
    key: Annotated[Secret, "Key of a user application of the kind REST (res.user.application), validated in Tryton"]
    company: Annotated[int, "Id of the company in Tryton that sells"] = 1
    key_field: Annotated[str, "Text field of sale.sale that holds our key, so that no order is created twice"] = (
        "description"
    )
    until: Annotated[
        Literal["draft", "quotation", "confirmed", "processing"], "How far a sale is taken; processing ships and bills"
    ] = "processing"
    creates_parties: Annotated[bool, "Create a party for a buyer that Tryton does not know"] = True
    taxes: Annotated[
        Literal["none", "product"], "Taxes of the lines: those of the product's accounting category, or none"
    ] = "product"
    invoices: Annotated[
        Literal["theirs", "ours"],
        "Who makes invoices: theirs = Tryton, when it processes a sale; ours = they are booked there, sales make none",
    ] = "theirs"
    post_invoices: Annotated[bool, "Post invoices of ours at once; else they stay drafts for a bookkeeper"] = False
    locations: Annotated[tuple[str, ...], "Codes of the places whose stock is pulled"] = ("WH",)
    quantity: Annotated[
        Literal["quantity", "forecast_quantity"], "What is reported: what lies there, or what planned moves will leave"
    ] = "quantity"
    deadline: Annotated[int, "Seconds that one call may take in all"] = 30
    page: Annotated[int, "Records that a pull asks for at once"] = 500
    sale_defaults: Annotated[dict[str, Any], "Further fields of every sale, such as {payment_term = 1}"] = field(
        default_factory=dict
    )


class Tryton:
    """One open database."""

    def __init__(self, settings: Settings, kit: Kit) -> None:
        self.settings = settings
        self.clock = kit.clock
        context = {"company": settings.company, "companies": [settings.company]}
        base = f"{settings.base_url.rstrip('/')}/{settings.database}/rest"
        self.client = Client(kit.http(base, bearer=settings.key, deadline=settings.deadline), context)
        taxed = settings.taxes == "product"
        self.ours = settings.invoices == "ours"
        self.directory = Directory(
            self.client,
            creates_parties=settings.creates_parties,
            with_taxes=taxed,
            also=(REVENUE,) if self.ours else (),
        )
        self.bookkeeper = Bookkeeper(self.directory, company=settings.company, posts=settings.post_invoices)

    def check(self) -> None:
        """Read the company: shows a wrong address, database, key or company."""
        number = self.settings.company
        if not self.client.search("company.company", [["id", "=", number]], ["id"], size=1):
            raise Rejected(
                [Problem(code="unknown", path="company", text=f"Tryton has no company with the id {number}")]
            )

    def push(self, out: Outgoing) -> Receipt:
        """Create the sale unless our key is there already, and take it as far as the settings say.

        Looking first makes any repeat harmless, also one after a try that stopped half-way; a draft is brought up to
        date, because only an attempt that did not succeed leaves one. Invoices go the same way.
        """
        if out.kind == "invoice":
            self._refuse_unless_ours()
            return self.bookkeeper.push(out)
        sale = self._sale(out.key)
        if sale is None or (sale["state"] == "draft" and self.settings.until != "draft"):
            method = {"invoice_method": "manual"} if self.ours else {}
            given = sale_values(self.directory, json.loads(out.body))
            values = {**method, **self.settings.sale_defaults, **given}
            sale = self._created(out.key, values) if sale is None else self._renewed(sale, values)
        return _receipt(self._advanced(sale))

    def find(self, out: Outgoing) -> Receipt | None:
        """Return the sale (or invoice) with our key if it got as far as it should; else `push` looks and goes on."""
        if out.kind == "invoice":
            return self.bookkeeper.find(out)
        sale = self._sale(out.key)
        return _receipt(sale) if sale is not None and not self._next(sale) else None

    def pull(self, kind: str, cursor: str) -> Iterator[Page]:
        """Yield stock (a snapshot, place by place) or the invoices posted or changed since the cursor."""
        if kind == "stock":
            yield from self._stock()
            return
        if self.ours:
            raise Rejected("tryton: settings.invoices is ours, so invoices are not pulled: our own would come back")
        yield from self._invoices(cursor)

    def _refuse_unless_ours(self) -> None:
        if not self.ours:
            text = (
                "Tryton makes the invoices (settings.invoices is theirs), and a second one of the same sale would be "
            )
            text += "wrong: set it to ours, or drop the route"
            raise Rejected([Problem(code="invoices_are_theirs", path="settings.invoices", text=text)])

    def _sale(self, key: str) -> Record | None:
        domain = [[self.settings.key_field, "=", key], ["company", "=", self.settings.company]]
        found = self.client.search("sale.sale", domain, [*SALE, "lines.id"], size=1)
        return found[0] if found else None

    def _created(self, key: str, values: Record) -> Record:
        given = {"company": self.settings.company, **values, self.settings.key_field: key}
        return self.client.create("sale.sale", given, SALE)

    def _renewed(self, sale: Record, values: Record) -> Record:
        old = [["delete", [line["id"] for line in sale["lines"]]]] if sale["lines"] else []
        return self.client.write("sale.sale", sale["id"], {**values, "lines": [*old, *values["lines"]]}, SALE)

    def _next(self, sale: Record) -> str:
        """Return the button to press; empty where the sale is as far as it should be, or was cancelled there."""
        state = sale["state"]
        return BUTTONS.get(state, "") if state in STATES and STATES.index(state) < self._goal else ""

    @property
    def _goal(self) -> int:
        return STATES.index(self.settings.until)

    def _advanced(self, sale: Record) -> Record:
        for _ in STATES:
            if not (button := self._next(sale)):
                break
            sale = self.client.press("sale.sale", sale["id"], button, SALE)
        return sale

    def _stock(self) -> Iterator[Page]:
        places = self.directory.of("stock.location", self.settings.locations)
        for code in self.settings.locations:
            if code not in places:
                raise Rejected([Problem(code="unknown", path="locations", text=f"Tryton has no location {code!r}")])
        for code in self.settings.locations:
            context = {"locations": [places[code]["id"]]}
            domain = [["type", "=", "goods"], ["code", "!=", None]]
            size = self.settings.page
            for skip in range(0, MOST_PAGES * size, size):
                at = self.clock.now().isoformat()
                found = self.client.search(
                    "product.product", domain, ["code", self.settings.quantity], size=size, skip=skip, context=context
                )
                if found:
                    yield Page(messages=(_message("stock", self._report(code, at, found)),), cursor=at)
                if len(found) < size:
                    break

    def _report(self, code: str, at: str, found: Sequence[Record]) -> Record:
        lines = [{"code": each["code"], "quantity": plain(each[self.settings.quantity])} for each in found]
        return {"location": code, "at": at, "lines": lines}

    def _invoices(self, cursor: str) -> Iterator[Page]:
        """Ask for what changed since the cursor, with an overlap; an invoice that was taken before is a repeat."""
        since = datetime.fromisoformat(cursor) - OVERLAP if cursor else datetime(2000, 1, 1, tzinfo=UTC)
        newer: list[Any] = ["write_date", ">=", moment(since)]
        order = [["write_date", "ASC"], ["id", "ASC"]]
        for _ in range(MOST_PAGES):
            domain = [["type", "=", "out"], ["state", "in", ["posted", "paid"]], newer]
            found = self.client.search("account.invoice", domain, INVOICE, size=self.settings.page, order=order)
            if found:
                messages = tuple(_message("invoice", plain(each), f"invoice/{each['id']}") for each in found)
                yield Page(messages=messages, cursor=plain(found[-1]["write_date"]))
            if len(found) < self.settings.page:
                return
            at, number = found[-1]["write_date"], found[-1]["id"]
            newer = ["OR", ["write_date", ">", at], [["write_date", "=", at], ["id", ">", number]]]


def _message(kind: str, data: Record, event_id: str = "") -> Incoming:
    return Incoming(body=json.dumps(data).encode(), kind=kind, event_id=event_id, content_type="application/json")


def _receipt(sale: Record) -> Receipt:
    body = json.dumps({name: plain(sale.get(name)) for name in ("id", *SALE)}).encode()
    return Receipt(reference=str(sale.get("number") or sale["id"]), body=body, content_type="application/json")


@hookimpl
def hub_connectors() -> Iterator[Connector]:
    """Declare Tryton."""
    yield Connector(
        name="tryton",
        title="Tryton ERP",
        settings=Settings,
        open=Tryton,
        pulls=("stock", "invoice"),
        pushes={"order": Push(on_doubt="find", parallel=2), "invoice": Push(on_doubt="find", parallel=2)},
        roles=("order sink", "stock source", "invoice source", "invoice sink"),
    )
