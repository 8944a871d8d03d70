"""Has anything changed? One cheap statement that every live page shares."""

from __future__ import annotations

from collections.abc import Mapping

from hub.store.db import Db
from hub.store.looks.overview import UNSETTLED

_MOST = 1_000
_LOOK = f"""
SELECT (SELECT max(id) FROM events) AS orders,
    (SELECT max(id) FROM messages) AS messages,
    (SELECT count(*) FROM (SELECT 1 FROM messages WHERE {UNSETTLED} AND state = 'received' LIMIT {_MOST}) r)
        AS received,
    (SELECT max(last_us) FROM incidents WHERE state IN ('open', 'acknowledged', 'fixing')) AS last_incident,
    (SELECT count(*) FROM incidents WHERE state IN ('open', 'acknowledged', 'fixing')) AS incidents,
    (SELECT count(*) FROM (SELECT 1 FROM work WHERE status = 'queued' LIMIT {_MOST}) q) AS queued,
    (SELECT count(*) FROM (SELECT 1 FROM work WHERE status = 'running' LIMIT {_MOST}) w) AS running,
    (SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE stuck IS NOT NULL LIMIT {_MOST}) s) AS stuck
"""


def pulse(db: Db) -> Mapping[str, str]:
    """Return a mark per kind of row (orders, messages, deliveries, incidents) that differs after a change."""
    row = db.one(_LOOK)
    return {
        "orders": str(row.orders),
        "messages": f"{row.messages} {row.received}",
        "deliveries": f"{row.queued} {row.running} {row.stuck} {row.messages}",
        "incidents": f"{row.last_incident} {row.incidents}",
    }
