"""The first page: six numbers that are links, what needs a person, and what came in last."""

from __future__ import annotations

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from hub.store.looks import incidents, messages, orders, overview
from hub.web.console.connections import is_down
from hub.web.console.shared import config, console, page, read
from hub.web.permissions import needs

LATEST = 10


@console.get("", strict_slashes=False)
@needs("see")
def show_overview() -> str:
    """Show how things are."""
    snapshot = config()
    broken = read(incidents.broken_connections)
    down = sum(is_down(each.state, each.name in broken) for each in snapshot.connections.values())
    return page(
        "overview",
        numbers=read(lambda db: overview.numbers(db, down)),
        orders=read(lambda db: orders.orders(db, most=LATEST)).rows,
        messages=read(lambda db: messages.messages(db, most=LATEST)).rows,
        incidents=read(lambda db: incidents.open_incidents(db, most=LATEST)),
        connections=snapshot.connections,
        agreements=snapshot.agreements,
        routes=snapshot.routes,
    )


@console.get("/sign-in")
@needs("public")
def old_sign_in() -> Answer:
    """Lead a one-time link of the command line to its form."""
    token = request.args.get("token")
    return redirect(url_for("sign_in.first", token=token) if token else url_for("sign_in.ask"))


@console.get("/queue")
@needs("see")
def show_work() -> str:
    """Show what is due in each lane, what will be tried again, and what was parked."""
    return page(
        "work",
        lanes=[each for each in read(overview.lanes) if each.depth],
        waiting=read(overview.waiting),
    )


@console.get("/overdue")
@needs("see")
def show_overdue() -> str:
    """Show the acknowledgements that partners owe us."""
    return page("overdue", rows=read(overview.overdue))
