"""What a provider may not say: every token here differs from a good one in one thing, and none lets anybody in."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from hub.testing.serve import Answer, Call, handler, serve
from tests.web.oidc.conftest import HERE, trust

KEY, OTHER = (RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"}) for _ in range(2))


def unsigned(claims: dict[str, Any]) -> str:
    """A token that says of itself that it is not signed."""
    parts = [{"alg": "none"}, claims]
    return ".".join(base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in parts) + "."


def signed(claims: dict[str, Any], key: RSAKey = KEY, kid: str = "one") -> str:
    """A token as the provider signs it."""
    return jwt.encode({"alg": "RS256", "kid": kid}, claims, key)


def by_the_public_key(claims: dict[str, Any]) -> str:
    """A token signed with what everybody can read, as a secret."""
    parts = [{"alg": "HS256", "kid": "one"}, claims]
    text = ".".join(base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in parts)
    seal = hmac.digest(KEY.as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(seal).rstrip(b'=').decode()}"


def changed(claims: dict[str, Any]) -> str:
    """A good token whose middle was exchanged."""
    head, _, seal = signed(claims).split(".")
    other = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "owner"}).encode()).rstrip(b"=").decode()
    return f"{head}.{other}.{seal}"


@dataclass
class Fake:
    """A provider that says what a test wants it to say."""

    issuer: str = ""
    nonce: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    write: Callable[[dict[str, Any]], str] = signed
    metadata: dict[str, Any] = field(default_factory=dict)
    token: Answer | None = None
    calls: list[Call] = field(default_factory=list)

    def answer(self, call: Call) -> Answer:
        """Answer what the hub asks."""
        self.calls.append(call)
        path = urlsplit(call.path).path
        if path == "/.well-known/openid-configuration":
            said = {
                "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/auth",
                "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/jwks",
            }  # fmt: skip
            return _json({**said, **self.metadata})
        if path == "/jwks":
            return _json({"keys": [KEY.as_dict(private=False)]})
        return self.token or _json(
            {"access_token": "a", "token_type": "Bearer", "id_token": self.write(self._claims())}
        )

    def _claims(self) -> dict[str, Any]:
        now = int(time.time())
        good = {
            "iss": self.issuer, "aud": "hub", "sub": "ann", "iat": now, "exp": now + 300, "nonce": self.nonce,
            "email": "ann@company.example", "email_verified": True,
        }  # fmt: skip
        return {name: value for name, value in {**good, **self.claims}.items() if value is not None}


def _json(value: Any) -> Answer:
    return Answer(status=200, body=json.dumps(value).encode())


@pytest.fixture
def fake(empty: Any) -> Iterator[Fake]:
    """A provider that the hub trusts."""
    made = Fake()
    with serve(handler(made.answer)) as address:
        made.issuer = address
        trust(empty, address, allow=("company.example",), role="support")
        yield made


def come_back(empty: Any, fake: Fake) -> Any:
    """Go out, and come back with a code."""
    browser = empty.browser()
    asked = parse_qs(urlsplit(browser.get("/sign-in/oidc").headers["Location"]).query)
    fake.nonce = asked["nonce"][0]
    return browser.get(f"/sign-in/oidc/back?code=c&state={asked['state'][0]}")


def test_the_good_token_lets_in(empty: Any, fake: Fake) -> None:
    answer = come_back(empty, fake)

    assert answer.headers["Location"] == "/console"
    sent = parse_qs(next(call.body for call in fake.calls if call.path == "/token").decode())
    assert sent["redirect_uri"] == [f"{HERE}/sign-in/oidc/back"]
    assert len(sent["code_verifier"][0]) == 64


def test_the_way_out_asks_for_a_code_with_a_challenge_and_a_nonce_that_are_new_each_time(
    empty: Any, fake: Fake
) -> None:
    ways = [parse_qs(urlsplit(empty.browser().get("/sign-in/oidc").headers["Location"]).query) for _ in range(2)]

    assert {**ways[0], "state": [], "nonce": [], "code_challenge": []} == {
        "response_type": ["code"], "client_id": ["hub"], "redirect_uri": [f"{HERE}/sign-in/oidc/back"],
        "scope": ["openid email"], "code_challenge_method": ["S256"], "state": [], "nonce": [], "code_challenge": [],
    }  # fmt: skip
    assert all(ways[0][name] != ways[1][name] for name in ("state", "nonce", "code_challenge"))
    assert fake.calls[0].path == "/.well-known/openid-configuration"


@pytest.mark.parametrize(
    ("claims", "write"),
    [
        pytest.param({"nonce": "of-another-sign-in"}, signed, id="another nonce"),
        pytest.param({"nonce": None}, signed, id="no nonce"),
        pytest.param({"aud": "another-client"}, signed, id="for another client"),
        pytest.param({"aud": ["hub", "another-client"], "azp": "another-client"}, signed, id="given to another client"),
        pytest.param({"aud": ["hub", "another-client"]}, signed, id="for two, and not said who asked"),
        pytest.param({"iss": "https://elsewhere.example"}, signed, id="of another issuer"),
        pytest.param({"exp": 1}, signed, id="expired"),
        pytest.param({"exp": None}, signed, id="without an end"),
        pytest.param({"iat": 32503680000}, signed, id="from the future"),
        pytest.param({"sub": None}, signed, id="about nobody"),
        pytest.param({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, signed, id="beside another access token"),
        pytest.param({}, unsigned, id="not signed"),
        pytest.param({}, by_the_public_key, id="signed with the public key"),
        pytest.param({}, lambda claims: signed(claims, OTHER), id="signed by another key of that name"),
        pytest.param({}, lambda claims: signed(claims, OTHER, "two"), id="signed by a key nobody published"),
        pytest.param({}, changed, id="changed after it was signed"),
        pytest.param({}, lambda _: "not.a.token", id="no token at all"),
    ],
)
def test_a_token_that_does_not_hold_lets_nobody_in(
    empty: Any, fake: Fake, claims: dict[str, Any], write: Callable[[dict[str, Any]], str]
) -> None:
    fake.claims, fake.write = claims, write

    answer = come_back(empty, fake)

    assert answer.status_code == 403
    assert "Single sign-on failed: the ID token does not hold" in answer.get_data(as_text=True)
    assert empty.rows("SELECT count(*) FROM users") == [(0,)]
    assert empty.rows("SELECT count(*) FROM sessions") == [(0,)]


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_counts_only_where_the_provider_says_true(empty: Any, fake: Fake, verified: Any) -> None:
    fake.claims = {"email_verified": verified}

    assert come_back(empty, fake).status_code == 403
    assert empty.rows("SELECT count(*) FROM users") == [(0,)]


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"issuer": "https://elsewhere.example"}, "the provider calls itself"),
        ({"authorization_endpoint": "http://elsewhere.example/auth"}, "is not under https"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "is not under https"),
        ({"jwks_uri": None}, "does not name its jwks_uri"),
        ({"code_challenge_methods_supported": ["plain"]}, "does not take PKCE with S256"),
    ],
)
def test_a_provider_that_says_what_cannot_be_trusted_is_not_led_to(
    empty: Any, fake: Fake, metadata: dict[str, Any], why: str
) -> None:
    fake.metadata = metadata

    answer = empty.browser().get("/sign-in/oidc")

    assert answer.status_code == 503
    assert why in answer.get_data(as_text=True)


def test_keys_are_not_fetched_from_where_the_hub_may_not_call(empty: Any, fake: Fake) -> None:
    fake.metadata = {"jwks_uri": "http://10.0.0.1/jwks"}

    answer = come_back(empty, fake)

    assert answer.status_code == 403
    assert "10.0.0.1" in answer.get_data(as_text=True)
    assert empty.rows("SELECT count(*) FROM users") == [(0,)]


@pytest.mark.parametrize(
    ("token", "status", "why"),
    [
        (Answer(status=400, body=b'{"error": "invalid_grant", "error_description": "used"}'), 403, "invalid_grant"),
        (Answer(status=200, body=b'{"access_token": "a", "token_type": "Bearer"}'), 403, "gave no ID token"),
        (Answer(status=500, body=b"down"), 503, "gave no token"),
        (Answer(status=302, body=b"", headers={"Location": "http://elsewhere.example/"}), 503, "302"),
        (Answer(status=200, body=b"[" * 2_000_000), 503, "gave no token"),
    ],
    ids=["refused", "no ID token", "down", "leads elsewhere", "too large"],
)
def test_a_token_endpoint_that_gives_none_is_told(empty: Any, fake: Fake, token: Answer, status: int, why: str) -> None:
    fake.token = token

    answer = come_back(empty, fake)

    assert (answer.status_code, why in answer.get_data(as_text=True)) == (status, True)
    assert empty.rows("SELECT count(*) FROM sessions") == [(0,)]


def test_an_answer_of_another_provider_is_refused(empty: Any, fake: Fake) -> None:
    browser = empty.browser()
    asked = parse_qs(urlsplit(browser.get("/sign-in/oidc").headers["Location"]).query)

    answer = browser.get(f"/sign-in/oidc/back?code=c&state={asked['state'][0]}&iss=https://elsewhere.example")

    assert answer.status_code == 403
    assert [call.path for call in fake.calls] == ["/.well-known/openid-configuration"]


def test_the_way_out_begins_under_the_public_address_and_ends_on_a_page_of_ours(empty: Any, fake: Fake) -> None:
    elsewhere = empty.browser().get("/sign-in/oidc?next=https://evil.example", base_url="http://127.0.0.1:8080")

    assert elsewhere.headers["Location"] == f"{HERE}/sign-in/oidc?next=/console&moved=1"
    again = empty.browser().get("/sign-in/oidc?next=/console&moved=1", base_url="http://127.0.0.1:8080")
    assert (again.status_code, "HUB_PROXIED=yes" in again.get_data(as_text=True)) == (503, True)
    assert fake.calls == []


def test_without_a_provider_there_is_no_such_door(empty: Any) -> None:
    assert empty.browser().get("/sign-in/oidc").status_code == 404
    assert empty.browser().get("/sign-in/oidc/back?state=x").status_code in (403, 404)
