"""`hub demo`: send more orders through every source of the running demo, and show what became of each."""

from __future__ import annotations

import os
import time
from typing import Any

import click
import msgspec
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from hub.cli.demoing.partners import ask_for_orders
from hub.settings import hub_settings
from hub.store.db import Db
from hub.store.store import Store

PATIENCE = 120.0
_FOUND = """
SELECT o.number, o.connection, o.phase,
    (SELECT count(*) FROM deliveries d WHERE d.order_id = o.id) AS planned,
    (SELECT count(*) FROM deliveries d WHERE d.order_id = o.id AND d.state IN ('delivered', 'acknowledged')) AS sent,
    (SELECT count(*) FROM deliveries d WHERE d.order_id = o.id AND d.state = 'refused') AS refused,
    (SELECT count(*) FROM shipments s WHERE s.order_id = o.id AND s.state <> 'draft') AS shipped,
    (SELECT count(*) FROM invoices i WHERE i.order_id = o.id) AS invoiced,
    (SELECT count(*) FROM purchase_orders p WHERE p.order_id = o.id) AS bought,
    (SELECT count(*) FROM deliveries d WHERE d.order_id = o.id AND d.connection = 'mail' AND d.state = 'delivered')
        AS told
FROM orders o WHERE {among}
"""


@click.command()
@click.option("--orders", default=10, show_default=True, help="How many orders to send, in turn through each source.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(orders: int, as_json: bool) -> None:
    """Send orders through every source of a hub that `hub run --demo` started; show what the hub has of them."""
    settings = hub_settings(os.environ)
    control = settings.var / "demo" / "control"
    try:
        placed = ask_for_orders(control.read_text(encoding="utf-8"), orders)
    except OSError as error:
        raise click.ClickException("no demo runs here; start one with `make run` in another terminal") from error
    store = Store(settings.database)
    rows = _wait(store, placed, quiet=as_json)
    store.close()
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
    else:
        _show(rows)


def _wait(store: Store, placed: list[dict[str, str]], *, quiet: bool) -> list[dict[str, Any]]:
    """Look until every order is settled, or time is up; what is shown is what the hub says."""
    until = time.monotonic() + PATIENCE
    rows: list[dict[str, Any]] = []
    with Progress(disable=quiet, transient=True) as progress:
        task = progress.add_task("orders on their way", total=len(placed))
        while time.monotonic() < until:
            rows = store.read(lambda db: _rows(db, placed))
            settled = sum(row["settled"] for row in rows)
            progress.update(task, completed=settled)
            if settled == len(placed):
                break
            time.sleep(0.25)
    return rows


def _rows(db: Db, placed: list[dict[str, str]]) -> list[dict[str, Any]]:
    numbers = db.array(each["number"] for each in placed)
    found = {row[0]: row for row in db.all(_FOUND.format(among=db.among("o.number", "numbers")), numbers=numbers)}
    return [_row(each, found.get(each["number"])) for each in placed]


def _row(placed: dict[str, str], row: Any) -> dict[str, Any]:
    if row is None:
        return {**placed, "phase": "not there yet", "deliveries": "", "shipments": 0, "invoices": 0,
                "purchase_orders": 0, "mails": 0, "settled": False}  # fmt: skip
    quiet = row.sent + row.refused == row.planned
    settled = row.phase in ("on_hold", "cancelled", "rejected") or (row.phase == "in_transit" and quiet)
    refused = f", {row.refused} refused" if row.refused else ""
    return {
        **placed,
        "phase": row.phase,
        "deliveries": f"{row.sent} of {row.planned}{refused}",
        "shipments": row.shipped,
        "invoices": row.invoiced,
        "purchase_orders": row.bought,
        "mails": row.told,
        "settled": bool(settled),
    }


def _show(rows: list[dict[str, Any]]) -> None:
    # Without lines between the columns it fits into 80 characters.
    table = Table(title="What became of the orders: documents sent, shipments, invoices, buys, mails", box=box.SIMPLE)
    for heading in ("source", "order", "phase", "sent", "shipped", "billed", "bought", "told"):
        table.add_column(heading, no_wrap=True)
    for row in rows:
        table.add_row(
            row["source"], row["number"], row["phase"], row["deliveries"], str(row["shipments"]),
            str(row["invoices"]), str(row["purchase_orders"]), str(row["mails"]),
        )  # fmt: skip
    Console().print(table)
