"""Incidents: one open row per cause, counted when it happens again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import uuid_utils

from hub.domain.incident import Incident
from hub.domain.texts import named, shown
from hub.store.db import Db
from hub.store.types import to_us

_OPEN = "('open', 'acknowledged', 'fixing')"
_UPSERT = f"""
INSERT INTO incidents (id, fingerprint, class, severity, title, detail, next_action, connection, partner, subject_kind,
    subject_id, state, count, first_us, last_us)
VALUES (:id, :fingerprint, :class, :severity, :title, :detail, :next_action, :connection, :partner, :subject_kind,
    :subject_id, 'open', :count, :now, :now)
ON CONFLICT (fingerprint) WHERE state IN {_OPEN}
DO UPDATE SET count = incidents.count + excluded.count, last_us = excluded.last_us, detail = excluded.detail
"""


def open_incident(db: Db, now: int, incident: Incident, count: int = 1) -> None:
    """Open an incident at once, or count it where its fingerprint is open already."""
    db.run(
        _UPSERT, id=str(uuid_utils.uuid7()), fingerprint=named(incident.fingerprint), severity=incident.severity,
        title=shown(incident.title), detail=shown(incident.detail, 4000), next_action=incident.next_action,
        connection=incident.connection, partner=incident.partner, subject_kind=incident.subject_kind,
        subject_id=incident.subject_id, count=count, now=now, **{"class": incident.kind},
    )  # fmt: skip


def suspended_connections(db: Db) -> list[str]:
    """Return the connections whose suspension is open."""
    rows = db.all(
        f"SELECT connection FROM incidents WHERE state IN {_OPEN} "
        "AND fingerprint >= 'suspended/' AND fingerprint < 'suspended0'"
    )
    return [row[0] for row in rows]


class IncidentsPart:
    """`incident` and `resolve` of the `Records` port."""

    db: Db
    now: datetime

    def __init__(self) -> None:
        self._incidents: dict[str, tuple[Incident, int]] = {}
        self._resolved: set[str] = set()

    def incident(self, incident: Incident) -> None:
        """Open an incident at the flush, or count it where its fingerprint is open already."""
        count = self._incidents.get(incident.fingerprint, (incident, 0))[1]
        self._incidents[incident.fingerprint] = (incident, count + 1)

    def resolve(self, fingerprints: Iterable[str]) -> None:
        """Close incidents whose cause is gone, at the flush."""
        self._resolved.update(map(named, fingerprints))

    def flush_incidents(self) -> None:
        """Write one statement per cause: causes are few, whatever the batch."""
        now = to_us(self.now)
        for incident, count in self._incidents.values():
            open_incident(self.db, now, incident, count)
        if self._resolved:
            self.db.run(
                f"UPDATE incidents SET state = 'auto_resolved', last_us = :now "
                f"WHERE {self.db.among('fingerprint', 'keys')} AND state IN {_OPEN}",
                now=now, keys=self.db.array(sorted(self._resolved)),
            )  # fmt: skip
        self._incidents.clear()
        self._resolved.clear()
