"""`hub export`: the configuration in the database, written back as files."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli.database import opened, settings
from hub.cli.show import json_option, print_json
from hub.store import seed_export


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@json_option
def command(folder: Path | None, as_json: bool) -> None:
    """Write the configuration to a folder (HUB_CONFIG). Files that say the same already are left as they are.

    Secrets are references, so none is written. Opening stock is history and is not written.
    """
    given = settings()
    with opened(given) as store:
        found = store.read(seed_export.gather)
    changed = seed_export.export(found, folder or given.config)
    if as_json:
        print_json(changed)
        return
    for name in changed:
        click.echo(f"{folder or given.config}/{name}")
    click.echo(f"{len(changed)} files changed")
