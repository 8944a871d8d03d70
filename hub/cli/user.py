"""`hub user`: people who may sign in."""

from __future__ import annotations

import dataclasses
import sys

import click
from click.termui import prompt

from hub.cli.database import opened, settings, who
from hub.cli.show import json_option, print_json, print_table
from hub.store import identities, people, second_factors
from hub.store.store import Store


@click.group()
def command() -> None:
    """Add and list people who may sign in."""


@command.command()
@click.argument("email")
@click.option("--role", type=click.Choice(people.ROLES), required=True, help="What they may do.")
@click.option("--partner", default="", help="Whose records a partner or supplier sees.")
@click.option("--token", is_flag=True, help="Print a one-time sign-in token instead of asking for a password.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add(email: str, role: str, partner: str, token: bool, password_stdin: bool) -> None:
    """Add a person. The password has at least 15 characters; a few words do."""
    made = people.new_token()
    password_hash = "" if token else people.Passwords().hash(_password(password_stdin))
    with opened() as store:
        user = store.write(
            lambda db: people.add_user(db, email, role, password_hash=password_hash, partner=partner, who=who())
        )
        if token:
            store.write(lambda db: people.keep_token(db, made, user.id))
    click.echo(f"{user.email} is {user.role}{f' of {partner}' if partner else ''}")
    if token:
        hours = people.TOKEN_SECONDS // 3600
        address = settings().public_url or f"http://127.0.0.1:{settings().port}"
        click.echo(f"Sign in within {hours} hours at {address}/sign-in/first?token={made}")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(prompt("Password", hide_input=True, confirmation_prompt=True))


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List everybody."""
    with opened() as store:
        found = store.read(lambda db: [(user, second_factors.factors_of(db, user.id)) for user in people.users(db)])
    if as_json:
        print_json([{**dataclasses.asdict(user), "factors": factors} for user, factors in found])
        return
    rows = [
        (user.email, user.role, user.partner, _factors(factors), "disabled" if user.disabled else "")
        for user, factors in found
    ]
    print_table(("email", "role", "partner", "second factors", ""), rows)


def _factors(factors: second_factors.Factors) -> str:
    kinds = ["app"] * factors.totp + [f"{factors.passkeys} passkeys"] * bool(factors.passkeys)
    return ", ".join(kinds) or "-"


@command.command("clear-factors")
@click.argument("email")
def clear_factors(email: str) -> None:
    """Take somebody's app, passkeys and recovery codes off and sign them out: for a lost phone.

    Make sure that it is them who ask. Their password stays; where their role needs a second factor, they are led to a
    new one when they sign in.
    """
    with opened() as store:
        user = _user(store, email)
        had = store.write(lambda db: second_factors.clear_factors(db, user.id, who=who()))
    click.echo(f"{user.email} has no second factor any more (had: {_factors(had)}) and is signed out")


@command.command()
@click.argument("email")
def unbind(email: str) -> None:
    """Free somebody's account of the provider's subject that signed in to it: for one who is new at the provider.

    Whoever signs in there next with this verified address is bound to it.
    """
    with opened() as store:
        user = _user(store, email)
        count = store.write(lambda db: identities.unbind(db, user, who=who()))
    click.echo(f"{user.email} was bound to {count} subjects of a provider and is bound to none now")


def _user(store: Store, email: str) -> people.User:
    found = store.read(lambda db: people.user_by_email(db, email))
    if found is None:
        raise click.ClickException(f"there is no user {email.strip().lower()}; hub user list shows them all")
    return found[0]
