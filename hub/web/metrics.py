"""`/metrics` for Prometheus: what is unfinished, by state, and what waits in each lane. Only cheap, bounded counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, current_app
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from hub.domain.errors import RetryLater
from hub.store.db import Db
from hub.store.looks import overview
from hub.store.store import Store
from hub.web.permissions import needs

metrics = Blueprint("metrics", __name__)


class Unfinished(Collector):
    """Reads the numbers at each scrape; every count stops at a bound, so that no backlog slows a scrape."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def collect(self) -> Iterator[Any]:
        """Yield one family per question."""
        bound = f"counted up to {overview.MOST}"
        states = GaugeMetricFamily("hub_unfinished", f"Rows that are not finished ({bound})", labels=["kind", "state"])
        for (kind, state), count in overview.state_counts(self._db).items():
            states.add_metric([kind, state], count)
        yield states
        depth = GaugeMetricFamily("hub_queue_depth", f"Work that is due ({bound})", labels=["lane", "task"])
        oldest = GaugeMetricFamily(
            "hub_queue_oldest_seconds", "Since when the oldest due work waits", labels=["lane", "task"]
        )
        for lane in overview.lanes(self._db):
            depth.add_metric([lane.lane, lane.task], lane.depth)
            oldest.add_metric([lane.lane, lane.task], lane.oldest or 0)
        yield depth
        yield oldest
        numbers = overview.numbers(self._db, 0)
        yield GaugeMetricFamily(
            "hub_orders_today", f"Orders received since midnight UTC ({bound})", value=numbers.orders_today
        )
        yield GaugeMetricFamily(
            "hub_receipts_overdue", f"Acknowledgements partners owe us ({bound})", value=numbers.overdue
        )


@metrics.get("/metrics")
@needs("machine")
def scrape() -> Response:
    """Answer a scrape from the database; 503 where it does not answer."""
    store: Store = current_app.extensions["store"]
    try:
        text = store.read(_exposed)
    except RetryLater as error:
        return Response(f"# {error}\n", 503, content_type="text/plain; charset=utf-8")
    return Response(text, content_type=CONTENT_TYPE_LATEST)


def _exposed(db: Db) -> bytes:
    registry = CollectorRegistry()
    registry.register(Unfinished(db))
    return generate_latest(registry)
