"""Who may do what: roles by permissions, deny by default. A route without a declared permission is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeVar

from hub.store.people import Role

Permission = Literal[
    "public",  # anybody, signed in or not: sign-in, static files
    "machine",  # no cookies and no sessions: intake, health, metrics; each verifies its callers itself
    "signed-in",  # whoever is signed in, whatever the role
    "own",  # one's own sign-in: the same, and all that is left to somebody whose second factor is still due
    "see",  # look at orders, messages without their bytes, incidents, connections
    "bytes",  # read what crossed the wire, with the personal data in it
    "orders",  # release a held order
    "deliveries",  # retry, skip or mark as sent; take messages in again
    "incidents",  # acknowledge and resolve
]
View = TypeVar("View", bound=Callable[..., object])

_OPERATE: frozenset[Permission] = frozenset({"see", "bytes", "orders", "deliveries", "incidents"})
ALLOWED: Mapping[Role, frozenset[Permission]] = {
    "owner": _OPERATE,
    "admin": _OPERATE,
    "operator": _OPERATE,
    "mapper": frozenset({"see", "bytes", "incidents"}),
    "support": frozenset({"see", "orders", "incidents"}),
    "auditor": frozenset({"see", "bytes"}),
    "partner": frozenset(),
    "supplier": frozenset(),
}
"""Partners and suppliers have their own portal and see nothing of the console."""

OPEN: frozenset[Permission] = frozenset({"public", "machine"})
DECLARED: dict[str, Permission] = {
    "health.live": "machine",
    "health.ready": "machine",
    "static_files.static": "public",
}
"""Endpoints of blueprints that know nothing of people."""


def needs(permission: Permission) -> Callable[[View], View]:
    """Declare what a view asks of its caller."""

    def declare(view: View) -> View:
        view.needs = permission  # type: ignore[attr-defined]
        return view

    return declare


def declared(endpoint: str, view: object) -> Permission | None:
    """Return what a route asks, or None where nobody said, which is refused."""
    return getattr(view, "needs", None) or DECLARED.get(endpoint)


def may(role: Role, permission: Permission) -> bool:
    """Say whether a role has a permission."""
    return permission in OPEN or permission in ("signed-in", "own") or permission in ALLOWED[role]
