"""Whom a provider's word lets in: who is bound already, who an admin added, and who the rules name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.domain.errors import Rejected
from hub.domain.sign_in import OidcRules
from hub.store import identities, people
from hub.store.db import Db
from hub.store.identities import Identity
from hub.store.people import User


def admitted(db: Db, rules: OidcRules, claims: Mapping[str, Any]) -> User:
    """Return whose claims these are, binding or making the account where that is due; raises Rejected with why not.

    A subject is bound by (issuer, subject). An address alone binds only where somebody here made that account and
    the provider has verified the address; what the rules let in gets an account that lives by the rules.
    """
    known = identities.identity_user(db, rules.issuer, claims["sub"])
    if known is not None:
        return _known(db, rules, claims, *known)
    email = verified_email(claims)
    if not email:
        raise Rejected("the provider did not confirm an e-mail address of yours; have it verified there")
    found = people.user_by_email(db, email)
    return _added_here(db, rules, claims, found[0]) if found is not None else _made(db, rules, claims, email)


def verified_email(claims: Mapping[str, Any]) -> str:
    """Return the address that the provider vouches for, '' where it vouches for none."""
    email = claims.get("email")
    return email.strip().lower() if isinstance(email, str) and claims.get("email_verified") is True else ""


def entitled(rules: OidcRules, claims: Mapping[str, Any]) -> str:
    """Return the role that the rules give ('' is none): the first group of the setting that fits, else by address."""
    said = claims.get(rules.groups_claim)
    groups = said if isinstance(said, list) else [said]
    for group, role in rules.groups.items():
        if group in groups:
            return role
    email = verified_email(claims)
    domain = email.rpartition("@")[2]
    wanted = {each.lower().removeprefix("@") for each in rules.allow}
    return rules.role if email and (email in wanted or domain in wanted) else ""


def _known(db: Db, rules: OidcRules, claims: Mapping[str, Any], user: User, identity: Identity) -> User:
    if user.disabled:
        raise Rejected(f"{user.email} is closed here; an owner or admin can open it again")
    identities.note_use(db, identity)
    if not identity.made_user:
        return user
    role = entitled(rules, claims)
    if not role:
        raise Rejected(f"{user.email} may not sign in any more: no group or address of the provider's allows it")
    if role != user.role:
        people.set_role(db, user.id, role, who=f"oidc:{rules.issuer}")
    return people.user_by_id(db, user.id) or user


def _added_here(db: Db, rules: OidcRules, claims: Mapping[str, Any], user: User) -> User:
    if user.disabled:
        raise Rejected(f"{user.email} is closed here; an owner or admin can open it again")
    if identities.identities_of(db, user.id):
        raise Rejected(f"{user.email} belongs to somebody else of the provider; `hub user unbind` frees it")
    identity = Identity(issuer=rules.issuer, subject=claims["sub"], made_user=False)
    identities.bind(db, user, identity, who=f"oidc:{rules.issuer}")
    return user


def _made(db: Db, rules: OidcRules, claims: Mapping[str, Any], email: str) -> User:
    role = entitled(rules, claims)
    if not role:
        raise Rejected(f"{email} is not let in here; an owner or admin can add it")
    user = people.add_user(db, email, role, who=f"oidc:{rules.issuer}")
    identity = Identity(issuer=rules.issuer, subject=claims["sub"], made_user=True)
    identities.bind(db, user, identity, who=f"oidc:{rules.issuer}")
    return user
