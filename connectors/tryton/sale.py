"""An order's tree becomes the values of a `sale.sale`: codes become ids, what is missing is named or made."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from hub.sdk import Problem, Rejected

from .client import Client, Record

Tree = Mapping[str, Any]
TAXES = "template.account_category.customer_taxes_used"
ADDRESS = ("party_name", "street_unstructured", "postal_code", "city")
MOST_KEPT = 10_000


class Directory:
    """What Tryton calls things. Ids of products, currencies, countries and places are kept: they never change."""

    def __init__(
        self, client: Client, *, creates_parties: bool, with_taxes: bool = False, also: Sequence[str] = ()
    ) -> None:
        self.client = client
        self.creates_parties = creates_parties
        self.product_fields = ("sale_uom.symbol", *((TAXES,) if with_taxes else ()), *also)
        self._kept: dict[tuple[str, str], Record] = {}
        self._lock = threading.Lock()

    def of(self, model: str, codes: Sequence[str], fields: Sequence[str] = ()) -> dict[str, Record]:
        """Return records by code, asking once for all that are not known yet; unknown codes are left out."""
        wanted = {code for code in codes if code}
        missing = [code for code in sorted(wanted) if (model, code) not in self._kept]
        if missing:
            found = self.client.search(model, [["code", "in", missing]], ["code", *fields])
            with self._lock:
                if len(self._kept) > MOST_KEPT:
                    self._kept.clear()
                self._kept.update({(model, str(each["code"])): each for each in found})
        return {code: self._kept[model, code] for code in wanted if (model, code) in self._kept}

    def party(self, tree: Tree) -> int:
        """Return the party with that code, made if it is new. Two at once make one: codes are unique there."""
        code = str(tree.get("code") or tree.get("email") or "")
        if not code:
            raise _missing("buyer", "the buyer has neither a customer number nor an e-mail address to be known by")
        if (known := self._party(code)) is not None:
            return known
        if not self.creates_parties:
            raise _missing("buyer", f"Tryton has no party with the code {code!r}; create it there", code)
        mail = [{"type": "email", "value": tree["email"]}] if tree.get("email") else []
        contacts = [["create", mail]]
        values = {"code": code, "name": tree.get("name") or code, "contact_mechanisms": contacts if mail else []}
        try:
            return int(self.client.create("party.party", values, ["code"])["id"])
        except Rejected:
            if (known := self._party(code)) is not None:
                return known
            raise

    def _party(self, code: str) -> int | None:
        found = self.client.search("party.party", [["code", "=", code]], ["code"], size=1)
        return int(found[0]["id"]) if found else None

    def address(self, party: int, tree: Tree, path: str) -> int:
        """Return that party's address with these lines, made if it is new."""
        values: Record = {name: tree.get(name) or None for name in ADDRESS}
        if tree.get("country"):
            country = self.of("country.country", [tree["country"]])
            if tree["country"] not in country:
                text = f"Tryton has no country {tree['country']!r}; import its countries (trytond_import_countries)"
                raise _missing(f"{path}.country", text, tree["country"])
            values["country"] = country[tree["country"]]["id"]
        domain = [["party", "=", party], *([name, "=", value] for name, value in values.items())]
        found = self.client.search("party.address", domain, ["id"], size=1)
        if found:
            return int(found[0]["id"])
        return int(self.client.create("party.address", {"party": party, **values}, ["id"])["id"])


def sale_values(directory: Directory, tree: Tree) -> Record:
    """Return the values of a sale; raises Rejected with every code that Tryton does not know."""
    lines, problems = _lines(directory, tree.get("lines") or ())
    values: Record = {name: tree[name] for name in ("reference", "comment", "sale_date") if tree.get(name)}
    for name, model in (("currency", "currency.currency"), ("warehouse", "stock.location")):
        if code := tree.get(name):
            found = directory.of(model, [code])
            if code in found:
                values[name] = found[code]["id"]
            else:
                problems.append(Problem(code="unknown", path=name, value=code, text=f"Tryton has no {name} {code!r}"))
    if problems:
        raise Rejected(problems)
    party = directory.party(tree.get("party") or {})
    shipment = tree.get("shipment_address") or {}
    at = directory.address(party, shipment, "ship_to")
    invoice = tree.get("invoice_address") or shipment
    bill = at if invoice == shipment else directory.address(party, invoice, "bill_to")
    return {**values, "party": party, "shipment_address": at, "invoice_address": bill, "lines": [["create", lines]]}


def _lines(directory: Directory, lines: Sequence[Tree]) -> tuple[list[Record], list[Problem]]:
    """Return the lines' values; a line without a product code is a charge or a discount."""
    products, problems = products_of(directory, lines)
    known = [line for line in lines if not line.get("product") or str(line["product"]) in products]
    return [_line(line, products.get(str(line.get("product") or ""))) for line in known], problems


def products_of(directory: Directory, lines: Sequence[Tree]) -> tuple[dict[str, Record], list[Problem]]:
    """Return the products of lines by code, and a problem for each line whose product Tryton does not know."""
    codes = [str(line.get("product") or "") for line in lines]
    products = directory.of("product.product", codes, directory.product_fields)
    text = "Tryton has no product {!r}; create it there or list the item under the code it has"
    problems = [
        Problem(code="unknown_sku", path=f"lines[{at}].sku", value=code, text=text.format(code))
        for at, code in enumerate(codes)
        if code and code not in products
    ]
    return products, problems


def _line(line: Tree, product: Record | None) -> Record:
    values: Record = {name: line[name] for name in ("quantity", "unit_price", "description") if name in line}
    if product is None:
        return values
    if taxes := category_of(product).get("customer_taxes_used"):
        values["taxes"] = [["add", taxes]]
    return {**values, "product": product["id"], "unit": product["sale_uom"]["id"]}


def category_of(product: Record) -> Record:
    """Return the accounting category of a product, empty where it has none."""
    return (product.get("template") or {}).get("account_category") or {}


def _missing(path: str, text: str, value: str = "") -> Rejected:
    return Rejected([Problem(code="unknown", path=path, text=text, value=value)])
