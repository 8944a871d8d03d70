"""What is to be done, and who holds it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Task = Literal["ingest", "frame", "send", "pull", "timer"]
LANES = ("realtime", "document", "bulk", "sweep")


class WorkItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do. Rows of one `order_key` are done in the order they were stored."""

    task: Task
    subject_id: str
    lane: str = "document"
    part: int = 0
    order_key: str | None = None
    due_at: datetime | None = None
    """None means at once."""
    connection: str = ""
    partner: str = ""
    reason: str = ""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A leased work row. `epoch` fences: a write for another epoch is refused."""

    id: int
    lane: str
    task: Task
    subject_id: str
    part: int
    order_key: str | None
    epoch: int
    starts: int
    attempts: int
    connection: str
    partner: str
    reason: str = ""
