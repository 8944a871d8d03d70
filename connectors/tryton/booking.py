"""An invoice of ours becomes an `account.invoice` there: same lines, same total, our number as its reference."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hub.sdk import Outgoing, Problem, Receipt, Rejected

from .client import Client, Record, plain
from .sale import Directory, category_of, products_of

Tree = Mapping[str, Any]
REVENUE = "template.account_category.account_revenue.id"
CENT, FINEST = Decimal("0.01"), Decimal("0.0001")
"""Amounts at Tryton have two decimals, prices four."""
DEFAULTS = ("default_account_receivable.id", "default_category_account_revenue.id")


KEY = "description"
"""Field of an invoice that holds our key, so that none is booked twice."""
FIELDS = ("number", "state", "total_amount", "lines.id")


class Books:
    """What an invoice is booked to: accounts and journal, asked for once."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._kept: dict[str, int | None] = {}
        self._lock = threading.Lock()

    def receivable(self, party: int) -> int:
        """Return the account that a customer owes on: theirs, else the default."""
        found = self.client.search("party.party", [["id", "=", party]], ["account_receivable.id"], size=1)
        own = _id(found[0].get("account_receivable")) if found else None
        return own or self._known("default_account_receivable", "a default account receivable")

    def revenue(self, product: Record | None) -> int:
        """Return the account of what was sold: that of the product's accounting category, else the default."""
        own = _id(category_of(product).get("account_revenue")) if product else None
        return own or self._known("default_category_account_revenue", "a default revenue account for categories")

    def journal(self) -> int:
        """Return the journal of revenues."""
        return self._known("journal", "a journal of the type revenue")

    def _known(self, name: str, what: str) -> int:
        with self._lock:
            if not self._kept.get(name):
                self._kept.update(self._asked())
            found = self._kept[name]
        if found is None:
            raise Rejected([Problem(code="unknown", path=name, text=f"Tryton has no {what}; set it in its accounting")])
        return found

    def _asked(self) -> dict[str, int | None]:
        chosen = self.client.search("account.configuration", [], DEFAULTS, size=1)
        journals = self.client.search("account.journal", [["type", "=", "revenue"]], ["code"], size=1)
        names = [name.removesuffix(".id") for name in DEFAULTS]
        found = {name: _id(chosen[0].get(name)) if chosen else None for name in names}
        return {**found, "journal": int(journals[0]["id"]) if journals else None}


class Bookkeeper:
    """Books invoices of ours; `posts` says whether they are posted at once or stay drafts for a person."""

    def __init__(self, directory: Directory, *, company: int, posts: bool) -> None:
        self.directory, self.client = directory, directory.client
        self.books = Books(directory.client)
        self.company, self.posts = company, posts

    def push(self, out: Outgoing) -> Receipt:
        """Book an invoice unless our key is there already; a draft is brought up to date. Other totals are Rejected."""
        tree = json.loads(out.body)
        invoice = self._known(out.key)
        if invoice is None or invoice["state"] == "draft":
            values = invoice_values(self.directory, self.books, tree, self.company)
            invoice = self._created(out.key, values) if invoice is None else self._renewed(invoice, values)
            refuse_other_total(invoice, tree)
            if self.posts:
                invoice = self.client.press("account.invoice", invoice["id"], "post", FIELDS)
        return _receipt(invoice)

    def find(self, out: Outgoing) -> Receipt | None:
        """Return the receipt of an invoice that is no draft; `push` looks at a draft again."""
        invoice = self._known(out.key)
        return None if invoice is None or invoice["state"] == "draft" else _receipt(invoice)

    def _known(self, key: str) -> Record | None:
        domain = [[KEY, "=", key], ["company", "=", self.company], ["type", "=", "out"]]
        found = self.client.search("account.invoice", domain, FIELDS, size=1)
        return found[0] if found else None

    def _created(self, key: str, values: Record) -> Record:
        return self.client.create("account.invoice", {**values, KEY: key}, FIELDS)

    def _renewed(self, invoice: Record, values: Record) -> Record:
        old = [["delete", [line["id"] for line in invoice["lines"]]]] if invoice["lines"] else []
        return self.client.write(
            "account.invoice", invoice["id"], {**values, "lines": [*old, *values["lines"]]}, FIELDS
        )


def _receipt(invoice: Record) -> Receipt:
    body = json.dumps({name: plain(invoice.get(name)) for name in ("id", "number", "state", "total_amount")}).encode()
    return Receipt(reference=str(invoice.get("number") or invoice["id"]), body=body, content_type="application/json")


def invoice_values(directory: Directory, books: Books, tree: Tree, company: int) -> Record:
    """Return the values of an invoice; raises Rejected with every code that Tryton does not know."""
    if tree.get("type", "380") != "380":
        text = "only invoices are booked, no credit notes; make it in Tryton from the invoice it corrects"
        raise Rejected([Problem(code="no_credit_note", path="type", value=str(tree["type"]), text=text)])
    products, problems = products_of(directory, tree["lines"])
    if problems:
        raise Rejected(problems)
    code = tree["currency"]
    currency = directory.of("currency.currency", [code])
    if code not in currency:
        raise Rejected([Problem(code="unknown", path="currency", value=code, text=f"Tryton has no currency {code!r}")])
    party = directory.party(tree.get("party") or {})
    always = {"currency": currency[code]["id"], "company": company}
    sold = _sold(directory.client, str(tree.get("order") or ""), party, company)
    lines = [values for line in tree["lines"] for values in _lines(books, line, products, sold)]
    return {
        **always, "type": "out", "party": party, "reference": tree["reference"], "journal": books.journal(),
        "invoice_address": directory.address(party, tree.get("invoice_address") or {}, "bill_to"),
        "account": books.receivable(party),
        "lines": [["create", [{"type": "line", **always, **values} for values in lines]]],
        **({"invoice_date": tree["invoice_date"]} if tree.get("invoice_date") else {}),
    }  # fmt: skip


def refuse_other_total(invoice: Record, tree: Tree) -> None:
    """Raise Rejected where Tryton comes to another total than the invoice that the customer has."""
    theirs, ours = Decimal(str(plain(invoice["total_amount"]))), Decimal(str(tree["total"]))
    if theirs != ours:
        text = (
            f"Tryton comes to {theirs} and the invoice says {ours}: compare the taxes of its products with the "
            f"order's; draft {invoice['id']} stays there and is brought up to date by the next attempt"
        )
        raise Rejected([Problem(code="total_differs", path="totals.grand", value=str(ours), text=text)])


def _sold(client: Client, order: str, party: int, company: int) -> dict[str, list[int]]:
    """Return the lines of the sale by product code, where exactly one sale of that customer has the order's number."""
    domain = [["reference", "=", order], ["party", "=", party], ["company", "=", company]]
    sales = client.search("sale.sale", domain, ["lines.id", "lines.product.code"], size=2) if order else []
    found: dict[str, list[int]] = {}
    for line in sales[0]["lines"] if len(sales) == 1 else ():
        if line.get("product"):
            found.setdefault(str(line["product"]["code"]), []).append(int(line["id"]))
    return found


def _lines(books: Books, line: Tree, products: Mapping[str, Record], sold: Mapping[str, list[int]]) -> list[Record]:
    """Return one line, or two where its amount is no price times its quantity: what was taken off stands alone."""
    code = str(line.get("product") or "")
    product = products.get(code)
    quantity, amount = Decimal(str(line["quantity"])), Decimal(str(line["amount"]))
    exact = (amount / quantity) == (amount / quantity).quantize(FINEST)
    price = (amount / quantity) if exact else Decimal(str(line["price"])).quantize(FINEST)
    values: Record = {"account": books.revenue(product), "description": line.get("description") or ""}
    first = {**values, "quantity": float(quantity), "unit_price": _money(price)}
    if product is not None:
        first |= {"product": product["id"], "unit": product["sale_uom"]["id"]}
        if taxes := category_of(product).get("customer_taxes_used"):
            first["taxes"] = values["taxes"] = [["add", taxes]]
        if places := sold.get(code):
            first["origin"] = f"sale.line,{places.pop(0) if len(places) > 1 else places[0]}"
    rest = amount - (quantity * price).quantize(CENT, ROUND_HALF_UP)
    return [first, {**values, "quantity": 1, "unit_price": _money(rest)}] if rest else [first]


def _money(value: Decimal) -> Record:
    return {"__class__": "Decimal", "decimal": format(value.normalize(), "f")}


def _id(record: Any) -> int | None:
    return int(record["id"]) if record else None
