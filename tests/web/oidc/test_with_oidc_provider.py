"""Single sign-on with a real provider: out, signed in there, and back in here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hub.store import audit, people
from tests.peers.oidc import OidcPeer, oidc_peer
from tests.web.oidc.conftest import HERE, path_of, trust
from tests.web.test_second_step import enrol

pytestmark = pytest.mark.peers
BACK = f"{HERE}/sign-in/oidc/back"


@pytest.fixture(scope="module")
def peer() -> Iterator[OidcPeer]:
    """One provider for the tests of this file."""
    with oidc_peer(BACK) as running:
        yield running


def sign_in(browser: Any, peer: OidcPeer, name: str, wanted: str = "/console/orders") -> Any:
    """Go out and come back."""
    leads_to = browser.get(f"/sign-in/oidc?next={wanted}").headers["Location"]
    assert leads_to.startswith(f"{peer.issuer}/auth?")
    return browser.get(path_of(peer.sign_in(leads_to, name)))


def test_a_person_of_an_allowed_domain_gets_an_account_and_later_the_same_one(empty: Any, peer: OidcPeer) -> None:
    trust(empty, peer.issuer, allow=("company.example",), role="support")
    first, later = empty.browser(), empty.browser()

    answers = [sign_in(browser, peer, "ann") for browser in (first, later)]

    assert [answer.headers["Location"] for answer in answers] == ["/console/orders"] * 2
    assert first.get("/console").status_code == 200
    assert empty.rows("SELECT email, role, password_hash FROM users") == [("ann@company.example", "support", "")]
    assert empty.rows("SELECT issuer, subject, made_user FROM identities") == [(peer.issuer, "ann", 1)]
    assert empty.hub.store.read(audit.verify).broken_at is None


def test_nobody_gets_in_whom_nobody_let_in(empty: Any, peer: OidcPeer) -> None:
    trust(empty, peer.issuer, allow=("elsewhere.example", "bob@company.example"), role="support")
    browser = empty.browser()

    answer = sign_in(browser, peer, "ann")

    assert answer.status_code == 403
    assert "ann@company.example is not let in here" in answer.get_data(as_text=True)
    assert browser.get("/console").status_code == 302
    assert empty.rows("SELECT count(*) FROM users") == [(0,)]
    assert sign_in(empty.browser(), peer, "bob").status_code == 302


def test_a_group_gives_a_role_and_losing_it_ends_the_way_in(empty: Any, peer: OidcPeer) -> None:
    trust(empty, peer.issuer, groups={"ops": "operator"})
    assert sign_in(empty.browser(), peer, "ops.ann").status_code == 302
    trust(empty, peer.issuer, groups={"everybody": "auditor"})
    assert sign_in(empty.browser(), peer, "ops.ann").status_code == 302
    told = empty.rows("SELECT before, after FROM audit WHERE what = 'user.role'")
    trust(empty, peer.issuer, groups={"admins": "admin"})

    answer = sign_in(empty.browser(), peer, "ops.ann")

    assert told == [("operator", "auditor")]
    assert answer.status_code == 403
    assert "may not sign in any more" in answer.get_data(as_text=True)


def test_an_account_that_an_admin_made_is_bound_once_and_keeps_its_role(empty: Any, peer: OidcPeer) -> None:
    trust(empty, peer.issuer, groups={"ops": "operator"})
    email = empty.person("admin", "ops.eve@company.example")

    assert sign_in(empty.browser(), peer, "ops.eve").status_code == 302
    empty.hub.store.write(lambda db: db.run("UPDATE identities SET subject = 'subject-of-another'"))
    another = sign_in(empty.browser(), peer, "ops.eve")

    assert another.status_code == 403
    assert "belongs to somebody else of the provider" in another.get_data(as_text=True)
    assert empty.rows("SELECT email, role FROM users") == [(email, "admin")]


def test_an_address_that_is_not_verified_binds_nothing(empty: Any, peer: OidcPeer) -> None:
    trust(empty, peer.issuer, allow=("company.example",), role="support", groups={"everybody": "support"})
    empty.person("owner", "unverified@company.example")

    answer = sign_in(empty.browser(), peer, "unverified")

    assert answer.status_code == 403
    assert "did not confirm an e-mail address" in answer.get_data(as_text=True)
    assert empty.rows("SELECT count(*) FROM identities") == [(0,)]


def test_a_disabled_account_stays_out(empty: Any, peer: OidcPeer) -> None:
    trust(empty, peer.issuer, allow=("company.example",), role="support")
    sign_in(empty.browser(), peer, "ann")
    user_id = empty.rows("SELECT id FROM users")[0][0]
    empty.hub.store.write(lambda db: people.disable_user(db, user_id, who="tests"))

    assert sign_in(empty.browser(), peer, "ann").status_code == 403


def test_an_answer_serves_once_and_only_the_browser_that_asked(empty: Any, peer: OidcPeer) -> None:
    trust(empty, peer.issuer, allow=("company.example",), role="support")
    asked, thief = empty.browser(), empty.browser()
    leads_to = asked.get("/sign-in/oidc").headers["Location"]
    thief.get("/sign-in/oidc")
    back = path_of(peer.sign_in(leads_to, "ann"))

    stolen, taken, again = thief.get(back), asked.get(back), asked.get(back)

    assert (stolen.status_code, taken.status_code, again.status_code) == (403, 302, 403)
    assert "begun elsewhere, or too long ago" in stolen.get_data(as_text=True)


def test_a_provider_that_changed_its_keys_is_asked_for_the_new_ones(empty: Any) -> None:
    with oidc_peer(BACK) as before:
        trust(empty, before.issuer, allow=("company.example",), role="support")
        assert sign_in(empty.browser(), before, "ann").status_code == 302
    with oidc_peer(BACK, before.port) as after:
        assert sign_in(empty.browser(), after, "ann").status_code == 302


def test_a_second_factor_is_asked_for_after_the_provider_too(empty: Any, peer: OidcPeer) -> None:
    trust(empty, peer.issuer, allow=("company.example",), role="support")
    first, second = empty.browser(), empty.browser()
    sign_in(first, peer, "ann")
    enrol(first)

    answer = sign_in(second, peer, "ann")

    assert answer.headers["Location"] == "/sign-in/second"
    assert second.get("/console").status_code == 302


def test_a_refusal_of_the_provider_is_told(empty: Any, peer: OidcPeer) -> None:
    trust(empty, peer.issuer, allow=("company.example",), role="support")
    browser = empty.browser()
    state = browser.get("/sign-in/oidc").headers["Location"].partition("state=")[2].partition("&")[0]

    answer = browser.get(f"/sign-in/oidc/back?error=access_denied&error_description=<b>no</b>&state={state}")

    assert answer.status_code == 403
    assert "the provider refused: access_denied &lt;b&gt;no&lt;/b&gt;" in answer.get_data(as_text=True)
