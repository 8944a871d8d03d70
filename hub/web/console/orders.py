"""Orders: the list, the search, and one order from the bytes that brought it to the receipts of what went out."""

from __future__ import annotations

from typing import get_args

import msgspec
from flask import Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from hub.domain.order import Order
from hub.domain.phase import Phase, overlay
from hub.pipeline.ask import ask
from hub.store import audit
from hub.store.looks import orders, trail
from hub.store.specs import encoder
from hub.web.console.shared import config, console, page, read, services, who, write
from hub.web.permissions import needs


@console.get("/orders")
@needs("see")
def list_orders() -> str:
    """Show orders, the newest first, or what a search found."""
    wanted = request.args.get("q", "").strip()[:200]
    phase = request.args.get("phase", "")
    connection = request.args.get("connection", "")
    snapshot = config()
    if wanted:
        accounts = sorted({name for each in snapshot.connections.values() for name in (each.name, each.identity)})
        found = orders.Page(rows=read(lambda db: orders.search(db, wanted, accounts)))
    else:
        after = request.args.get("after", "")
        found = read(lambda db: orders.orders(db, phase=phase, connection=connection, after=after))
    return page(
        "orders", found=found, wanted=wanted, phase=phase, connection=connection, phases=get_args(Phase),
        connections=sorted(snapshot.connections), window=orders.WINDOW,
    )  # fmt: skip


@console.get("/orders/<order_id>")
@needs("see")
def show_order(order_id: str) -> str:
    """Show one order with everything that happened to it."""
    found = read(lambda db: orders.order(db, order_id))
    if found is None:
        abort(404, f"there is no order {order_id}; search for its number instead")
    order, phase = found
    return page(
        "order",
        order=order,
        phase=phase,
        overlay=overlay(order),
        steps=read(lambda db: trail.trail(db, order_id)),
        records=read(lambda db: orders.records(db, order_id)),
        links=read(lambda db: orders.links(db, order_id)),
        places={place.id: place.code for place in config().locations.values()},
    )


@console.get("/orders/<order_id>/canonical.json")
@needs("bytes")
def show_canonical(order_id: str) -> Response:
    """Return the order as the hub understands it."""
    found = read(lambda db: orders.order(db, order_id))
    if found is None:
        abort(404, f"there is no order {order_id}")
    return Response(_pretty(found[0]), content_type="application/json")


def _pretty(order: Order) -> bytes:
    return msgspec.json.format(encoder.encode(order), indent=2)


@console.post("/orders/<order_id>/release")
@needs("orders")
def release_order(order_id: str) -> Answer:
    """Release a hold, or every hold, of an order; it is looked at again and goes on where nothing else holds it."""
    me = who()
    code, value = request.form.get("code", ""), request.form.get("value", "")
    detail = {"by": me, **({"codes": [code]} if code else {}), **({"value": value} if value else {})}
    happened = ask(services(), "order.release_requested", order_id, **detail)
    if "order.released" in happened:
        write(lambda db: audit.append(db, me, "order.release", order_id, "", f"{code} {value}".strip() or "all holds"))
        flash(_("Released. The order goes on where nothing else holds it."), "good")
    else:
        flash(_("Nothing was released: the cause is still there. Mend it, then try again."), "warn")
    return redirect(url_for("console.show_order", order_id=order_id))
