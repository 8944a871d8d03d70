"""Connections: who is at the other end, and whether the line is up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import abort, current_app

from hub.domain.connection import Agreement, ConnectionConfig
from hub.ports import Connector
from hub.store.db import Db
from hub.store.looks import deliveries, incidents, messages
from hub.web.console.shared import config, console, page, read
from hub.web.permissions import needs

DOWN = ("suspended", "needs_reauth", "paused")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One connection as the list shows it."""

    config: ConnectionConfig
    title: str
    connector: Connector | None
    state: str
    last_in: int | None
    last_out: int | None
    incident: Any
    pulls: tuple[Any, ...] = ()


def is_down(state: str, broken: bool) -> bool:
    """Say whether nothing gets through: by its state, or because an incident says so."""
    return state in DOWN or (broken and state not in ("draft", "retired"))


def connection_rows() -> list[Line]:
    """Return every connection with its health, those that are down first."""
    snapshot = config()
    broken = read(incidents.broken_connections)
    seen = read(messages.last_seen)
    pulls = read(_pulls)
    found = [_line(each, broken.get(each.name), seen, pulls) for each in snapshot.connections.values()]
    return sorted(found, key=lambda line: (line.state != "down", line.config.name))


def _line(
    each: ConnectionConfig, incident: Any, seen: Mapping[tuple[str, str], int], pulls: Mapping[str, tuple[Any, ...]]
) -> Line:
    connectors: Mapping[str, Connector] = current_app.extensions["connectors"]
    connector = connectors.get(each.connector)
    return Line(
        config=each,
        title=each.title or each.name,
        connector=connector,
        state="down" if connector is None or is_down(each.state, incident is not None) else each.state,
        last_in=seen.get((each.name, "in")),
        last_out=seen.get((each.name, "out")),
        incident=incident,
        pulls=pulls.get(each.name, ()),
    )


def _pulls(db: Db) -> dict[str, tuple[Any, ...]]:
    found: dict[str, tuple[Any, ...]] = {}
    for row in db.all("SELECT connection, kind, cursor, updated_us, next_us, problem FROM cursors LIMIT 5000"):
        found[row.connection] = (*found.get(row.connection, ()), row)
    return found


@console.get("/connections")
@needs("see")
def list_connections() -> str:
    """Show every connection and its health."""
    return page("connections", lines=connection_rows())


@console.get("/connections/<name>")
@needs("see")
def show_connection(name: str) -> str:
    """Show one connection: what it sends and takes, and what waits for it."""
    line = next((each for each in connection_rows() if each.config.name == name), None)
    if line is None:
        abort(404, f"there is no connection {name}")
    snapshot = config()
    agreements: list[Agreement] = [each for each in snapshot.agreements if each.connection == name]
    return page(
        "connection",
        line=line,
        agreements=agreements,
        routes=[each for each in snapshot.routes if each.to == name or each.origin == name],
        stuck=[row for row in read(lambda db: deliveries.stuck(db)) if row.connection == name],
        waiting=read(lambda db: deliveries.deliveries(db, "planned", connection=name, most=50)),
    )
