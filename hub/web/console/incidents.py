"""Incidents: one per cause, with what to do; acknowledged by a person, resolved by one or by itself."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from hub.store import resolve
from hub.store.looks import deliveries, incidents
from hub.web.console.shared import changed, console, page, read, who, write
from hub.web.permissions import needs


@console.get("/incidents")
@needs("see")
def list_incidents() -> str:
    """Show what is open, or everything that ever was."""
    if request.args.get("show") == "all":
        found = read(lambda db: incidents.past_incidents(db, after=request.args.get("after", "")))
        return page("incidents", rows=found.rows, after=found.after, past=True)
    return page("incidents", rows=read(incidents.open_incidents), after="", past=False)


@console.get("/incidents/<incident_id>")
@needs("see")
def show_incident(incident_id: str) -> str:
    """Show one cause, where it leads, and the deliveries that wait because of it."""
    found = read(lambda db: incidents.incident(db, incident_id))
    if found is None:
        abort(404, f"there is no incident {incident_id}")
    return page("incident", incident=found, stuck=_behind(found))


@console.post("/incidents/<incident_id>/<state>")
@needs("incidents")
def decide(incident_id: str, state: str) -> Answer:
    """Acknowledge, say it is being mended, or resolve."""
    me = who()
    if state not in ("acknowledged", "fixing", "resolved"):
        abort(404)
    note = request.form.get("note", "")
    done = write(lambda db: resolve.decide_incident(db, incident_id, state, who=me, note=note))
    flash(changed(done, _("The incident is %(state)s.", state=state)), "good" if done else "warn")
    return redirect(url_for("console.show_incident", incident_id=incident_id))


def _behind(incident: Any) -> list[Any]:
    """Return the refused deliveries that share an incident's connection and document."""
    parts = incident.fingerprint.split("/")
    if parts[0] != "out" or len(parts) < 3:
        return []
    return [row for row in read(deliveries.stuck) if row.connection == parts[1] and row.send == parts[2]]
