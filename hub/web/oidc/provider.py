"""One OpenID provider, by Authlib: code flow with PKCE, and an ID token of which everything is checked.

Sources: OpenID Connect Core 1.0 (3.1.3.7 ID token, 5.3 UserInfo), Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (iss).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from hub.domain.errors import Paused, Rejected
from hub.domain.sign_in import OidcRules
from hub.web.oidc.wire import Wire

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures by a key of the provider; never `none`, never a secret that both know."""
LEEWAY = 60
HELD_SECONDS = 3600.0
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_AUTH_METHODS = ("client_secret_basic", "client_secret_post")


class Provider:
    """Speaks to the provider of the rules. What it says of itself is held for an hour; unknown keys are looked up."""

    def __init__(
        self,
        rules: OidcRules,
        back: str,
        reveal: Callable[[str], str],
        now: Callable[[], float],
        *,
        keys_again_after: float = 10.0,
    ) -> None:
        self.rules = rules
        self._back, self._reveal, self._now = back, reveal, now
        self._wire = Wire(rules.networks)
        self._keys_again_after = keys_again_after
        self._held: dict[str, tuple[float, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def address(self, *, state: str, nonce: str, verifier: str) -> str:
        """Return where a browser signs in."""
        said = self.metadata()
        url, _ = self._client(said).create_authorization_url(
            said["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
        )
        return str(url)

    def claims(self, code: str, *, nonce: str, verifier: str) -> dict[str, Any]:
        """Trade a code for what the provider says of somebody; raises Rejected where anything of it does not hold."""
        said = self.metadata()
        token = self._token(said, code, verifier)
        claims = self._checked(said, token, nonce)
        lacking = [name for name in self._wanted() if name not in claims]
        if lacking and said.get("userinfo_endpoint"):
            claims = {**self._userinfo(said, token, claims["sub"]), **claims}
        return claims

    def metadata(self) -> dict[str, Any]:
        """Return what the provider says of itself."""
        return self._kept("metadata", self._discover)

    def _discover(self) -> dict[str, Any]:
        said: dict[str, Any] = self._wire.get(f"{self.rules.issuer.rstrip('/')}/.well-known/openid-configuration")
        if said.get("issuer") != self.rules.issuer:
            raise Paused(f"the provider calls itself {said.get('issuer')!r}; HUB_OIDC_ISSUER must be exactly that")
        missing = [name for name in _NEEDED if not isinstance(said.get(name), str)]
        if missing:
            raise Paused(f"the provider does not name its {', '.join(missing)}")
        page = urlsplit(said["authorization_endpoint"])
        if page.scheme != "https" and (page.scheme, page.netloc) != urlsplit(self.rules.issuer)[:2]:
            raise Paused("the provider's sign-in page is not under https")
        if "S256" not in said.get("code_challenge_methods_supported", ["S256"]):
            raise Paused("the provider does not take PKCE with S256")
        return said

    def _client(self, said: Mapping[str, Any]) -> OAuth2Client:
        secret = self._reveal(self.rules.client_secret) if self.rules.client_secret else None
        known = said.get("token_endpoint_auth_methods_supported", _AUTH_METHODS)
        method = next((each for each in _AUTH_METHODS if each in known), _AUTH_METHODS[0]) if secret else "none"
        return OAuth2Client(
            session=self._wire, client_id=self.rules.client_id, client_secret=secret, scope=self._scope(said),
            redirect_uri=self._back, code_challenge_method="S256", token_endpoint_auth_method=method,
        )  # fmt: skip

    def _scope(self, said: Mapping[str, Any]) -> str:
        groups = ["groups"] if self.rules.groups and "groups" in said.get("scopes_supported", ()) else []
        return " ".join(["openid", "email", *groups])

    def _wanted(self) -> list[str]:
        return ["email", "email_verified", *([self.rules.groups_claim] if self.rules.groups else [])]

    def _token(self, said: Mapping[str, Any], code: str, verifier: str) -> Mapping[str, Any]:
        try:
            token: Mapping[str, Any] = self._client(said).fetch_token(
                said["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=verifier
            )
        except OAuth2Error as error:
            raise Rejected(f"the provider gave no token: {error.error} {error.description or ''}".strip()) from error
        if not isinstance(token.get("id_token"), str):
            raise Rejected("the provider gave no ID token")
        return token

    def _checked(self, said: Mapping[str, Any], token: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """Check signature, issuer, audience, time, nonce and the hash of the access token."""
        options = {
            "iss": {"essential": True, "value": self.rules.issuer},
            "aud": {"essential": True, "value": self.rules.client_id},
            "sub": {"essential": True},
        }
        expected = {"nonce": nonce, "client_id": self.rules.client_id, "access_token": token.get("access_token")}
        try:
            opened = self._opened(said, token["id_token"])
            claims = CodeIDToken(opened.claims, opened.header, options, expected)
            claims.validate(now=int(self._now()), leeway=LEEWAY)
        except (JoseError, ValueError, TypeError) as error:
            raise Rejected(f"the ID token does not hold ({error})") from error
        return dict(claims)

    def _opened(self, said: Mapping[str, Any], text: str) -> jwt.Token:
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        try:
            return jwt.decode(text, KeySet.import_key_set(self._keys(said)), registry=registry)
        except InvalidKeyIdError:
            return jwt.decode(text, KeySet.import_key_set(self._keys(said, again=True)), registry=registry)

    def _keys(self, said: Mapping[str, Any], *, again: bool = False) -> Any:
        """Return the provider's keys; `again` because it signed with one that was not among them."""
        held = self._keys_again_after if again else HELD_SECONDS
        return self._kept("keys", lambda: self._wire.get(said["jwks_uri"]), held=held)

    def _userinfo(self, said: Mapping[str, Any], token: Mapping[str, Any], subject: str) -> dict[str, Any]:
        bearer = {"Authorization": f"Bearer {token.get('access_token', '')}"}
        told: dict[str, Any] = self._wire.get(said["userinfo_endpoint"], headers=bearer)
        if told.get("sub") != subject:
            raise Rejected("the provider's UserInfo is about somebody else")
        return told

    def _kept(self, name: str, fetch: Callable[[], dict[str, Any]], held: float = HELD_SECONDS) -> dict[str, Any]:
        with self._lock:
            known = self._held.get(name)
        if known is not None and monotonic() - known[0] < held:
            return known[1]
        found = fetch()
        with self._lock:
            self._held[name] = (monotonic(), found)
        return found
