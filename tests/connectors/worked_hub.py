"""A hub with one connection, worked by hand: what tests of whole orders and of published stock share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub.bootstrap import Hub, build
from hub.domain.stock import StockReport, StockReportLine
from hub.pipeline.route import route
from hub.settings import HubSettings
from hub.store import seeds
from hub.store.migrate import upgrade
from hub.store.seed_files import read_folder

GOODS = {
    "items.csv": "sku,name\nWIDGET-001,Widget\nPANEL-A3,Panel\n",
    "stock.csv": "location,sku,quantity\nHH,WIDGET-001,50\nHH,PANEL-A3,50\n",
    "locations.toml": '[[location]]\ncode = "HH"\nname = "Hamburg"\naddress = { city = "Hamburg", country = "DE" }\n',
}


class WorkedHub:
    """A hub that does what is due when it is told to."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def work(self) -> None:
        """Do all that is due."""
        self.hub.worker.run_dry()

    def poll(self) -> None:
        """Every pull is due; do all that follows."""
        self.hub.store.write(lambda db: db.run("UPDATE cursors SET next_us = 0"))
        self.hub.tick()
        self.work()

    def again(self) -> None:
        """What was put back for later is due."""
        self.hub.store.write(lambda db: db.run("UPDATE work SET due_us = 0 WHERE status = 'queued'"))
        self.work()

    def publish(self, connection: str, lines: Sequence[StockReportLine]) -> None:
        """New levels are published to a connection."""

        def published(unit: Any) -> None:
            report = StockReport(id=unit.new_id(), connection=connection, lines=tuple(lines))
            unit.put(report)
            unit.emit(
                "stock_report.published", subject_kind="stock_report", subject_id=report.id,
                detail={"target": connection},
            )  # fmt: skip
            route(self.hub.services, unit)

        self.hub.ledger.transact(published)
        self.work()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what the record says."""
        return self.hub.store.read(lambda db: [tuple(row) for row in db.all(sql)])

    def count(self, name: str) -> int:
        """Return how often an event happened."""
        ((found,),) = self.rows(f"SELECT count(*) FROM events WHERE name = '{name}'")
        return int(found)


@contextmanager
def hub_of(folder: Path, name: str, connection: str, routes: str, *, fulfils: bool) -> Iterator[Hub]:
    """Run a hub on a database of its own, which only translates orders, or `fulfils` them from a place of its own.

    The connection's file must say `items = "any"` and `fulfilled_by = "elsewhere"`.
    """
    config = folder / "config"
    (config / "connections").mkdir(parents=True)
    if fulfils:
        connection = connection.replace('"any"', '"known"').replace('"elsewhere"', '"hub"')
        for file, text in GOODS.items():
            (config / file).write_text(text)
    (config / f"connections/{name}.toml").write_text(connection)
    (config / "routes.toml").write_text(routes)
    database = f"sqlite:///{folder / 'hub.db'}"
    upgrade(database)
    hub = build(HubSettings(database_url=database, var=folder / "var", allow_networks=("127.0.0.0/8",)))
    found = read_folder(config)
    hub.store.write(lambda db: seeds.apply(db, found, who="test"))
    try:
        yield hub
    finally:
        hub.close()
