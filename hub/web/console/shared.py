"""The console's blueprint, and what its pages have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Blueprint, current_app, g, render_template, request
from flask_babel import gettext as _

from hub.domain.config import Config
from hub.pipeline.services import Services
from hub.store.db import Db
from hub.store.store import Store
from hub.web import words
from hub.web.sessions import current_user

console = Blueprint("console", __name__, url_prefix="/console")
T = TypeVar("T")


def read(query: Callable[[Db], T]) -> T:
    """Run a query, and remember the database's time for the ages on the page."""
    store: Store = current_app.extensions["store"]

    def timed(db: Db) -> T:
        g.now_us = db.now_us()
        return query(db)

    return store.read(timed)


def write(change: Callable[[Db], T]) -> T:
    """Run a change in a transaction."""
    store: Store = current_app.extensions["store"]
    return store.write(change)


def config() -> Config:
    """Return the configuration as it is now."""
    snapshot: Config = current_app.extensions["config"]()
    return snapshot


def services() -> Services:
    """Return what the pipeline is given."""
    found: Services = current_app.extensions["services"]
    return found


def ring(lanes: set[str]) -> None:
    """Wake the workers of lanes that were given work by hand."""
    for lane in sorted(lanes):
        services().doorbell.ring(lane)


def who() -> str:
    """Return the address of the person who is signed in, for the audit."""
    user = current_user()
    return user.email if user is not None else ""


def page(name: str, **values: Any) -> str:
    """Render a page, or only its live part where a live page asks for it again."""
    partial = request.headers.get("HX-Request") == "true" and request.args.get("part") == "1"
    return render_template(f"console/{name}.html", partial=partial, part_url=_part_url(), **values)


def _part_url() -> str:
    arguments = {name: value for name, value in request.args.items() if name != "part"}
    return f"{request.path}?{urlencode({**arguments, 'part': '1'})}"


@console.app_template_filter("ago")
def _ago(us: int | None) -> str:
    return words.ago(us, g.get("now_us", us or 0))


def changed(done: bool, text: str) -> str:
    """Return what to say after an action: that it is done, or that somebody was quicker."""
    return text if done else _("Nothing was changed: it was not waiting any more. Look at it as it is now.")
