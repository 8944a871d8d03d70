"""“Your sign-in”: everybody's own second factors. A change asks for a sign-in that is not long past."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, cast

import pyotp
import segno
from flask import Blueprint, Response, abort, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from webauthn.helpers import bytes_to_base64url

from hub.domain.errors import Rejected
from hub.store import identities, people, second_factors
from hub.store import passkeys as stored
from hub.store.db import Db
from hub.store.people import User
from hub.store.vault import Vault
from hub.web import passkeys
from hub.web.entering import (
    FRESH_SECONDS,
    Page,
    next_page,
    read,
    refuse_open_wire,
    rules,
    seconds_to_wait,
    too_many,
    write,
)
from hub.web.permissions import may, needs
from hub.web.sessions import current_user, must_enrol, session_token

account = Blueprint("account", __name__, url_prefix="/account")
View = TypeVar("View", bound=Callable[..., Page])


def fresh(view: View) -> View:
    """Ask somebody whose sign-in is long past to sign in again before this."""

    @wraps(view)
    def ask_first(*arguments: object, **named: object) -> Page:
        if read(lambda db: people.session_age(db, session_token())) <= FRESH_SECONDS:
            return view(*arguments, **named)
        if "text/html" not in request.headers.get("Accept", ""):
            abort(401, _("You signed in a while ago. Load this page again, and sign in again."))
        flash(_("You signed in a while ago. Sign in again to change how you sign in."), "warn")
        return redirect(url_for("sign_in.ask", again=1, next=url_for("account.show")))

    return cast(View, ask_first)


@account.get("")
@needs("own")
def show() -> Page:
    """Show what one has."""
    return _page("account", keys=read(lambda db: stored.passkeys_of(db, _me().id)),
                 linked=read(lambda db: identities.identities_of(db, _me().id)),
                 sessions=read(lambda db: people.sessions_of(db, _me().id, session_token())))  # fmt: skip


@account.post("/app")
@needs("own")
@fresh
def begin_app() -> Page:
    """Make a secret for an authenticator app, then show it."""
    keys, me = _vault().keys(), _me()
    try:
        write(lambda db: second_factors.begin_totp(db, keys, me.id))
    except Rejected as error:
        flash(str(error), "warn")
        return redirect(url_for("account.show"))
    return redirect(url_for("account.show_app"))


@account.get("/app")
@needs("own")
@fresh
def show_app() -> Page:
    """Show the secret, as a picture and to type, until its first code was right."""
    return _app_page()


@account.post("/app/confirm")
@needs("own")
@fresh
def confirm_app() -> Page:
    """Put the app to use where its first code is right; with the first factor come the recovery codes."""
    refuse_open_wire()
    wait = seconds_to_wait(_me().email)
    if wait:
        return _app_page(problem=too_many(wait), status=429)
    secret, now = _unconfirmed()
    if not secret:
        return _app_page()
    step = second_factors.matching_step(secret, request.form.get("code", "")[:20], now)
    if step is None:
        text = _("This code is not right. Is the time of your phone? Try the next one.")
        return _app_page(problem=text, status=422)
    me = _me()
    return _added(lambda db: second_factors.confirm_totp(db, me.id, step, who=me.email))


@account.post("/app/remove")
@needs("own")
@fresh
def remove_app() -> Page:
    """Take the app off."""
    factors, me = _factors(), _me()
    if factors.totp and not (_bound() and not factors.passkeys):
        return _removed(lambda db: second_factors.remove_totp(db, me.id, who=me.email))
    return _kept()


@account.post("/sessions/close")
@needs("own")
@fresh
def close_elsewhere() -> Page:
    """Sign out everywhere but here."""
    here, me = session_token(), _me()
    write(lambda db: people.close_sessions(db, me.id, but=here))
    flash(_("You are signed out everywhere else."), "good")
    return redirect(url_for("account.show"))


@account.post("/codes")
@needs("own")
@fresh
def renew_codes() -> Page:
    """Make new recovery codes; the old ones stop working."""
    if not _factors().some:
        return _kept()
    me = _me()
    return _codes(write(lambda db: second_factors.new_codes(db, me.id, who=me.email)))


@account.post("/passkeys/options")
@needs("own")
@fresh
def passkey_options() -> Response:
    """Make a challenge for a new passkey."""
    if not passkeys.available():
        abort(403, _("Passkeys work under the hub's public address only; an admin sets it with HUB_PUBLIC_URL."))
    return passkeys.registration_options(_me())


@account.post("/passkeys")
@needs("own")
@fresh
def add_passkey() -> Page:
    """Store the new key that the browser made."""
    me = _me()
    made = passkeys.verified_key(me, request.form.get("credential", ""))
    if made is None:
        flash(_("That passkey was not made as asked, or it took too long. Try again."), "warn")
        return redirect(url_for("account.show"))
    key_id, name = bytes_to_base64url(made.credential_id), request.form.get("name", "")

    def work(db: Db) -> bool:
        stored.add_passkey(db, me.id, key_id, name, made.credential_public_key, made.sign_count, who=me.email)
        return True

    try:
        return _added(work)
    except Rejected as error:
        flash(str(error), "warn")
        return redirect(url_for("account.show"))


@account.post("/passkeys/remove")
@needs("own")
@fresh
def remove_passkey() -> Page:
    """Take a passkey off."""
    factors = _factors()
    if _bound() and not factors.totp and factors.passkeys <= 1:
        return _kept()
    key_id, me = request.form.get("id", ""), _me()
    return _removed(lambda db: stored.remove_passkey(db, me.id, key_id, who=me.email))


def _added(change: Callable[[Db], bool]) -> Page:
    """Make the change, end every other session, and show recovery codes where there are none yet.

    A change may run in another thread, with others of a group: what it needs of this request is taken before.
    """
    here, me = session_token(), _me()

    def work(db: Db) -> list[str] | None:
        if not change(db):
            return None
        people.close_sessions(db, me.id, but=here)
        known = second_factors.factors_of(db, me.id).codes_left
        return [] if known else second_factors.new_codes(db, me.id, who=me.email)

    codes = write(work)
    if codes:
        return _codes(codes)
    if codes is None:
        flash(_("Nothing was changed: it was done before."), "warn")
    else:
        flash(_("Added. From now on it is asked for when you sign in."), "good")
    return redirect(url_for("account.show"))


def _removed(change: Callable[[Db], object]) -> Page:
    here, me = session_token(), _me()

    def work(db: Db) -> None:
        change(db)
        people.close_sessions(db, me.id, but=here)

    write(work)
    flash(_("Removed. You are signed out everywhere else."), "good")
    return redirect(url_for("account.show"))


def _kept() -> Page:
    flash(_("Nothing was changed: your role needs a second factor. Add another one first."), "warn")
    return redirect(url_for("account.show"))


def _codes(codes: list[str]) -> str:
    return _page("account_codes", codes=codes)


def _app_page(*, problem: str = "", status: int = 200) -> Page:
    secret, _now = _unconfirmed()
    if not secret:
        return redirect(url_for("account.show"))
    address = pyotp.TOTP(secret).provisioning_uri(name=_me().email, issuer_name="Order hub")
    picture = segno.make(address, error="m").svg_data_uri(scale=5, border=4, dark="#000", light="#fff")
    shown = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return _page("account_app", picture=picture, secret=shown, problem=problem), status


def _unconfirmed() -> tuple[str, int]:
    """Return the secret that waits for its first code ('' where none does), and the time."""
    totp, now = read(lambda db: (second_factors.totp_of(db, _me().id), db.now_us()))
    if totp is None or totp.confirmed:
        return "", now
    return second_factors.totp_secret(_vault().keys(totp.sealed.key_id), _me().id, totp), now


def _page(name: str, **values: object) -> str:
    return render_template(
        f"{name}.html", factors=_factors(), bound=_bound(), due=must_enrol(_me()), passkeys_work=passkeys.available(),
        roomy=may(_me().role, "see") and not must_enrol(_me()), public_url=rules().public_url,
        onward=next_page(""), **values,
    )  # fmt: skip


def _factors() -> second_factors.Factors:
    return read(lambda db: second_factors.factors_of(db, _me().id))


def _bound() -> bool:
    return _me().role in rules().second_factor


def _me() -> User:
    user = current_user()
    assert user is not None, "the guard lets nobody in who is not signed in"
    return user


def _vault() -> Vault:
    found: Vault = current_app.extensions["vault"]
    return found
