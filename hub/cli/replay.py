"""`hub replay`: take received messages in again."""

from __future__ import annotations

import click

from hub.cli.database import opened, who
from hub.cli.show import json_option, print_json, print_table
from hub.store.config import load_config
from hub.store.replay import messages_in, plan_replay, replay

STATES = ("quarantined", "rejected", "partly_applied")
MOST = 10_000


@click.command()
@click.argument("message_ids", nargs=-1)
@click.option("--connection", default="", help="All messages of this connection that failed.")
@click.option("--go", is_flag=True, help="Do it; without this only the plan is shown.")
@json_option
def command(message_ids: tuple[str, ...], connection: str, go: bool, as_json: bool) -> None:
    """Show which messages would be taken in again; with --go queue them.

    Their old results are removed and every stage runs again, with today's agreements and mappings. Documents that were
    applied before have no second effect. Exit status 1 where a message was refused.
    """
    if bool(message_ids) == bool(connection):
        raise click.UsageError("name messages, or a connection with --connection")
    with opened() as store:
        ids = list(message_ids) or store.read(lambda db: messages_in(db, connection, STATES, MOST))
        if go:
            connections = store.read(load_config).connections
            found = store.write(lambda db: replay(db, ids, connections, who=who()))
        else:
            found = store.read(lambda db: plan_replay(db, ids))
    if as_json:
        print_json(found)
    else:
        rows = [
            (each.message_id, each.connection, each.state, each.documents, each.applied, each.refused) for each in found
        ]
        print_table(("message", "connection", "state", "documents", "applied", "refused"), rows)
        good = sum(not each.refused for each in found)
        click.echo(f"{good} queued" if go else f"{good} would be queued; --go does it")
    raise SystemExit(1 if any(each.refused for each in found) else 0)
