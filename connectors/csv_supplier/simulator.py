"""A supplier who works through CSV files: answers purchase orders, ships, counts. The connector never imports it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

Row = Mapping[str, str]


@dataclass(kw_only=True)
class CsvSupplier:
    """Works the folders below `root` when told to. What is not in `stock` is refused; too little is cut short."""

    root: Path
    stock: dict[str, Decimal] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    """File names that were taken; a delivery that comes twice is one order."""
    open_orders: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    shipped: int = 0

    def work(self) -> None:
        """Take new purchase orders, answer each, ship what was promised."""
        for number in self.take_orders():
            self.acknowledge(number)
            self.ship(number)

    def take_orders(self) -> list[str]:
        """Read new purchase order files and return their numbers."""
        taken = []
        for file in sorted((self.root / "orders").glob("*.csv")):
            if file.name not in self.seen:
                self.seen.add(file.name)
                rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"), newline="")))
                self.open_orders[rows[0]["po_number"]] = rows
                taken.append(rows[0]["po_number"])
        return taken

    def acknowledge(self, number: str) -> None:
        """Answer each line: accepted, short (changed) or rejected; what is promised is taken off the stock."""
        answers = []
        for row in self.open_orders[number]:
            asked, there = Decimal(row["quantity"]), self.stock.get(row["sku"], Decimal(0))
            promised = min(asked, there)
            self.stock[row["sku"]] = there - promised
            status = "accepted" if promised == asked else "changed" if promised else "rejected"
            answers.append({
                "po_number": number, "po_line": row["po_line"], "sku": row["sku"], "status": status,
                "quantity": f"{promised:f}", "reason": "" if promised == asked else "out of stock",
            })  # fmt: skip
            row["quantity"] = f"{promised:f}"
        self._write("acknowledgements", f"ack-{number}.csv", answers)

    def ship(self, number: str) -> None:
        """Say that all that was promised of an order left in one parcel; nothing is written for nothing."""
        rows = [row for row in self.open_orders.pop(number) if Decimal(row["quantity"])]
        if rows:
            self.shipped += 1
            parcel = f"PX{self.shipped:010d}"
            self._write("shipments", f"shipment-{number}-{self.shipped}.csv", [
                {"shipment_number": f"{number}-{self.shipped}", "po_number": number, "po_line": row["po_line"],
                 "sku": row["sku"], "quantity": row["quantity"], "carrier": "PARCELX", "service": "standard",
                 "tracking_number": parcel, "tracking_url": f"https://parcelx.example/{parcel}",
                 "shipped_at": "2026-11-20T15:00:00Z"} for row in rows
            ])  # fmt: skip

    def count(self, name: str = "stock.csv") -> None:
        """Write what there is."""
        self._write("stock", name, [{"sku": sku, "quantity": f"{have:f}"} for sku, have in sorted(self.stock.items())])

    def _write(self, folder: str, name: str, rows: Sequence[Row]) -> None:
        place = self.root / folder
        place.mkdir(parents=True, exist_ok=True)
        with (place / f".{name}").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]) if rows else ["sku", "quantity"])
            writer.writeheader()
            writer.writerows(rows)
        (place / f".{name}").rename(place / name)
