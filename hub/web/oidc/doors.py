"""The two addresses of single sign-on: out to the provider, and back with its answer."""

from __future__ import annotations

import logging
from hmac import compare_digest

from authlib.common.security import generate_token
from flask import Blueprint, abort, current_app, redirect, request, url_for
from flask_babel import gettext as _

from hub.domain.errors import HubError, Paused, Rejected
from hub.store import people
from hub.store.people import User
from hub.store.steps import Step
from hub.web.entering import Page, enter, leave_step, next_page, rules, step_token, take_step, write
from hub.web.oidc.admission import admitted
from hub.web.oidc.provider import Provider
from hub.web.permissions import needs
from hub.web.sign_in import form_page

oidc_sign_in = Blueprint("oidc_sign_in", __name__, url_prefix="/sign-in/oidc")
log = logging.getLogger(__name__)
ASKED = "oidc"
BACK = "/sign-in/oidc/back"
_VERIFIER_LENGTH = 64


@oidc_sign_in.get("")
@needs("public")
def begin() -> Page:
    """Lead to the provider, with a state, a nonce and a PKCE challenge that nobody used before."""
    where = next_page(request.args.get("next", ""))
    provider = _provider()
    if request.host_url.rstrip("/") != rules().public_url:
        return _moved(where)
    nonce, verifier = people.new_token(), generate_token(_VERIFIER_LENGTH)
    state = leave_step(ASKED, "", {"nonce": nonce, "verifier": verifier, "next": where})
    try:
        return redirect(provider.address(state=state, nonce=nonce, verifier=verifier))
    except HubError as error:
        return _failed(error)


@oidc_sign_in.get("/back")
@needs("public")
def come_back() -> Page:
    """Take the provider's answer: it must be to what this browser asked, and hold."""
    state, asked = request.args.get("state", ""), step_token(ASKED)
    is_ours = bool(asked) and compare_digest(state.encode(), asked.encode())
    step = take_step(ASKED) if is_ours else None
    try:
        if step is None:
            raise Rejected(_("This sign-in was begun elsewhere, or too long ago. Begin again."))
        return enter(_proven(step), next_page(step.value["next"]))
    except HubError as error:
        return _failed(error)


def _proven(step: Step) -> User:
    provider = _provider()
    issuer, error = request.args.get("iss"), request.args.get("error", "")
    if issuer not in (None, provider.rules.issuer):
        raise Rejected("the answer came from another provider")
    if error:
        raise Rejected(f"the provider refused: {error[:60]} {request.args.get('error_description', '')[:200]}".strip())
    if issuer is None and provider.metadata().get("authorization_response_iss_parameter_supported"):
        raise Rejected("the answer does not say which provider it is from")
    code = request.args.get("code", "")
    claims = provider.claims(code, nonce=step.value["nonce"], verifier=step.value["verifier"])
    return write(lambda db: admitted(db, provider.rules, claims))


def _moved(where: str) -> Page:
    """Lead to the public address, where the provider leads back to: once, for a hub that mistakes its own."""
    if request.args.get("moved"):
        text = f"this page came as {request.host_url}; set HUB_PROXIED=yes where a proxy ends TLS, or HUB_PUBLIC_URL"
        return _failed(Paused(text))
    return redirect(rules().public_url + url_for("oidc_sign_in.begin", next=where, moved=1))


def _failed(error: HubError) -> Page:
    log.warning("single sign-on failed: %s", error)
    status = 403 if isinstance(error, Rejected) else 503
    return form_page(problem=_("Single sign-on failed: %(why)s", why=str(error)), status=status)


def _provider() -> Provider:
    found: Provider | None = current_app.extensions["oidc"]
    return found or abort(404)
