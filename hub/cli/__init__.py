"""The command `hub`: one file per verb, each loaded only when it is asked for."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any

import click

from hub import __version__
from hub.domain.errors import HubError, Rejected

VERBS: Mapping[str, str] = {
    "run": "Run the whole hub in this process.",
    "demo": "Run the demo: a shop, a warehouse and partners that are simulated.",
    "web": "Serve HTTP in production.",
    "events": "Serve the event streams in production.",
    "worker": "Do the work of some lanes in production.",
    "schedule": "Queue what is due in production; one such process.",
    "check": "Say what is wrong with this hub, and what to do.",
    "apply": "Apply the configuration folder to the database.",
    "export": "Write the configuration in the database back as files.",
    "db": "Bring the tables up to date.",
    "backup": "Write a backup that was read back and counted.",
    "restore": "Put a backup into an empty database.",
    "user": "Add and list people who may sign in.",
    "key": "Add, list and revoke API keys.",
    "keys": "Rotate the master key of stored secrets.",
    "secret": "Store a secret that connections refer to.",
    "partner": "Start the files of a partner, and test them.",
    "inspect": "Show what a file holds: envelopes, sets, problems.",
    "translate": "Translate a file with a mapping.",
    "ack": "Write the functional acknowledgement of a file.",
    "replay": "Take received messages in again.",
    "connector": "Start a connector, and test it.",
    "catalogue": "List connectors, codecs and mappings of this hub.",
    "audit": "Verify the audit trail.",
    "bench": "Measure orders per second on this machine.",
}
"""Every verb and its file `hub/cli/<verb>.py`, which has a click command called `command`."""


class Verbs(click.Group):
    """Loads the file of a verb when the verb is used, and shows the hub's own errors as text."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in VERBS if importlib.util.find_spec(f"hub.cli.{name}") is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(f"hub.cli.{cmd_name}").command
        command.name = cmd_name
        return command  # type: ignore[no-any-return]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without loading them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, VERBS[name]) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; an error of ours goes to stderr, one line per problem, with exit status 1."""
        try:
            return super().invoke(ctx)
        except Rejected as error:
            raise click.ClickException("\n       ".join(str(problem) for problem in error.problems)) from error
        except HubError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, "--version", prog_name="hub")
def main() -> None:
    """The connector gateway between everyone who sends orders and everyone who fulfils them.

    Settings come from the environment: HUB_DATABASE_URL, HUB_CONFIG, HUB_VAR, HUB_MASTER_KEY_FILE and others.
    """
