"""Deliveries that wait for a person, and what the person decides: try again, skip, mark as sent."""

from __future__ import annotations

from flask import abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from hub.domain.errors import Rejected
from hub.store import resolve
from hub.store.db import Db
from hub.store.looks import deliveries, messages
from hub.web.console.shared import changed, console, page, read, ring, who, write
from hub.web.permissions import needs

MOST_AT_ONCE = 200


@console.get("/deliveries")
@needs("see")
def list_deliveries() -> str:
    """Show what waits for a person, or everything in one state."""
    state = request.args.get("state", "")
    shown = state if state in deliveries.SHOWN else ""
    rows = read(lambda db: deliveries.deliveries(db, shown) if shown else deliveries.stuck(db))
    parked = [] if shown else read(deliveries.parked_work)
    return page("deliveries", rows=rows, parked=parked, state_wanted=shown, states=deliveries.SHOWN)


@console.get("/deliveries/<delivery_id>")
@needs("see")
def show_delivery(delivery_id: str) -> str:
    """Show one delivery with its attempts, and the decisions that are open."""
    found = read(lambda db: deliveries.delivery(db, delivery_id))
    if found is None:
        abort(404, f"there is no delivery {delivery_id}")
    return page(
        "delivery",
        delivery=found,
        attempts=read(lambda db: deliveries.attempts(db, delivery_id)),
        work=read(lambda db: messages.work_of(db, delivery_id)),
        waiting=found.state in resolve.WAITING,
    )


@console.post("/deliveries/<delivery_id>/retry")
@needs("deliveries")
def retry_delivery(delivery_id: str) -> Answer:
    """Try one delivery again, as it was or built anew."""
    me = who()
    rebuild = request.form.get("rebuild") == "1"
    try:
        done = write(lambda db: resolve.retry(db, delivery_id, who=me, rebuild=rebuild))
    except Rejected as error:
        return _refused(delivery_id, error)
    ring(read(lambda db: resolve.lane_of(db, [delivery_id])))
    return _told(delivery_id, done, _("It is tried again now."))


@console.post("/deliveries/<delivery_id>/skip")
@needs("deliveries")
def skip_delivery(delivery_id: str) -> Answer:
    """Give one delivery up."""
    me = who()
    reason = request.form.get("reason", "")
    try:
        done = write(lambda db: resolve.skip(db, delivery_id, who=me, reason=reason))
    except Rejected as error:
        return _refused(delivery_id, error)
    ring(read(lambda db: resolve.lane_of(db, [delivery_id])))
    return _told(delivery_id, done, _("Skipped. What waited behind it goes on."))


@console.post("/deliveries/<delivery_id>/sent")
@needs("deliveries")
def mark_delivery(delivery_id: str) -> Answer:
    """Take a person's word that they have it."""
    me = who()
    reason, reference = request.form.get("reason", ""), request.form.get("reference", "")
    try:
        done = write(lambda db: resolve.mark_sent(db, delivery_id, who=me, reason=reason, reference=reference))
    except Rejected as error:
        return _refused(delivery_id, error)
    ring(read(lambda db: resolve.lane_of(db, [delivery_id])))
    return _told(delivery_id, done, _("Marked as sent. What waited behind it goes on."))


@console.post("/deliveries/retry")
@needs("deliveries")
def retry_deliveries() -> Answer:
    """Try the chosen deliveries again; those in doubt keep their bytes."""
    me = who()
    chosen = request.form.getlist("id")[:MOST_AT_ONCE]
    rebuild = request.form.get("rebuild") == "1"

    def work(db: Db) -> int:
        states = {row.id: row.state for row in deliveries.stuck(db, most=1000)}
        return sum(
            resolve.retry(db, each, who=me, rebuild=rebuild and states.get(each) != "in_doubt") for each in chosen
        )

    count = write(work)
    ring(read(lambda db: resolve.lane_of(db, chosen)))
    flash(ngettext("%(num)s delivery is tried again.", "%(num)s deliveries are tried again.", count), "good")
    return redirect(url_for("console.list_deliveries"))


@console.post("/queue/<int:work_id>/resume")
@needs("deliveries")
def resume(work_id: int) -> Answer:
    """Let parked work be tried again."""
    me = who()
    done = write(lambda db: resolve.resume_work(db, work_id, who=me))
    ring({"realtime", "document", "bulk", "sweep"})
    flash(changed(done, _("It is tried again now.")), "good" if done else "warn")
    return redirect(url_for("console.list_deliveries"))


def _told(delivery_id: str, done: bool, text: str) -> Answer:
    flash(changed(done, text), "good" if done else "warn")
    return redirect(url_for("console.show_delivery", delivery_id=delivery_id))


def _refused(delivery_id: str, error: Rejected) -> Answer:
    flash("; ".join(problem.text for problem in error.problems), "warn")
    return redirect(url_for("console.show_delivery", delivery_id=delivery_id))
