"""`hub check`: everything that can be found wrong without sending anything, each with what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Literal

import click
import msgspec

from hub.cli.database import exists, revision_of, settings, shown
from hub.cli.mapping_files import Kinds, kinds
from hub.cli.show import json_option, print_json
from hub.domain.config import Config
from hub.domain.connection import Agreement, ConnectionConfig
from hub.domain.errors import HubError, Rejected
from hub.kit.fields import ReferredSecret, read_settings, revealer
from hub.ports import Connector
from hub.settings import HubSettings
from hub.store import audit, mappings, migrate
from hub.store.config import load_config
from hub.store.store import Store
from hub.store.vault import Vault
from hub.translate import mapfile
from hub.translate.compile import compile_mapping


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    level: Literal["ok", "warning", "error"]
    about: str
    text: str


@click.command()
@json_option
def command(as_json: bool) -> None:
    """Say what is wrong with this hub, and what to do. Nothing is sent. Exit status 1 where something is an error."""
    given = settings()
    found = list(findings(given))
    if as_json:
        print_json(found)
    else:
        for each in found:
            click.echo(f"{each.level:7}  {each.about}: {each.text}")
    raise SystemExit(1 if any(each.level == "error" for each in found) else 0)


def findings(given: HubSettings) -> Iterator[Finding]:
    """Yield what was found, plug-ins first, then the database, then what is configured in it."""
    known = kinds(given)
    for broken in known.loaded.broken:
        yield _error(f"plug-in {broken.plugin}", f"{broken.reason}; mend or uninstall it")
    counts = f"{len(known.connectors)} connectors, {len(known.codecs)} codecs"
    yield Finding(level="ok", about="plug-ins", text=counts)
    url = given.database
    if not exists(url):
        yield _error("database", f"there is none at {shown(url)}; run hub db upgrade")
        return
    store = Store(url, pool_size=2)
    try:
        yield from _database(given, known, store)
    except HubError as error:
        yield _error("database", str(error))
    finally:
        store.close()


def _database(given: HubSettings, known: Kinds, store: Store) -> Iterator[Finding]:
    state = revision_of(store)
    if state != migrate.newest():
        yield _error("database", f"its tables are at {state or 'nothing'}, not {migrate.newest()}; run hub db upgrade")
        return
    yield Finding(level="ok", about="database", text=f"{shown(store.url)} is at {state}")
    trail = store.read(audit.verify)
    if trail.broken_at is not None:
        yield _error("audit", f"breaks at row {trail.broken_at}: {trail.reason}")
    yield from _key_file(given, store)
    config = store.read(load_config)
    vault = Vault(store, given.key_file)
    for connection in config.connections.values():
        yield from _connection(connection, known, vault)
    for agreement in config.agreements:
        yield from _agreement(agreement, config, known, store)
    yield from _routes(config)


def _key_file(given: HubSettings, store: Store) -> Iterator[Finding]:
    secrets = store.read(lambda db: db.one("SELECT count(*) FROM secrets"))[0]
    if secrets and not given.key_file.exists():
        yield _error("master key", f"{given.key_file} is missing and {secrets} secrets need it; restore its copy")
    elif given.key_file.exists() and given.key_file.stat().st_mode & 0o077:
        yield Finding(level="warning", about="master key", text=f"others can read {given.key_file}; chmod 600 it")


def _connection(connection: ConnectionConfig, known: Kinds, vault: Vault) -> Iterator[Finding]:
    about = f"connection {connection.name}"
    connector = known.connectors.get(connection.connector)
    if connector is None:
        yield _error(about, f"connector {connection.connector!r} is not installed; hub catalogue lists what is")
        return
    faults = _settings_faults(connector, connection, vault)
    yield from (_error(about, fault) for fault in faults)
    if not faults:
        yield Finding(level="ok", about=about, text=f"{connection.connector}, {connection.state}")
    if connector.receives and connector.signature == "none":
        yield Finding(level="warning", about=about, text="takes messages without any proof of their sender")


def _settings_faults(connector: Connector, connection: ConnectionConfig, vault: Vault) -> list[str]:
    """Read the settings and look up each secret; nothing is shown of what it is."""
    try:
        read: Any = read_settings(connector.settings, connection.settings, revealer(os.environ, vault=vault.reveal))
        for value in vars(read).values():
            if isinstance(value, ReferredSecret):
                value.reveal()
    except Rejected as error:
        return [str(problem) for problem in error.problems]
    except HubError as error:
        return [str(error)]
    return []


def _agreement(agreement: Agreement, config: Config, known: Kinds, store: Store) -> Iterator[Finding]:
    about = f"agreement {agreement.connection} {agreement.direction} {agreement.document}"
    if agreement.connection not in config.connections:
        yield _error(about, f"there is no connection {agreement.connection}; add it or delete the agreement")
    if agreement.codec not in known.codecs:
        yield _error(about, f"there is no codec {agreement.codec!r}; there are {', '.join(sorted(known.codecs))}")
    if not agreement.mapping:
        return
    try:
        sha = config.published.get(agreement.mapping, "")
        text = store.read(lambda db: mappings.text_of(db, sha)) if sha else None
        mapping = mapfile.loads(text) if text else mapfile.load(known.roots, agreement.mapping)
        compile_mapping(mapping, known.functions)
        if mapping.direction != agreement.direction:
            yield _error(about, f"mapping {agreement.mapping} goes {mapping.direction}, the agreement does not")
    except Rejected as error:
        yield _error(about, str(error))


def _routes(config: Config) -> Iterator[Finding]:
    for route in config.routes:
        about = f"route {route.name}"
        if route.to in ("origin", "target"):
            continue
        if route.to not in config.connections:
            yield _error(about, f"there is no connection {route.to}; add it or change the route")
        elif (route.to, route.send) not in config.outbound:
            yield _error(about, f"connection {route.to} has no outbound agreement for {route.send}; add one")


def _error(about: str, text: str) -> Finding:
    return Finding(level="error", about=about, text=text)
