"""The second step of a sign-in: a code of an app, a recovery code or a passkey. Half signed in, nothing else opens."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from hub.store import people, second_factors
from hub.store.db import Db
from hub.store.people import User
from hub.store.vault import Vault
from hub.web import passkeys
from hub.web.entering import (
    HALF,
    Page,
    let_in,
    look_at_step,
    next_page,
    read,
    refuse_open_wire,
    refused,
    seconds_to_wait,
    take_step,
    too_many,
    write,
)
from hub.web.permissions import needs

second_step = Blueprint("second_step", __name__, url_prefix="/sign-in/second")


@second_step.get("")
@needs("public")
def ask() -> Page:
    """Show the form to somebody whose first step was right."""
    user = _half_signed_in()
    return _form(user) if user is not None else _from_the_start()


@second_step.post("")
@needs("public")
def check() -> Page:
    """Compare the code, at the same pace as passwords; each serves once."""
    refuse_open_wire()
    user = _half_signed_in()
    if user is None:
        return _from_the_start()
    wait = seconds_to_wait(user.email)
    if wait:
        text, status = _form(user, problem=too_many(wait), status=429)
        return text, status, {"Retry-After": str(wait)}
    if not _fits(user, request.form.get("code", "")[:100]):
        refused(user.email, "code")
        return _form(user, problem=_("This code is not right, or was used already. Try the next one."), status=401)
    return _go_on(user)


@second_step.post("/passkey")
@needs("public")
def check_passkey() -> Page:
    """Verify the answer of a passkey of this person."""
    user = _half_signed_in()
    if user is None:
        return _from_the_start()
    proven = passkeys.verified_owner(request.form.get("credential", ""), user.id)
    if isinstance(proven, str):
        refused(user.email, "passkey")
        return _form(user, problem=proven, status=401)
    return _go_on(proven)


def _go_on(user: User) -> Page:
    step = take_step(HALF)
    return let_in(user, next_page(step.value["next"])) if step is not None else _from_the_start()


def _fits(user: User, code: str) -> bool:
    vault: Vault = current_app.extensions["vault"]
    totp = read(lambda db: (second_factors.totp_of(db, user.id), db.now_us()))
    step = None
    if totp[0] is not None and totp[0].confirmed:
        secret = second_factors.totp_secret(vault.keys(totp[0].sealed.key_id), user.id, totp[0])
        step = second_factors.matching_step(secret, code, totp[1])
    if step is not None:
        return write(lambda db: second_factors.use_step(db, user.id, step))
    return _fits_recovery(user, code)


def _fits_recovery(user: User, code: str) -> bool:
    def work(db: Db) -> int | None:
        used = second_factors.use_code(db, user.id, code, who=user.email)
        return second_factors.factors_of(db, user.id).codes_left if used else None

    left = write(work)
    if left is not None:
        text = _("That recovery code is used up; %(count)s are left. “Your sign-in” makes new ones.", count=left)
        flash(text, "warn" if left < 4 else "good")
    return left is not None


def _half_signed_in() -> User | None:
    step = look_at_step(HALF)
    user = read(lambda db: people.user_by_id(db, step.user_id)) if step is not None else None
    return user if user is not None and not user.disabled else None


def _form(user: User, *, problem: str = "", status: int = 200) -> tuple[str, int]:
    factors = read(lambda db: second_factors.factors_of(db, user.id))
    usable = bool(factors.passkeys) and passkeys.available()
    return render_template("second_step.html", user=user, factors=factors, usable=usable, problem=problem), status


def _from_the_start() -> Page:
    flash(_("That took too long. Sign in again."), "warn")
    return redirect(url_for("sign_in.ask"))
