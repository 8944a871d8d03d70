"""Stock levels as absolute quantities: one bad item is named and left out, the others are set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.shopify import documents
from connectors.shopify.client import Admin
from hub.sdk import Problem, Receipt, Rejected, RetryLater

MOST = 250
"""So many quantities may stand in one call."""
SKUS = 25
"""So many SKUs are looked up in one question."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where stock is set, and which of the shop's quantities."""

    location_id: str
    quantity_name: str


@dataclass(frozen=True, kw_only=True)
class _Level:
    at: int
    """Which line of the report it is."""
    sku: str
    given: dict[str, Any]


def send(admin: Admin, body: Mapping[str, Any], key: str, place: Place) -> Receipt:
    """Set every level that the shop takes; Rejected names those that it does not."""
    levels, problems = _levels(admin, body["lines"], place)
    done = 0
    for start in range(0, len(levels), MOST):
        part = levels[start : start + MOST]
        refused = _set(admin, part, f"{key}.{start // MOST}", key, place)
        problems += refused
        done += len(part) - len(refused)
    if problems:
        also = Problem(code="partly_set", severity="warning", text=f"{done} other levels of this report were set")
        raise Rejected([*problems, also])
    return Receipt(reference=key)


def _levels(admin: Admin, lines: Sequence[Any], place: Place) -> tuple[list[_Level], list[Problem]]:
    by_sku = _looked_up(admin, [line["sku"] for line in lines if not line.get("inventory_item_id")])
    levels, problems = [], []
    for at, line in enumerate(lines):
        item = line.get("inventory_item_id") or by_sku.get(line["sku"])
        location = line.get("location_id") or place.location_id
        if not item or not location:
            what = f"the shop has no item with the SKU {line['sku']}" if not item else "no location: set location_id"
            path = f"lines[{at}].{'sku' if not item else 'location'}"
            problems.append(Problem(code="no_item" if not item else "no_location", path=path, text=what))
            continue
        given = {
            "inventoryItemId": _gid("InventoryItem", item),
            "locationId": _gid("Location", location),
            "quantity": int(line["quantity"]),
            # Null on purpose: we are the source of these levels, so theirs is not compared first.
            "changeFromQuantity": None,
        }
        levels.append(_Level(at=at, sku=line["sku"], given=given))
    return levels, problems


def _looked_up(admin: Admin, skus: Sequence[str]) -> dict[str, str]:
    """Return SKU -> inventory item id, where exactly one item has the SKU."""
    found: dict[str, set[str]] = {}
    for start in range(0, len(skus), SKUS):
        words = [sku.replace("\\", "\\\\").replace('"', '\\"') for sku in skus[start : start + SKUS]]
        filter = " OR ".join(f'sku:"{word}"' for word in words)
        for item in admin.nodes(documents.ITEMS_BY_SKU, "inventoryItems", filter=filter):
            found.setdefault(item["sku"], set()).add(item["id"])
    return {sku: next(iter(ids)) for sku, ids in found.items() if len(ids) == 1}


def _set(admin: Admin, levels: Sequence[_Level], call: str, key: str, place: Place) -> list[Problem]:
    """Set one part; what is refused is taken out and the rest sent again under a key of its own."""
    left, problems = list(levels), list[Problem]()
    for attempt in range(3):
        if not left:
            return problems
        given = {
            "name": place.quantity_name,
            "reason": "correction",
            "referenceDocumentUri": f"gid://order-integration-hub/StockReport/{key}",
            "quantities": [level.given for level in left],
        }
        errors = admin.mutate(documents.SET_STOCK, input=given, key=f"{call}.{attempt}")["userErrors"]
        if not errors:
            return problems
        bad = _bad(errors, left)
        problems += [_problem(level, error) for level, error in bad]
        refused = {level.at for level, _ in bad}
        left = [level for level in left if level.at not in refused]
    return problems + [_problem(level, {"message": "the shop refuses the call", "code": ""}) for level in left]


def _bad(errors: Sequence[Any], levels: Sequence[_Level]) -> list[tuple[_Level, Any]]:
    """Return which levels the errors name; an error about the whole call concerns them all."""
    codes = {error["code"] for error in errors}
    if "IDEMPOTENCY_CONCURRENT_REQUEST" in codes:
        raise RetryLater("SetStock: the same report is being set at this moment", after=5)
    if "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED" in codes:
        return []  # Sent again under the next key.
    found: dict[int, tuple[_Level, Any]] = {}
    for error in errors:
        named = next((int(part) for part in error["field"] or () if part.isdecimal() and int(part) < len(levels)), None)
        for at in range(len(levels)) if named is None else (named,):
            found.setdefault(at, (levels[at], error))
    return [found[at] for at in sorted(found)]


def _problem(level: _Level, error: Mapping[str, Any]) -> Problem:
    code = f"shopify_{str(error.get('code') or 'refused').lower()}"
    return Problem(code=code, path=f"lines[{level.at}]", value=level.sku, text=f"{level.sku}: {error['message']}")


def _gid(kind: str, number: object) -> str:
    return str(number) if str(number).startswith("gid://") else f"gid://shopify/{kind}/{number}"
