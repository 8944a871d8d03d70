"""Who is asking: a session on the server, known by a cookie that holds 256 random bits and nothing else."""

from __future__ import annotations

import secrets
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, redirect, request, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response as Answer

from hub.domain.sign_in import SignInRules
from hub.store import people, second_factors, tables_config
from hub.store.db import Db
from hub.store.people import User
from hub.store.store import Store
from hub.web.permissions import Permission, declared, may

SESSION = "hub_session"
FORM = "hub_form"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_SECRET = "web.secret"


class FormSession(SecureCookieSessionInterface):
    """Flask's own session: it carries the anti-forgery token and notices between two pages, never who somebody is."""

    def get_cookie_name(self, app: Flask) -> str:
        return cookie_name(FORM)

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


def set_up_sessions(app: Flask, store: Store) -> None:
    """Guard every route of the application: permission, then forgery."""
    app.secret_key = store.read(_known_secret) or store.write(_new_secret)
    app.session_interface = FormSession()
    app.config.update(
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_SSL_STRICT=False,
        WTF_CSRF_TIME_LIMIT=people.SESSION_SECONDS,
    )
    csrf = CSRFProtect(app)

    def guard() -> Answer | None:
        return _guard(csrf)

    app.before_request(guard)


def cookie_name(name: str) -> str:
    """Return a cookie's name: with the `__Host-` prefix wherever TLS lets the browser enforce it."""
    return f"__Host-{name}" if request.is_secure else name


def safe_channel() -> bool:
    """Say whether a password may travel: over TLS, or within this machine."""
    host = urlsplit(f"//{request.host}").hostname or ""
    if request.is_secure or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def current_user() -> User | None:
    """Return who is signed in; read once per request."""
    if "user" not in g:
        g.user = _signed_in()
    found: User | None = g.user
    return found


def permitted(permission: Permission) -> bool:
    """Say whether the person who is signed in may; templates show actions by it."""
    user = current_user()
    return user is not None and may(user.role, permission)


def begin_session(response: Response | Answer, token: str) -> None:
    """Give the browser the session; a session it had before is not reused."""
    response.set_cookie(
        cookie_name(SESSION),
        token,
        max_age=people.SESSION_SECONDS,
        httponly=True,
        secure=request.is_secure,
        samesite="Lax",
        path="/",
    )


def session_token() -> str:
    """Return the token of the browser's session, '' where it has none."""
    return request.cookies.get(cookie_name(SESSION), "")


def drop_session() -> None:
    """Close the browser's session on the server."""
    token = session_token()
    if token:
        _store().write(lambda db: people.close_session(db, token))


def must_enrol(user: User) -> bool:
    """Say whether somebody's role needs a second factor that they do not have yet: all they may do is add one."""
    rules: SignInRules = current_app.extensions["sign_in_rules"]
    if user.role not in rules.second_factor:
        return False
    return not _store().read(lambda db: second_factors.factors_of(db, user.id)).some


def end_session(response: Response | Answer) -> None:
    """Close the session on the server, then forget the cookie."""
    drop_session()
    response.delete_cookie(cookie_name(SESSION), path="/", secure=request.is_secure, httponly=True, samesite="Lax")


def _signed_in() -> User | None:
    token = session_token()
    if not token:
        return None
    found = _store().read(lambda db: people.session_user(db, token))
    if found is None:
        return None
    user, touch_due = found
    if touch_due:
        _store().write(lambda db: people.touch_session(db, token))
    return user


def _guard(csrf: CSRFProtect) -> Answer | None:
    if request.endpoint is None:
        return None
    permission = declared(request.endpoint, current_app.view_functions[request.endpoint])
    if permission is None:
        abort(403, "this address declares no permission, so nobody may use it")
    if permission == "machine":
        return None
    if request.method not in SAFE_METHODS:
        _check_origin()
        csrf.protect()
    if permission == "public":
        return None
    user = current_user()
    if user is None:
        return _ask_to_sign_in()
    if not may(user.role, permission):
        abort(403, f"your role ({user.role}) does not include this; an owner or admin can change that")
    return _lead_to_enrolment() if permission != "own" and must_enrol(user) else None


def _check_origin() -> None:
    origin = request.headers.get("Origin", "")
    if origin != request.host_url.rstrip("/"):
        abort(403, "this form came from another address; open the page again and send it from there")


def _ask_to_sign_in() -> Answer:
    back = request.full_path.rstrip("?") if request.method == "GET" else "/console"
    if request.headers.get("HX-Request") or "text/html" not in request.headers.get("Accept", ""):
        return Response("sign in first", 401, {"HX-Redirect": "/sign-in"}, content_type="text/plain")
    return redirect(url_for("sign_in.ask", next=back) if back.startswith("/console") else url_for("sign_in.ask"))


def _lead_to_enrolment() -> Answer:
    if request.headers.get("HX-Request") or "text/html" not in request.headers.get("Accept", ""):
        text = "your role needs a second factor; add one first"
        return Response(text, 403, {"HX-Redirect": "/account"}, content_type="text/plain")
    return redirect(url_for("account.show"))


def _store() -> Store:
    store: Store = current_app.extensions["store"]
    return store


def _known_secret(db: Db) -> str:
    row = db.one("SELECT value FROM notes WHERE connection = '' AND name = :name", name=_SECRET)
    return str(row[0]) if row else ""


def _new_secret(db: Db) -> str:
    """Make the key that signs form tokens, once for all processes of this hub."""
    db.insert_new(tables_config.notes, ("connection", "name", "value"), [("", _SECRET, secrets.token_urlsafe(32))])
    return _known_secret(db)
