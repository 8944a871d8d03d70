"""The application with its console: intake and health from `app`, and everything that people see on top of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from flask import Blueprint, Flask, Response, redirect, render_template, request
from flask_babel import Babel
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as Answer

from hub.domain.config import Config
from hub.domain.sign_in import SignInRules
from hub.pipeline.services import Services
from hub.ports import Connector
from hub.store import people
from hub.store.db import Db
from hub.store.looks.pulse import pulse
from hub.store.people import Passwords
from hub.store.store import Store
from hub.store.vault import Vault
from hub.web import console, words
from hub.web.account import account
from hub.web.app import create_app
from hub.web.headers import nonce, set_up_headers
from hub.web.live import Live, live
from hub.web.metrics import metrics
from hub.web.oidc.doors import BACK, oidc_sign_in
from hub.web.oidc.provider import Provider
from hub.web.passkeys import passkey_sign_in
from hub.web.permissions import needs
from hub.web.second_step import second_step
from hub.web.sessions import current_user, permitted, set_up_sessions
from hub.web.sign_in import sign_in

LANGUAGES = ("en",)
DOORS = (sign_in, second_step, passkey_sign_in, oidc_sign_in)
_HERE = Path(__file__).parent
_FIRST = {
    403: "You may not do this", 404: "There is nothing here", 405: "This address does not take that",
    429: "Too much at once", 503: "The hub cannot do this now",
}  # fmt: skip


class SignInSettings(Protocol):
    """What the doors need of the settings."""

    @property
    def sign_in(self) -> SignInRules:
        """Return how people sign in."""


class ConsoleHub(Protocol):
    """What the console needs of a wired hub."""

    @property
    def store(self) -> Store:
        """Return the record."""

    @property
    def services(self) -> Services:
        """Return what the pipeline is given."""

    @property
    def config(self) -> Callable[[], Config]:
        """Return what reads the configuration."""

    @property
    def connectors(self) -> Mapping[str, Connector]:
        """Return the connectors that are loaded, by name."""

    @property
    def settings(self) -> SignInSettings:
        """Return how this process runs."""

    @property
    def vault(self) -> Vault:
        """Return what closes secrets."""

    @property
    def reveal(self) -> Callable[[str], str]:
        """Return what looks secret references up."""


def create_console_app(
    hub: ConsoleHub, *, blueprints: Sequence[Blueprint] = (), proxied: bool = False, passwords: Passwords | None = None
) -> Flask:
    """Make the whole application. `proxied`: one proxy of ours stands before it and says who called, by what scheme;
    the host is what the browser asked for, so the proxy passes `Host` on.

    `app.extensions["live"].close()` ends the event streams; call it before the server stops.
    """
    pages = Blueprint("static_files", __name__, static_folder=str(_HERE / "static"), static_url_path="/static")
    app = create_app(
        hub.services, hub.store,
        blueprints=(pages, front, *DOORS, account, live, metrics, console.console, *blueprints),
    )  # fmt: skip
    app.jinja_options = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    app.config["MAX_FORM_MEMORY_SIZE"] = 100_000
    app.config["MAX_FORM_PARTS"] = 1_000
    app.extensions |= {
        "config": hub.config,
        "connectors": hub.connectors,
        "passwords": passwords or Passwords(),
        "sign_in_rules": hub.settings.sign_in,
        "oidc": _provider(hub),
        "vault": hub.vault,
        "live": Live(lambda: hub.store.read(pulse)),
        "error_page": error_page,
    }
    Babel(app, locale_selector=lambda: request.accept_languages.best_match(LANGUAGES))
    set_up_headers(app)
    set_up_sessions(app, hub.store)
    _set_up_templates(app)
    if proxied:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    return app


def first_run_path(store: Store) -> str | None:
    """Return the path of a fresh one-time link where nobody can sign in yet, to be printed once."""
    token = people.new_token()

    def work(db: Db) -> str | None:
        if people.has_users(db):
            return None
        people.keep_token(db, token)
        return f"/sign-in/first?token={token}"

    return store.write(work)


def error_page(error: HTTPException) -> Response:
    """Say on a page what went wrong and what to do."""
    code = error.code or 500
    title = _FIRST.get(code, error.name)
    page = render_template("error.html", code=code, title=title, text=error.description or error.name)
    return Response(page, code, content_type="text/html; charset=utf-8")


def _provider(hub: ConsoleHub) -> Provider | None:
    rules = hub.settings.sign_in
    if rules.oidc is None:
        return None
    return Provider(rules.oidc, rules.public_url + BACK, hub.reveal, lambda: hub.services.clock.now().timestamp())


def _set_up_templates(app: Flask) -> None:
    app.jinja_env.filters.update(words.FILTERS)
    app.jinja_env.globals.update(nonce=nonce, viewer=current_user, permitted=permitted, took=words.duration)


front = Blueprint("front", __name__)


@front.get("/")
@needs("public")
def home() -> Answer:
    """Lead to the console."""
    return redirect("/console")
