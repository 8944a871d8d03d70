"""How people may sign in to this hub, beyond address and password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True)
class OidcRules:
    """One OpenID provider, and whom it may let in."""

    issuer: str
    client_id: str
    client_secret: str = ""
    """A reference (`env:…`, `file:…`, `vault:…`); empty for a client without a secret."""
    title: str = "single sign-on"
    allow: tuple[str, ...] = ()
    """Addresses (`ann@company.example`) and domains (`company.example`) that get an account with `role`."""
    role: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)
    """Group at the provider to role here."""
    groups_claim: str = "groups"
    networks: tuple[str, ...] = ()
    """Private networks in which the provider may be."""


@dataclass(frozen=True, kw_only=True)
class SignInRules:
    """What this hub asks of people who sign in. Without a public address there are no passkeys and no provider."""

    public_url: str = ""
    """Scheme, host and port under which browsers reach the hub; no path, no slash at the end."""
    second_factor: tuple[str, ...] = ()
    """Roles that must have a second factor."""
    oidc: OidcRules | None = None

    @property
    def rp_id(self) -> str:
        """Return the host that passkeys are bound to ('' where none is known)."""
        return urlsplit(self.public_url).hostname or ""
