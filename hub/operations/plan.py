"""What was decided for one order in one go: how much of which line, from where."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from hub.domain.order import OrderLine
from hub.domain.shipment import SourcingDecision

Part = tuple[OrderLine, Decimal]
UNDECIDED = SourcingDecision()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The parts of an order by location (reserved there) and by supplier (bought from them)."""

    order_id: str
    places: dict[str, list[Part]] = field(default_factory=dict)
    suppliers: dict[str, list[Part]] = field(default_factory=dict)
    backordered: dict[str, Decimal] = field(default_factory=dict)
    """Line number -> how much nobody has."""
    decision: SourcingDecision = UNDECIDED

    def planned(self) -> dict[str, Decimal]:
        """Return how much of each line was placed."""
        sums: dict[str, Decimal] = {}
        for parts in (*self.places.values(), *self.suppliers.values()):
            for line, quantity in parts:
                sums[line.line_no] = sums.get(line.line_no, Decimal(0)) + quantity
        return sums
