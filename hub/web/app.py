"""The application: intake in front of Flask, health for machines; the console and the API where they are wired in."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec
from flask import Blueprint, Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable

from hub.domain.errors import RetryLater
from hub.pipeline.services import Services
from hub.store.store import Store
from hub.web.as2 import as2
from hub.web.health import health
from hub.web.intake import Intake

log = logging.getLogger(__name__)


def create_app(services: Services, store: Store, *, blueprints: Sequence[Blueprint] = ()) -> Flask:
    """Make the application for one process. Nothing is read from a global; what pages need is in `extensions`."""
    app = Flask("hub.web", static_folder=None)
    app.extensions["services"] = services
    app.extensions["store"] = store
    for blueprint in (health, as2, *blueprints):
        app.register_blueprint(blueprint)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    app.wsgi_app = Intake(services, app.wsgi_app)  # type: ignore[method-assign]
    return app


def _http_error(error: HTTPException) -> Response:
    page = current_app.extensions.get("error_page")
    if not _wants_page() or page is None:
        return _said(error.code or 500, error.description or error.name)
    shown: Response = page(error)
    return shown


def _unexpected(error: Exception) -> Response:
    if isinstance(error, RetryLater):
        response = _http_error(ServiceUnavailable(str(error)))
        response.headers["Retry-After"] = str(int(error.after or 5))
        return response
    log.exception("%s %s failed", request.method, request.path)
    return _http_error(InternalServerError("the hub failed; the log has the reason, and nothing was accepted"))


def _wants_page() -> bool:
    return request.path.startswith(("/console", "/sign-in", "/account")) and "text/html" in request.headers.get(
        "Accept", ""
    )


def _said(status: int, text: str) -> Response:
    return Response(msgspec.json.encode({"error": text}), status, content_type="application/json")
