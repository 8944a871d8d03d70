"""A hub that has a provider, and what a browser does on its way there and back."""

from __future__ import annotations

from typing import Any

from hub.domain.sign_in import OidcRules, SignInRules
from hub.web.oidc.doors import BACK
from hub.web.oidc.provider import Provider

HERE = "http://localhost"
SECRET = "a-secret-of-the-tests"


def trust(office: Any, issuer: str, **rules: Any) -> None:
    """Let the hub trust a provider, as its settings would."""
    oidc = OidcRules(issuer=issuer, client_id="hub", client_secret="env:OIDC", networks=("127.0.0.0/8",), **rules)
    extensions = office.app.extensions
    extensions["sign_in_rules"] = SignInRules(public_url=HERE, oidc=oidc)
    now = office.hub.services.clock.now
    extensions["oidc"] = Provider(
        oidc, HERE + BACK, lambda _: SECRET, lambda: now().timestamp(), keys_again_after=0.0
    )  # fmt: skip


def path_of(address: str) -> str:
    """What the browser asks of the hub when the provider leads it back."""
    assert address.startswith(HERE)
    return address.removeprefix(HERE)
