"""What the record says about a document before it is applied: items found, totals proven, checks passed.

A miss is a hold with its reason; the values as given stay. One query per kind of look-up for the whole batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from msgspec.structs import replace

from hub.domain.checks import prove_totals
from hub.domain.connection import ConnectionConfig
from hub.domain.errors import Problem
from hub.domain.order import Hold, Order, OrderLine, Skus
from hub.pipeline.map_in import Mapped
from hub.pipeline.services import Services
from hub.ports.records import Unit


def validate(services: Services, unit: Unit, mapped: Sequence[Mapped]) -> None:
    """Complete and check orders in place: `document` gets item ids, totals proof and holds."""
    orders = [each for each in mapped if each.state == "applied" and isinstance(each.document, Order)]
    for each in mapped:
        if each.state == "applied" and each.document is not None:
            _check(services, each)
    by_connection: dict[str, list[Mapped]] = {}
    for each in orders:
        by_connection.setdefault(each.message.connection, []).append(each)
    for name, group in by_connection.items():
        connection = unit.config.connections[name]
        known = find_items(unit, connection, [line for each in group for line in each.document.lines])
        for each in group:
            each.document = _completed(each.document, connection, known, unit)


def _check(services: Services, each: Mapped) -> None:
    problems = tuple(services.hooks.checks(each.kind, each.document))
    if any(problem.severity == "error" for problem in problems):
        each.state = "rejected"
    each.problems = (*each.problems, *problems)


Known = dict[str, dict[str, str]]


class Named(Protocol):
    """A line of any document that says what its item is called."""

    @property
    def sku(self) -> Skus:
        """Return what the two sides and the world call it."""


def find_items(unit: Unit, connection: ConnectionConfig, lines: Sequence[Named]) -> Known:
    """Return item ids by what the connection or partner calls them, by our SKU, and by GTIN: three queries at most."""
    if connection.items == "any" or not lines:
        return {"listing": {}, "sku": {}, "gtin": {}}
    theirs = {sku for line in lines for sku in (line.sku.buyer, line.sku.seller) if sku}
    listing = unit.listings(connection.partner or connection.name, theirs)
    rest = [line for line in lines if line.sku.buyer not in listing and line.sku.seller not in listing]
    sku = unit.items_by_sku({line.sku.seller for line in rest if line.sku.seller})
    left = [line for line in rest if line.sku.seller not in sku]
    return {
        "listing": listing,
        "sku": sku,
        "gtin": unit.items_by_gtin({line.sku.gtin for line in left if line.sku.gtin}),
    }


def item_of(line: Named, known: Known) -> str:
    """Return the item of a line: by listing, then our SKU, then GTIN; empty where none is known."""
    return (
        known["listing"].get(line.sku.buyer)
        or known["listing"].get(line.sku.seller)
        or known["sku"].get(line.sku.seller)
        or known["gtin"].get(line.sku.gtin)
        or ""
    )


def _completed(order: Order, connection: ConnectionConfig, known: Known, unit: Unit) -> Order:
    holds = list(order.holds)
    lines = order.lines
    if connection.items == "known":
        lines = tuple(replace(line, item_id=item_of(line, known)) for line in order.lines)
        holds += [_unmapped(at, line, unit) for at, line in enumerate(lines) if not line.item_id and _is_new(line)]
    proof = prove_totals(order) if connection.totals_rule != "none" else None
    if proof is not None and proof.difference != Decimal(0):
        text = f"stated {proof.stated} but the lines add up to {proof.computed} (difference {proof.difference})"
        holds.append(Hold(code="totals_mismatch", path="totals.grand", value="", reason=text, placed_at=unit.now))
    return replace(order, lines=lines, holds=tuple(holds), totals_proof=proof)


def _is_new(line: OrderLine) -> bool:
    """Say whether a line must name its item: one that changes a known line by its number need not."""
    return line.change in ("", "added") or (line.change == "changed" and line.sku != Skus())


def _unmapped(at: int, line: OrderLine, unit: Unit) -> Hold:
    sku = line.sku.seller or line.sku.buyer or line.sku.gtin
    return Hold(
        code="unmapped_sku",
        path=f"lines[{at}].sku",
        value=sku,
        reason=f"no item is known for {sku or 'a line without SKU'}; map it once and every order that waits goes on",
        placed_at=unit.now,
    )


def problems_of(order: Order) -> tuple[Problem, ...]:
    """Return an order's open holds as problems, for people and acknowledgements."""
    return tuple(Problem(code=h.code, path=h.path, value=h.value, text=h.reason) for h in order.open_holds)
