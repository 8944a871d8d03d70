"""Stock as a file (STO01), and what the marketplace made of it: its state (STO02) and its report of errors (STO03).

Not by OF24: that resets every field of an offer that is not sent, such as its price.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import quote

from connectors.mirakl.client import Marketplace
from hub.sdk import Kit, Outgoing, Problem, Receipt, Rejected, RetryLater

PATH = "/api/offers/stock/imports"
MOST_NAMED = 50
"""So many refused lines of a file are named; the rest is counted."""
MOST_KEPT = 40
"""So many imports fit into one note; an older one is forgotten, and its file goes again."""


class Imports:
    """Which import each delivery became, until its report was read: small notes of the connection, few by number."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    def of(self, key: str) -> str | None:
        """Return the import that a delivery became; None where nothing was uploaded, or it is over."""
        return self._note(key).get(key)

    def keep(self, key: str, number: str) -> None:
        """Note it. Two workers that note at the same moment may lose one: then its file goes again, without harm."""
        kept = {**self._note(key), key: number}
        self._write(key, dict(list(kept.items())[-MOST_KEPT:]))

    def drop(self, key: str) -> None:
        """Forget it."""
        self._write(key, {other: number for other, number in self._note(key).items() if other != key})

    def _note(self, key: str) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.kit.recall(self._name(key)) or "{}")
        return found

    def _write(self, key: str, kept: dict[str, str]) -> None:
        self.kit.remember(self._name(key), json.dumps(kept))

    @staticmethod
    def _name(key: str) -> str:
        """Return one of at most a few hundred names, by the end of the key, which is random."""
        return f"stock imports {key[-2:]}"


def send(market: Marketplace, out: Outgoing, imports: Imports, after: int) -> Receipt:
    """Upload the file, then come back for its report: RetryLater while it runs, Rejected naming the lines refused.

    Absolute levels, so that twice is harmless. With `after` 0 nobody asks for the report.
    """
    number = imports.of(out.key)
    if number is None:
        number = _upload(market, out)
        if after <= 0:
            return Receipt(reference=number)
        imports.keep(out.key, number)
        raise RetryLater(
            f"the marketplace took the file as import {number}; its report is asked for later", after=after
        )
    try:
        _read(market, number, after)
    except Rejected:
        imports.drop(out.key)  # Whoever lets it go again wants the file uploaded anew.
        raise
    imports.drop(out.key)
    return Receipt(reference=number)


def _upload(market: Marketplace, out: Outgoing) -> str:
    boundary = f"part-{out.key}"
    head = (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="file"; filename="stock.csv"\r\n'
        "Content-Type: text/csv; charset=utf-8\r\n\r\n"
    )
    body = head.encode() + out.body + f"\r\n--{boundary}--\r\n".encode()
    return str(market.post(PATH, body, f"multipart/form-data; boundary={boundary}")["import_id"])


def _read(market: Marketplace, number: str, after: int) -> None:
    """Return where an import took every line."""
    path = f"{PATH}/{quote(number, safe='')}"
    state = market.get(f"{path}/status")
    if state["status"] not in ("COMPLETE", "FAILED"):
        raise RetryLater(f"stock import {number} is {state['status']}; its report is asked for later", after=after)
    if state.get("has_error_report"):
        raise Rejected(_refused(market.read(f"{path}/error_report"), state))
    if state["status"] == "FAILED":
        text = f"stock import {number} failed as a whole and says no reason; see its history in the back office"
        raise Rejected([Problem(code="mirakl_stock_import", path="lines", value=number, text=text)])


def _refused(report: bytes, state: dict[str, Any]) -> list[Problem]:
    """Return a problem for each line of the report: its number, the reason, and the line as it was sent."""
    head, *rows = list(csv.reader(io.StringIO(report.decode("utf-8-sig", "replace")), delimiter=";")) or [[]]
    names = [name.strip().lower() for name in head]
    at = names.index("offer-sku") if "offer-sku" in names else -1
    problems = []
    for row in rows:
        if len(row) >= 2:
            sku = row[at] if 0 <= at < len(row) else ""
            what = sku or f"line {row[0]}"
            problems.append(Problem(code="mirakl_stock", path=f"lines[{what}]", value=sku, text=f"{what}: {row[1]}"))
    wrong, right = int(state.get("lines_in_error") or 0), int(state.get("lines_in_success") or 0)
    if not problems:
        text = f"stock import {state['import_id']}: {wrong} lines were refused and the report names none"
        return [Problem(code="mirakl_stock_import", path="lines", text=text)]
    rest = len(problems) - MOST_NAMED
    more = f"{rest} more lines were refused; " if rest > 0 else ""
    also = Problem(code="partly_set", severity="warning", text=f"{more}{right} other levels of this report were set")
    return [*problems[:MOST_NAMED], also]
