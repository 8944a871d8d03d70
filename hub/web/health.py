"""Health for machines: alive (this process serves) and ready (the database takes writes)."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, current_app

from hub.domain.errors import RetryLater
from hub.store.store import Store

health = Blueprint("health", __name__)


@health.get("/health/live")
def live() -> Response:
    """Say that this process answers."""
    return _said(200, {"status": "ok"})


@health.get("/health/ready")
def ready() -> Response:
    """Say whether the database answers; a load balancer takes this process out while it does not."""
    store: Store = current_app.extensions["store"]
    try:
        store.read(lambda db: db.one("SELECT 1"))
    except RetryLater as error:
        return _said(503, {"status": "unavailable", "reason": str(error)})
    return _said(200, {"status": "ok"})


def _said(status: int, data: dict[str, str]) -> Response:
    return Response(msgspec.json.encode(data), status, content_type="application/json")
