"""Sign in, sign out, and the one-time link that sets up the first owner or a person's password."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, request
from flask_babel import gettext as _

from hub.domain.errors import Rejected
from hub.store import people
from hub.store.db import Db
from hub.store.people import Passwords, User
from hub.web import passkeys
from hub.web.entering import (
    Page,
    enter,
    let_in,
    next_page,
    read,
    refuse_open_wire,
    refused,
    rules,
    seconds_to_wait,
    too_many,
    write,
)
from hub.web.permissions import needs
from hub.web.sessions import current_user, end_session, safe_channel

sign_in = Blueprint("sign_in", __name__)


@sign_in.get("/sign-in")
@needs("public")
def ask() -> Page:
    """Show the form; somebody who is signed in goes on, or signs in `again` before a change that asks for it."""
    user = current_user()
    if user is not None and not request.args.get("again"):
        return redirect(_next())
    return form_page(email=user.email if user is not None else "")


@sign_in.post("/sign-in")
@needs("public")
def check() -> Page:
    """Compare the password at a limited pace, then ask for the second factor or open a session."""
    refuse_open_wire()
    email = request.form.get("email", "").strip().lower()[:320]
    wait = seconds_to_wait(email)
    if wait:
        text, status = form_page(problem=too_many(wait), email=email, status=429)
        return text, status, {"Retry-After": str(wait)}
    user = _proven(email, request.form.get("password", ""))
    if user is None:
        refused(email, "password")
        return form_page(problem=_("This address and password do not belong together."), email=email, status=401)
    return enter(user, _next())


@sign_in.post("/sign-in/passkey")
@needs("public")
def check_passkey() -> Page:
    """Sign in without a password: the key shows that it is there, and that its owner unlocked it."""
    proven = passkeys.verified_owner(request.form.get("credential", ""))
    return form_page(problem=proven, status=401) if isinstance(proven, str) else let_in(proven, _next())


@sign_in.post("/sign-out")
@needs("public")
def leave() -> Page:
    """Sign out here."""
    flash(_("You are signed out."))
    response = redirect("/sign-in")
    end_session(response)
    return response


@sign_in.get("/sign-in/first")
@needs("public")
def first() -> Page:
    """Show the form behind a one-time link; looking at it does not use the link up."""
    token = request.args.get("token", "")
    user_id = read(lambda db: people.token_user(db, token))
    return _first_form(token, user_id)


@sign_in.post("/sign-in/first")
@needs("public")
def set_up() -> Page:
    """Use the link up: make the first owner, or set the password of the person it was made for."""
    refuse_open_wire()
    token, email = request.form.get("token", ""), request.form.get("email", "").strip().lower()
    user_id = read(lambda db: people.token_user(db, token))
    if user_id is None:
        return _first_form(token, None)
    try:
        password_hash = _passwords().hash(request.form.get("password", ""))
        user = write(lambda db: _claim(db, token, email, password_hash))
    except Rejected as error:
        return _first_form(token, user_id, problems=[str(problem) for problem in error.problems], email=email)
    if user is None:
        return _first_form(token, None)
    return enter(user, "/console")


def _claim(db: Db, token: str, email: str, password_hash: str) -> User | None:
    """Turn a token into a user, in one transaction: a link serves once."""
    user_id = people.use_token(db, token)
    if user_id is None or (not user_id and people.has_users(db)):
        return None
    if not user_id:
        return people.add_user(db, email, "owner", password_hash=password_hash, who="first run")
    user = people.user_by_id(db, user_id)
    if user is None or user.disabled:
        return None
    people.set_password(db, user_id, password_hash, who=user.email)
    return user


def _proven(email: str, password: str) -> User | None:
    found = read(lambda db: people.user_by_email(db, email))
    user, stored = found if found is not None else (None, "")
    fits = _passwords().matches(stored, password)
    return user if user is not None and fits and not user.disabled else None


def form_page(*, problem: str = "", email: str = "", status: int = 200) -> tuple[str, int]:
    """Return the sign-in page, with what went wrong."""
    page = render_template(
        "sign_in.html", problem=problem, email=email, next=_next(), safe=safe_channel(),
        empty=not read(people.has_users), oidc=rules().oidc, passkeys_work=passkeys.available(),
    )  # fmt: skip
    return page, status


def _first_form(
    token: str, user_id: str | None, *, problems: list[str] | None = None, email: str = ""
) -> tuple[str, int]:
    known = read(lambda db: people.user_by_id(db, user_id)) if user_id else None
    page = render_template(
        "first.html", token=token, valid=user_id is not None, known=known, problems=problems or [], email=email,
        shortest=people.SHORTEST_PASSWORD, safe=safe_channel(),
    )  # fmt: skip
    return page, 410 if user_id is None else 422 if problems else 200


def _next() -> str:
    return next_page(request.values.get("next", ""))


def _passwords() -> Passwords:
    passwords: Passwords = current_app.extensions["passwords"]
    return passwords
