"""Has anything changed? One cheap statement that every live page shares."""

from __future__ import annotations

from collections.abc import Mapping

from hub.store.db import Db

_MOST = 1_000
_LOOK = f"""
SELECT (SELECT max(id) FROM events) AS orders,
    (SELECT max(id) FROM messages) AS messages,
    (SELECT count(*) FROM (SELECT 1 FROM messages WHERE state <> 'applied' AND state = 'received' LIMIT {_MOST}) r)
        AS received,
    (SELECT max(last_us) FROM incidents WHERE state IN ('open', 'acknowledged', 'fixing')) AS last_incident,
    (SELECT count(*) FROM incidents WHERE state IN ('open', 'acknowledged', 'fixing')) AS incidents,
    (SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE state <> 'delivered' AND state = 'planned' LIMIT {_MOST}) p)
        AS planned,
    (SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE state <> 'delivered' AND state = 'begun' LIMIT {_MOST}) b)
        AS begun,
    (SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE state <> 'delivered' AND state IN
        ('refused', 'parked', 'dead', 'in_doubt') LIMIT {_MOST}) s) AS stuck
"""


def pulse(db: Db) -> Mapping[str, str]:
    """Return a mark per kind of row (orders, messages, deliveries, incidents) that differs after a change."""
    row = db.one(_LOOK)
    return {
        "orders": str(row.orders),
        "messages": f"{row.messages} {row.received}",
        "deliveries": f"{row.planned} {row.begun} {row.stuck} {row.messages}",
        "incidents": f"{row.last_incident} {row.incidents}",
    }
