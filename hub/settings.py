"""Settings: the process's from the environment, a connection's from its configuration."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from hub.domain.errors import Problem, Rejected
from hub.domain.sign_in import OidcRules, SignInRules
from hub.kit.fields import ReferredSecret, SettingField, describe_settings, read_settings, revealer
from hub.store.people import OUTSIDERS, ROLES

__all__ = [
    "HubSettings", "ReferredSecret", "SettingField", "describe_settings", "hub_settings", "read_settings", "revealer",
]  # fmt: skip
INSIDERS = tuple(role for role in ROLES if role not in OUTSIDERS)


@dataclass(frozen=True, kw_only=True)
class HubSettings:
    """How this process runs. Every field is one environment variable, `HUB_` and its name in capitals."""

    database_url: Annotated[str, "PostgreSQL or SQLite address; empty: SQLite in the var folder"] = ""
    redis_url: Annotated[str, "Redis for the doorbell between processes; empty: within this process"] = ""
    config: Annotated[Path, "Folder of hub.toml, routes.toml, connections/ and partners/"] = Path("config")
    var: Annotated[Path, "Folder for the database, files and keys of this hub"] = Path("var")
    master_key_file: Annotated[Path | None, "File with the key that closes stored secrets; none: var/master.key"] = None
    host: Annotated[str, "Address to listen on"] = "127.0.0.1"
    port: Annotated[int, "Port to listen on, 0 for any"] = 8080
    crash_at: Annotated[str, "For fault tests only: the named point at which this process ends itself"] = ""
    lease: Annotated[float, "Seconds for which a worker holds what it took; a dead worker's work waits so long"] = 60.0
    roots: Annotated[tuple[Path, ...], "Folders outside var that connections may use, separated by ':'"] = ()
    allow_networks: Annotated[tuple[str, ...], "Private networks that all connections may call, by ','"] = ()
    plugins: Annotated[tuple[str, ...] | None, "Third-party plug-ins that may load, by ','; unset: all"] = None
    public_url: Annotated[str, "Where browsers reach the console (https://hub.example); for passkeys and OIDC"] = ""
    proxied: Annotated[bool, "yes: one proxy stands before the hub and says who called, by what scheme"] = False
    second_factor: Annotated[tuple[str, ...], "Roles that must have a second factor, by ',' (owner,admin)"] = ()
    oidc_issuer: Annotated[str, "Issuer of the OpenID provider for single sign-on; empty: none"] = ""
    oidc_client_id: Annotated[str, "What the provider calls this hub"] = ""
    oidc_client_secret: Annotated[str, "Reference to the client's secret, such as vault:oidc; empty: PKCE alone"] = ""
    oidc_title: Annotated[str, "What the sign-in page calls the provider"] = "single sign-on"
    oidc_allow: Annotated[tuple[str, ...], "Verified addresses or domains that get an account, by ','"] = ()
    oidc_role: Annotated[str, "Role of the accounts that HUB_OIDC_ALLOW lets in"] = ""
    oidc_groups: Annotated[Mapping[str, str], "Roles by group of the provider: group=role, by ','"] = field(
        default_factory=dict
    )
    oidc_groups_claim: Annotated[str, "Claim of the ID token that lists the groups"] = "groups"

    @property
    def database(self) -> str:
        """Return the database address, SQLite below var where none is set."""
        return self.database_url or f"sqlite:///{self.var / 'hub.db'}"

    @property
    def key_file(self) -> Path:
        """Return the file of the master key."""
        return self.master_key_file or self.var / "master.key"

    @property
    def sign_in(self) -> SignInRules:
        """Return how people sign in."""
        return SignInRules(public_url=self.public_url, second_factor=self.second_factor, oidc=_oidc(self))


def hub_settings(environ: Mapping[str, str]) -> HubSettings:
    """Read the process's settings; raises Rejected with every variable that is wrong."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for each in dataclasses.fields(HubSettings):
        name = f"HUB_{each.name.upper()}"
        if name not in environ or (not environ[name] and each.name != "plugins"):
            continue
        try:
            values[each.name] = _FROM_TEXT.get(each.name, str)(environ[name])
        except ValueError as error:
            problems.append(Problem(code="setting", path=name, text=str(error), value=environ[name]))
    settings = HubSettings(**values)
    problems += _missing(settings)
    if problems:
        raise Rejected(problems)
    return settings


def _oidc(settings: HubSettings) -> OidcRules | None:
    if not settings.oidc_issuer:
        return None
    names = [each.name for each in dataclasses.fields(OidcRules) if each.name != "networks"]
    return OidcRules(
        networks=settings.allow_networks, **{name: getattr(settings, f"oidc_{name}") for name in names}
    )  # fmt: skip


def _missing(settings: HubSettings) -> Iterator[Problem]:
    """Yield what single sign-on lacks."""
    if not settings.oidc_issuer:
        return
    for name in ("public_url", "oidc_client_id"):
        if not getattr(settings, name):
            yield Problem(code="setting", path=f"HUB_{name.upper()}", text="must be set where HUB_OIDC_ISSUER is")
    if bool(settings.oidc_allow) != bool(settings.oidc_role):
        yield Problem(code="setting", path="HUB_OIDC_ROLE", text="and HUB_OIDC_ALLOW must be set both or neither")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise ValueError("must be a port number from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.5 <= seconds <= 3600:
        raise ValueError("must be a number of seconds from 0.5 to 3600")
    return seconds


def _yes(text: str) -> bool:
    if text.lower() not in ("yes", "no"):
        raise ValueError("must be yes or no")
    return text.lower() == "yes"


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for part in text.split(",") if (word := part.strip()))


def _networks(text: str) -> tuple[str, ...]:
    return tuple(str(ip_network(word)) for word in _words(text))


def _folders(text: str) -> tuple[Path, ...]:
    folders = tuple(Path(part) for part in text.split(":") if part)
    for folder in folders:
        if not folder.is_absolute():
            raise ValueError(f"{folder} must be an absolute path")
    return folders


def _origin(text: str) -> str:
    parts = urlsplit(text.rstrip("/"))
    host = parts.hostname or ""
    is_near = host == "localhost" or host.startswith("127.")
    if parts.scheme not in ("https", "http") or not host or parts.path or parts.query or "@" in parts.netloc:
        raise ValueError("must be scheme and host, such as https://hub.example")
    if parts.scheme == "http" and not is_near:
        raise ValueError("must begin with https://; http is for this machine only")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _issuer(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be the provider's issuer exactly as it writes it, such as https://login.example")
    return text


def _role(text: str) -> str:
    if text not in INSIDERS:
        raise ValueError(f"{text!r} is none of {', '.join(INSIDERS)}")
    return text


def _roles(text: str) -> tuple[str, ...]:
    wrong = [word for word in _words(text) if word not in ROLES]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} is none of {', '.join(ROLES)}")
    return _words(text)


def _groups(text: str) -> dict[str, str]:
    pairs = [word.rpartition("=") for word in _words(text)]
    if any(not group.strip() or not separator for group, separator, _ in pairs):
        raise ValueError("must be group=role, several by ','")
    return {group.strip(): _role(role.strip()) for group, _, role in pairs}


def _reference(text: str) -> str:
    if not text.startswith(("env:", "file:", "vault:")):
        raise ValueError("must be a reference: env:NAME, file:/path or vault:name; hub secret set stores one")
    return text


_FROM_TEXT: Mapping[str, Callable[[str], Any]] = {
    "config": Path, "var": Path, "master_key_file": Path, "port": _port, "plugins": _words, "roots": _folders,
    "allow_networks": _networks, "lease": _seconds, "proxied": _yes, "public_url": _origin, "second_factor": _roles,
    "oidc_issuer": _issuer, "oidc_client_secret": _reference, "oidc_allow": _words, "oidc_role": _role,
    "oidc_groups": _groups,
}  # fmt: skip
