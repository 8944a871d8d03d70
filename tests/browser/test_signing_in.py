"""Second factors in a real browser: an app, a passkey in a virtual authenticator, and pages that fit."""

from __future__ import annotations

from typing import Any

import pyotp
import pytest

from hub.domain.sign_in import OidcRules, SignInRules
from hub.web.console_app import first_run_path
from tests.browser.test_console import SIZES, pictures, violations

pytestmark = [pytest.mark.browser]
PASSWORD = "correct horse battery"


class Authenticator:
    """The virtual authenticator of the browser, over its own protocol."""

    def __init__(self, page: Any) -> None:
        self._line = page.context.new_cdp_session(page)
        self._line.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True,
        }  # fmt: skip
        self._id = self._line.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def ask(self, command: str, **values: Any) -> Any:
        """Send a command about this authenticator."""
        return self._line.send(f"WebAuthn.{command}", {"authenticatorId": self._id, **values})

    def turn_back(self) -> None:
        """Put the counter of every key back to its beginning, as a copy of it would have it."""
        for key in self.ask("getCredentials")["credentials"]:
            self.ask("removeCredential", credentialId=key["credentialId"])
            self.ask("addCredential", credential={**key, "signCount": 0})


@pytest.fixture
def hub(running: Any) -> Any:
    """A hub under the public address http://localhost; passkeys are bound to names, not to numbers."""
    running.address = running.address.replace("127.0.0.1", "localhost")
    running.extensions["sign_in_rules"] = SignInRules(public_url=running.address)
    return running


@pytest.fixture
def owner(hub: Any, page: Any) -> Any:
    """The page of the owner, just signed in."""
    return set_up(page, hub)


def set_up(page: Any, hub: Any) -> Any:
    page.goto(hub.address + first_run_path(hub.hub.store))
    page.get_by_label("E-mail address").fill("ann@company.example")
    page.get_by_label("Password, at least").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/console")
    return page


def add_passkey(page: Any) -> None:
    page.get_by_role("link", name="Your sign-in").click()
    page.get_by_label("What you call it").fill("Laptop")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_role("heading", name="Your recovery codes").wait_for()


def add_app(page: Any, hub: Any) -> str:
    page.goto(f"{hub.address}/account")
    page.get_by_role("button", name="Add an app").click()
    secret = page.locator(".secret").inner_text().replace(" ", "")
    page.get_by_label("Then type the code").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("heading", name="Your recovery codes").wait_for()
    return secret


def sign_out(page: Any, hub: Any) -> None:
    page.goto(f"{hub.address}/account")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")


def with_password(page: Any, hub: Any) -> None:
    page.goto(f"{hub.address}/sign-in")
    page.get_by_label("E-mail address").fill("ann@company.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_a_passkey_is_made_and_signs_in_without_a_password(hub: Any, owner: Any) -> None:
    Authenticator(owner)
    add_passkey(owner)
    sign_out(owner, hub)

    owner.get_by_role("button", name="Use a passkey").click()

    owner.wait_for_url("**/console")
    counted = hub.hub.store.read(lambda db: db.one("SELECT name, sign_count FROM passkeys"))
    assert counted[0] == "Laptop"
    assert counted[1] > 0


def test_a_passkey_is_the_second_step(hub: Any, owner: Any) -> None:
    Authenticator(owner)
    add_passkey(owner)
    sign_out(owner, hub)
    with_password(owner, hub)

    owner.get_by_role("button", name="Use your passkey").click()

    owner.wait_for_url("**/console")


def test_a_passkey_whose_owner_does_not_unlock_it_says_so(hub: Any, owner: Any) -> None:
    key = Authenticator(owner)
    add_passkey(owner)
    sign_out(owner, hub)
    key.ask("setUserVerified", isUserVerified=False)

    owner.get_by_role("button", name="Use a passkey").click()

    owner.get_by_text("Nothing happened: it was cancelled").wait_for()
    assert hub.hub.store.read(lambda db: db.one("SELECT count(*) FROM sessions"))[0] == 0


def test_a_copy_of_a_passkey_counts_backwards_and_stays_out(hub: Any, chromium: Any) -> None:
    context = chromium.new_context()  # one of its own: the browser logs the 401 that is wanted here
    owner = set_up(context.new_page(), hub)
    key = Authenticator(owner)
    add_passkey(owner)
    hub.hub.store.write(lambda db: db.run("UPDATE passkeys SET sign_count = 50"))
    sign_out(owner, hub)
    with_password(owner, hub)
    key.turn_back()

    with owner.expect_response("**/sign-in/second/passkey") as answer:
        owner.get_by_role("button", name="Use your passkey").click()

    assert answer.value.status == 401
    owner.get_by_text("it may have been copied").wait_for()
    context.close()
    told = hub.hub.store.read(lambda db: db.one("SELECT count(*) FROM audit WHERE what = 'passkey.refused'"))
    assert told[0] == 1


def test_an_app_is_added_and_asked_for(hub: Any, owner: Any) -> None:
    secret = add_app(owner, hub)
    hub.hub.store.write(lambda db: db.run("UPDATE totp_secrets SET last_step = last_step - 2"))
    sign_out(owner, hub)
    with_password(owner, hub)

    owner.get_by_label("Code from your app").fill(pyotp.TOTP(secret).now())
    owner.get_by_role("button", name="Go on").click()

    owner.wait_for_url("**/console")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", list(SIZES))
def test_the_pages_of_signing_in_are_accessible_and_fit(
    hub: Any, owner: Any, tmp_path: Any, theme: str, size: str
) -> None:
    found: dict[str, list[str]] = {}

    def look(name: str) -> None:
        owner.get_by_role("heading", level=1).wait_for()
        owner.screenshot(path=pictures(tmp_path) / f"{name}-{size}-{theme}.png", full_page=True)
        spill = owner.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found[name] = violations(owner) + ([f"{spill} px wider than the screen"] if spill > 0 else [])

    Authenticator(owner)
    owner.evaluate("(theme) => localStorage.setItem('theme', theme)", theme)
    owner.set_viewport_size({"width": SIZES[size][0], "height": SIZES[size][1]})
    oidc = OidcRules(issuer="https://login.company.example", client_id="hub", title="Company login")
    rules = SignInRules(public_url=hub.address, second_factor=("owner",), oidc=oidc)
    owner.goto(f"{hub.address}/account")
    hub.extensions["sign_in_rules"] = rules
    owner.goto(f"{hub.address}/console")
    look("account-due")
    owner.get_by_role("button", name="Add an app").click()
    look("app")
    secret = owner.locator(".secret").inner_text().replace(" ", "")
    owner.get_by_label("Then type the code").fill(pyotp.TOTP(secret).now())
    owner.get_by_role("button", name="Confirm").click()
    look("codes")
    owner.goto(f"{hub.address}/account")
    owner.get_by_label("What you call it").fill("Laptop of Ann, with a rather long name")
    owner.get_by_role("button", name="Add a passkey").click()
    owner.get_by_text("From now on it is asked for").wait_for()
    look("account")
    sign_out(owner, hub)
    look("sign-in-all")
    with_password(owner, hub)
    owner.get_by_role("button", name="Use your passkey").wait_for()
    look("second")

    assert {name: each for name, each in found.items() if each} == {}
