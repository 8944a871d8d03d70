"""Who fulfils: places that hold the goods, ranked by how much they hold, then how near they are, then priority.

A score is 1000 for all lines in full, up to 500 for the share of lines held in full, up to 100 for nearness, less the
place's priority in hundredths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from math import asin, cos, radians, sin, sqrt

from msgspec.structs import replace

from hub.domain.money import ZERO
from hub.domain.order import Order
from hub.domain.party import Address
from hub.domain.shipment import Candidate, SourcingDecision
from hub.domain.stock import Location, StockLevel

RULES_VERSION = "coverage-nearness-priority/1"
EARTH_KM = 6371
Decide = Callable[[Order, Sequence[Candidate]], SourcingDecision | None]


class Free:
    """What may still be promised, by item and place; falls as a batch's orders take from it."""

    def __init__(self, levels: Sequence[StockLevel], places: Mapping[str, Location]) -> None:
        self.places = places
        self.by_item: dict[str, dict[str, Decimal]] = {}
        self.tracked: dict[str, set[str]] = {}
        """Item id -> suppliers who tell how much of it they have."""
        self._near: dict[tuple[str, str], tuple[int, str]] = {}
        for level in levels:
            place = places.get(level.location_id)
            if place is None:
                continue
            if place.kind == "supplier":
                self.tracked.setdefault(level.item_id, set()).add(place.connection)
            if (available := level.available) > 0:
                self.by_item.setdefault(level.item_id, {})[level.location_id] = available

    def take(self, item_id: str, place_id: str, wanted: Decimal) -> Decimal:
        """Take as much as is there, at most what is wanted, and return it."""
        here = self.by_item.get(item_id)
        if here is None or (there := here.get(place_id, ZERO)) <= 0:
            return ZERO
        taken = min(wanted, there)
        here[place_id] = there - taken
        return taken

    def nearness(self, place: Location, to: Address | None) -> tuple[int, str]:
        """Return 0 to 100 and why; one computation per place and postal area."""
        if to is None:
            return 0, "no address to ship to"
        key = (place.id, f"{to.country}/{to.region}/{to.postal_code}/{to.latitude}/{to.longitude}")
        if key not in self._near:
            self._near[key] = _nearness(place.address, to)
        return self._near[key]


def _nearness(here: Address, there: Address) -> tuple[int, str]:
    kilometres = distance(here, there)
    if kilometres is not None:
        return max(0, 100 - kilometres // 50), f"{kilometres} km away"
    if not here.country or here.country != there.country:
        return 0, "another country"
    if here.region and here.region == there.region:
        return (90, "same postal code") if here.postal_code == there.postal_code else (80, "same region")
    return 50, "same country"


def distance(here: Address, there: Address) -> int | None:
    """Return whole kilometres along the great circle; None where a side has no geo position."""
    if here.latitude is None or here.longitude is None or there.latitude is None or there.longitude is None:
        return None
    north, south = radians(here.latitude), radians(there.latitude)
    half = sin((south - north) / 2) ** 2
    half += cos(north) * cos(south) * sin(radians(there.longitude - here.longitude) / 2) ** 2
    return round(2 * EARTH_KM * asin(sqrt(half)))


def candidates(order: Order, needs: Mapping[str, Decimal], free: Free) -> tuple[Candidate, ...]:
    """Return the places that hold anything of what is needed (item id -> quantity), best first."""
    covered: dict[str, int] = {}
    for item_id, wanted in needs.items():
        for place_id, available in free.by_item.get(item_id, {}).items():
            if available > 0:
                covered[place_id] = covered.get(place_id, 0) + (available >= wanted)
    if len(covered) == 1:
        [(place_id, full)] = covered.items()
        return (_candidate(order, free, free.places[place_id], full, len(needs)),)
    found = [_candidate(order, free, free.places[place_id], full, len(needs)) for place_id, full in covered.items()]
    return tuple(sorted(found, key=lambda each: (-each.score, each.target)))


def _candidate(order: Order, free: Free, place: Location, full: int, needed: int) -> Candidate:
    near, why = free.nearness(place, order.ship_to)
    hundredths = (1000 * (full == needed) + near) * 100 + 50_000 * full // needed - place.priority
    return Candidate(
        target=place.id,
        score=Decimal(hundredths).scaleb(-2),
        reason=f"{full} of {needed} items in full, {why}, priority {place.priority}",
    )


def source(order: Order, found: tuple[Candidate, ...], decide: Decide | None) -> SourcingDecision:
    """Return the decision: a plug-in's if it made one, else the best candidate; always with all candidates."""
    answer = decide(order, found) if decide is not None and found else None
    if answer is not None:
        return replace(answer, candidates=answer.candidates or found)
    if not found:
        return SourcingDecision(rules_version=RULES_VERSION, reasons=("no place has any of it",))
    return SourcingDecision(
        rules_version=RULES_VERSION,
        candidates=found,
        chosen=found[0].target,
        runner_up=found[1].target if len(found) > 1 else "",
        reasons=(found[0].reason,),
    )
