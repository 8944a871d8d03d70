"""A Tryton in memory: the same addresses, values, refusals and states as 8.2, for a handful of models.

`down = True` makes it answer 503. A sale is created as often as it is asked for, as at the original: that there is one
only is the connector's doing.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

from hub.testing.serve import Answer, Call, answer_json, handler

Record = dict[str, Any]
KEY = "demo-tryton-key"
CODED = {"id", "code", "name"}
FIELDS: Mapping[str, frozenset[str]] = {
    "company.company": frozenset({"id", "party"}),
    "currency.currency": frozenset(CODED),
    "country.country": frozenset(CODED),
    "stock.location": frozenset({*CODED, "type"}),
    "product.uom": frozenset({"id", "symbol"}),
    "account.tax": frozenset({"id", "rate"}),
    "account.account": frozenset(CODED),
    "account.journal": frozenset({*CODED, "type"}),
    "account.configuration": frozenset({"id", "default_account_receivable", "default_category_account_revenue"}),
    "product.category": frozenset({"id", "customer_taxes_used", "account_revenue"}),
    "product.template": frozenset({"id", "account_category"}),
    "product.product": frozenset({*CODED, "type", "template", "sale_uom", "quantity", "forecast_quantity"}),
    "party.party": frozenset({*CODED, "addresses", "contact_mechanisms", "account_receivable"}),
    "party.contact_mechanism": frozenset({"id", "type", "value"}),
    "party.address": frozenset({"id", "party", "party_name", "street_unstructured", "postal_code", "city", "country"}),
    "sale.line": frozenset({"id", "product", "quantity", "unit", "unit_price", "description", "amount", "taxes"}),
    "sale.sale": frozenset({
        "id", "number", "state", "reference", "description", "comment", "company", "currency", "warehouse", "sale_date",
        "party", "invoice_address", "shipment_address", "lines", "total_amount", "invoices", "invoice_method",
    }),
    "account.invoice": frozenset({
        "id", "number", "type", "state", "reference", "description", "invoice_date", "write_date", "currency", "party",
        "untaxed_amount", "tax_amount", "total_amount", "sales", "lines", "company", "journal", "account",
        "invoice_address",
    }),
    "account.invoice.line": frozenset({
        "id", "type", "product", "quantity", "unit", "unit_price", "amount", "description", "taxes", "account",
        "currency", "company", "origin",
    }),
}  # fmt: skip
TO: Mapping[str, str] = {
    "party": "party.party", "country": "country.country", "currency": "currency.currency", "product": "product.product",
    "sale_uom": "product.uom", "unit": "product.uom", "invoice_address": "party.address", "sales": "sale.sale",
    "shipment_address": "party.address", "warehouse": "stock.location", "company": "company.company",
    "addresses": "party.address", "template": "product.template", "account_category": "product.category",
     "contact_mechanisms": "party.contact_mechanism", "invoices": "account.invoice",
    "account_receivable": "account.account", "account_revenue": "account.account",
    "default_account_receivable": "account.account", "default_category_account_revenue": "account.account",
}  # fmt: skip
DEFAULTS: Mapping[str, Record] = {
    "sale.sale": {"state": "draft", "invoices": [], "currency": 1, "invoice_method": "order"},
    "account.invoice": {"state": "draft"},
}
STEPS = {"quote": ("draft", "quotation"), "confirm": ("quotation", "confirmed"), "process": ("confirmed", "processing")}
PATH = re.compile(r"/(?P<database>\w+)/rest/model/(?P<model>[\w.]+)(?:/(?P<number>\d+))?(?:/(?P<button>\w+))?")


class Refused(Exception):
    """What Tryton says no to, in its words."""


class TrytonSimulator:
    """A WSGI app. `stock` is what the warehouse WH has by product code; a code that begins with TAXED has 10 % tax."""

    def __init__(self, *, database: str = "erp", key: str = KEY, stock: Mapping[str, Decimal] | None = None) -> None:
        self.database, self.key, self.down = database, key, False
        self.tables: dict[str, dict[int, Record]] = {model: {} for model in FIELDS}
        self._lock = threading.RLock()
        self._at = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
        self._add("company.company", {"party": None})
        for model, codes in (("currency.currency", ("USD", "EUR")), ("country.country", ("US", "DE"))):
            for code in codes:
                self._add(model, {"code": code, "name": code})
        self._add("stock.location", {"code": "WH", "name": "Warehouse", "type": "warehouse"})
        owed, sold = (self._add("account.account", {"code": code, "name": code})["id"] for code in ("1.2", "4.1"))
        self._add("account.journal", {"code": "REV", "name": "Revenue", "type": "revenue"})
        defaults = {"default_account_receivable": owed, "default_category_account_revenue": sold}
        self._add("account.configuration", defaults)
        unit = self._add("product.uom", {"symbol": "u"})["id"]
        tax = self._add("account.tax", {"rate": "0.10"})["id"]
        for taxes in ([], [tax]):
            category = self._add("product.category", {"customer_taxes_used": taxes, "account_revenue": sold})["id"]
            self._add("product.template", {"account_category": category})
        for code, quantity in (stock or dict.fromkeys(("WIDGET-001", "PANEL-A3", "TAXED-9"), Decimal(100))).items():
            amounts = {"quantity": float(quantity), "forecast_quantity": float(quantity)}
            goods = {"type": "goods", "sale_uom": unit, "template": 2 if code.startswith("TAXED") else 1}
            self._add("product.product", {"code": code, "name": code, **goods, **amounts})

    @property
    def sales(self) -> list[Record]:
        """Return every sale."""
        return list(self.tables["sale.sale"].values())

    def post_invoices(self) -> None:
        """Post every draft invoice, as a bookkeeper would."""
        for invoice in self.tables["account.invoice"].values():
            if invoice["state"] == "draft":
                self._post(invoice)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked = parse_qs(environ.get("QUERY_STRING", ""))
        return handler(lambda call: self.answer(call, asked.get("f", [])))(environ, start_response)

    def answer(self, call: Call, fields: Sequence[str] = ()) -> Answer:
        """Answer one request; `fields` are its `f` arguments."""
        found = PATH.fullmatch(call.path)
        if self.down:
            return Answer(status=503, body=b"<h1>Service Unavailable</h1>", content_type="text/html")
        if call.headers.get("authorization", "").lower() != f"bearer {self.key}".lower():
            return Answer(status=401, body=b"<h1>Unauthorized</h1>", content_type="text/html")
        if found is None or found["database"] != self.database:
            return Answer(status=404, body=b"<h1>Not Found</h1>", content_type="text/html")
        number = int(found["number"]) if found["number"] else None
        with self._lock:
            try:
                return answer_json(self._done(call, found["model"], number, found["button"] or "", fields))
            except Refused as refusal:
                return answer_json({"status": 400, "message": str(refusal), "description": ""}, 400)
            except KeyError as error:
                return Answer(status=500, body=f"<p>{error}</p>".encode(), content_type="text/html")

    def _done(self, call: Call, model: str, number: int | None, button: str, fields: Sequence[str]) -> Any:
        if call.method == "GET":
            return self._search(model, call, fields)
        if number is None:
            return self._shown(model, self._create(model, call.json()), fields)
        record = self.tables[model][number]
        if button:
            self._press(model, record, button)
        else:
            self._change(model, record, call.json())
        shown = self._shown(model, record, fields)
        if button == "confirm":
            self._press(model, record, "process")  # Tryton's own queue does that once it has answered.
        return shown

    def _search(self, model: str, call: Call, fields: Sequence[str]) -> list[Record]:
        domain = _unpacked(call.query["d"]) if "d" in call.query else []
        found = [each for each in self.tables[model].values() if self._fits(model, each, domain)]
        for name, direction in reversed(_unpacked(call.query["o"]) if "o" in call.query else []):
            found.sort(key=lambda each: json.dumps(each[name]) if name != "id" else each[name])
            if direction == "DESC":
                found.reverse()
        skip = int(call.query.get("p", 0))
        return [self._shown(model, each, fields) for each in found[skip : skip + int(call.query.get("s", 1000))]]

    def _fits(self, model: str, record: Record, domain: Sequence[Any]) -> bool:
        if domain and domain[0] == "OR":
            parts: list[Any] = [[each] if isinstance(each[0], str) else each for each in domain[1:]]
            return any(self._fits(model, record, part) for part in parts)
        return all(self._fits(model, record, each) if each[0] == "OR" else self._agrees(model, record, *each)
                   for each in domain)  # fmt: skip

    def _agrees(self, model: str, record: Record, name: str, operator: str, value: Any) -> bool:
        if name not in FIELDS[model]:
            raise KeyError(name)
        own = _comparable(record.get(name))
        if operator == "in":
            return bool(own in value)
        if operator in ("=", "!="):
            return bool(own == _comparable(value)) == (operator == "=")
        limit = _comparable(value)
        return own is not None and bool(own > limit or (operator == ">=" and own == limit))

    def _shown(self, model: str, record: Record, fields: Sequence[str]) -> Record:
        shown: Record = {"__name__": model, "id": record["id"]}
        nested: dict[str, list[str]] = {}
        for name in fields:
            first, _, rest = name.partition(".")
            if first not in FIELDS[model]:
                raise KeyError(first)
            if rest:
                nested.setdefault(first, []).append(rest)
            else:
                shown[first] = record.get(first)
        for name, below in nested.items():
            shown[name] = self._related(model, name, record.get(name), below)
        return shown

    def _related(self, model: str, name: str, value: Any, fields: Sequence[str]) -> Any:
        target = f"{model.removesuffix('.sale')}.line" if name == "lines" else TO[name]
        if isinstance(value, list):
            return [self._shown(target, self.tables[target][each], fields) for each in value]
        return None if value is None else self._shown(target, self.tables[target][value], fields)

    def _add(self, model: str, values: Mapping[str, Any]) -> Record:
        unknown = [name for name in values if name not in FIELDS[model]]
        if unknown:
            raise KeyError(unknown[0])
        record = {**dict.fromkeys(FIELDS[model]), **values, "id": len(self.tables[model]) + 1}
        self.tables[model][record["id"]] = record
        return record

    def _create(self, model: str, values: Record) -> Record:
        codes = {each.get("code") for each in self.tables[model].values()} if model == "party.party" else set()
        if values.get("code") in codes - {None}:
            raise Refused("The code on party must be unique.")
        plain = {name: [] if isinstance(value, list) else value for name, value in values.items()}
        record = self._add(model, {**DEFAULTS.get(model, {}), **plain})
        if model == "account.invoice" and not record["account"]:
            raise Refused('A value is required for field "Account" in record of "Account Invoice".')
        self._change(model, record, {name: value for name, value in values.items() if isinstance(value, list)})
        return record

    def _change(self, model: str, record: Record, values: Record) -> None:
        if model == "sale.sale" and record["state"] != "draft":
            raise Refused(f'You are not allowed to modify the sale "{record["number"]}".')
        for name, value in values.items():
            if not isinstance(value, list):
                record[name] = value
                continue
            target = f"{model.removesuffix('.sale')}.line" if name == "lines" else TO[name]
            kept = list(record[name] or [])
            for verb, given in value:
                if verb == "create":
                    kept += [self._add(target, each)["id"] for each in given]
                else:
                    kept = [each for each in kept if each not in given]
            record[name] = kept
        if model == "sale.sale":
            record["total_amount"] = _money(self._total("sale.line", record["lines"]))
        if model == "account.invoice":
            self._count(record)

    def _count(self, invoice: Record) -> None:
        """Add an invoice up, and show it on the sales that its lines come from."""
        lines = [self.tables["account.invoice.line"][each] for each in invoice["lines"]]
        total = self._total("account.invoice.line", invoice["lines"])
        untaxed = sum((Decimal(line["amount"]["decimal"]) for line in lines), Decimal(0))
        origins = {line["origin"] for line in lines if line["origin"]}
        sales = [each for each in self.sales if origins & {f"sale.line,{line}" for line in each["lines"]}]
        for sale in sales:
            sale["invoices"] = sorted({*sale["invoices"], invoice["id"]})
        invoice.update(
            untaxed_amount=_money(untaxed), tax_amount=_money(total - untaxed), total_amount=_money(total),
            sales=[sale["id"] for sale in sales], write_date=self._now(),
        )  # fmt: skip

    def _total(self, model: str, numbers: Sequence[int]) -> Decimal:
        return sum((self._line_amount(model, each) for each in numbers), Decimal(0))

    def _line_amount(self, model: str, number: int) -> Decimal:
        line = self.tables[model][number]
        amount = Decimal(str(line["quantity"])) * Decimal(line["unit_price"]["decimal"])
        line["amount"] = _money(amount)
        added = [tax for _, taxes in line["taxes"] or () for tax in taxes]
        rate = sum((Decimal(self.tables["account.tax"][tax]["rate"]) for tax in added), Decimal(0))
        return (amount * (1 + rate)).quantize(Decimal("0.01"))

    def _post(self, invoice: Record) -> None:
        if invoice["state"] != "draft":
            raise Refused(f'You can not call "post" on "{invoice["number"]}" of "Account Invoice".')
        invoice.update(number=str(invoice["id"]), state="posted", write_date=self._now(), invoice_date=_day())

    def _press(self, model: str, sale: Record, button: str) -> None:
        if model == "account.invoice" and button == "post":
            self._post(sale)
            return
        before, after = STEPS[button]
        name = f"[{sale['reference']}]"
        if sale["state"] == after == "processing":
            return
        if sale["state"] != before:
            raise Refused(f'You can not call "{button}" on "{name}" of "Sale".')
        if sale["invoice_address"] is None:
            raise Refused(f'To get a quote for sale "{name}" you must enter an invoice address.')
        sale["state"] = after
        sale["number"] = sale["number"] or str(sale["id"])
        if after == "processing" and sale["invoice_method"] != "manual":
            self._bill(sale)

    def _bill(self, sale: Record) -> None:
        lines = []
        for number in sale["lines"]:
            line = self.tables["sale.line"][number]
            kept = {name: line[name] for name in ("product", "quantity", "unit_price", "amount", "description")}
            lines.append(self._add("account.invoice.line", {"type": "line", **kept})["id"])
        untaxed = sum(
            (Decimal(self.tables["sale.line"][each]["amount"]["decimal"]) for each in sale["lines"]), Decimal(0)
        )
        tax = Decimal(sale["total_amount"]["decimal"]) - untaxed
        values = {
            "type": "out", "state": "draft", "currency": sale["currency"], "party": sale["party"],
            "untaxed_amount": _money(untaxed), "tax_amount": _money(tax), "write_date": self._now(),
            "total_amount": sale["total_amount"], "sales": [sale["id"]], "lines": lines,
        }  # fmt: skip
        sale["invoices"] = [self._add("account.invoice", values)["id"]]

    def _now(self) -> Record:
        self._at += timedelta(seconds=1)
        names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        return {"__class__": "datetime", **{name: getattr(self._at, name) for name in names}}


def _unpacked(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text))


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(part for part in value.values() if not isinstance(part, str)) or tuple(value.values())
    return value


def _money(amount: Decimal) -> Record:
    return {"__class__": "Decimal", "decimal": str(amount.quantize(Decimal("0.01")))}


def _day() -> Record:
    return {"__class__": "date", "year": 2026, "month": 1, "day": 5}
