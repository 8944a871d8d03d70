"""The way in: tries at a limited pace, steps that are half done, and at the end a session that no one had before."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import abort, current_app, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from hub.domain.sign_in import SignInRules
from hub.store import people, second_factors, steps, throttle
from hub.store.db import Db
from hub.store.people import User
from hub.store.steps import Step
from hub.store.store import Store
from hub.web.sessions import begin_session, drop_session, safe_channel

log = logging.getLogger(__name__)
HALF = "half"
FRESH_SECONDS = 900
"""So long after signing in one may change how one signs in; later one signs in again first."""
T = TypeVar("T")
Page = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]


def rules() -> SignInRules:
    """Return how people sign in here."""
    found: SignInRules = current_app.extensions["sign_in_rules"]
    return found


def read(query: Callable[[Db], T]) -> T:
    """Run a query."""
    store: Store = current_app.extensions["store"]
    return store.read(query)


def write(change: Callable[[Db], T]) -> T:
    """Run a change in a transaction, maybe in another thread: it knows nothing of this request."""
    store: Store = current_app.extensions["store"]
    return store.write(change)


def subjects(email: str) -> list[str]:
    """Return what tries are counted by: the account, and where they come from."""
    return [f"account:{email}", f"address:{request.remote_addr}"]


def seconds_to_wait(email: str) -> int:
    """Count a try, of a password or of a code alike, and return 0, or the seconds to wait instead."""
    counted = subjects(email)
    wait = write(lambda db: throttle.admit(db, counted))
    if wait:
        log.warning("a sign-in to %r from %s has to wait %s s", email, request.remote_addr, wait)
    return wait


def too_many(seconds: int) -> str:
    """Say that somebody has to wait."""
    return str(_("Too many tries. Wait %(seconds)s seconds, then try again.", seconds=seconds))


def refused(email: str, what: str) -> None:
    """Log a sign-in that was not right; the two that are told apart on no page are told apart here neither."""
    log.warning("%s refused for %r from %s", what, email, request.remote_addr)


def enter(user: User, where: str) -> Response:
    """Go on after a first step was proven: to the second where the user has one, else in."""
    if read(lambda db: second_factors.factors_of(db, user.id)).some:
        leave_step(HALF, user.id, {"next": where})
        return redirect(url_for("second_step.ask"))
    return let_in(user, where)


def let_in(user: User, where: str) -> Response:
    """Open a new session, end the one the browser had, forget the tries that failed, and lead on."""
    token = people.new_token()
    counted = subjects(user.email)

    def work(db: Db) -> None:
        throttle.forget(db, counted)
        people.open_session(db, token, user.id)

    drop_session()
    write(work)
    log.info("%s signed in from %s", user.email, request.remote_addr)
    session.pop("steps", None)
    response = redirect(where)
    begin_session(response, token)
    return response


def leave_step(kind: str, user_id: str, value: Mapping[str, Any]) -> str:
    """Keep what this request proved or asked; the browser gets a token for it, which is returned too."""
    token = people.new_token()
    write(lambda db: steps.keep_step(db, token, kind, user_id, value))
    session["steps"] = {**session.get("steps", {}), kind: token}
    return token


def step_token(kind: str) -> str:
    """Return the token of the step that this browser is at, '' where there is none."""
    return str(session.get("steps", {}).get(kind, ""))


def look_at_step(kind: str) -> Step | None:
    """Return the step that this browser is at."""
    token = step_token(kind)
    return read(lambda db: steps.look_at_step(db, token, kind)) if token else None


def take_step(kind: str) -> Step | None:
    """Use the step up that this browser is at."""
    token = step_token(kind)
    session["steps"] = {name: each for name, each in session.get("steps", {}).items() if name != kind}
    return write(lambda db: steps.take_step(db, token, kind)) if token else None


def next_page(wanted: str) -> str:
    """Return where to go after signing in: a page of ours for people, never another host."""
    parts = urlsplit(wanted)
    local = not parts.scheme and not parts.netloc and "\\" not in wanted
    known = parts.path in ("/console", "/account") or parts.path.startswith(("/console/", "/account/"))
    return wanted if local and known else "/console"


def refuse_open_wire() -> None:
    """End with a sentence where a password or a code would be readable on its way."""
    if not safe_channel():
        abort(403, _("Passwords travel over https only. Open this page by https, or on the hub's own machine."))
