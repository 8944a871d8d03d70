"""`hub ack`: the functional acknowledgement of a file, on this machine only; nothing is sent."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli.database import settings
from hub.cli.mapping_files import kinds
from hub.cli.reading import codec_option, decoded, file_argument, guide_option, pick_codec
from hub.codecs.acknowledge import functional_acknowledgement, interchange_acknowledgement
from hub.codecs.answers import Answer, set_result
from hub.domain.tree import Decoded
from hub.kit.clock import SystemClock
from hub.ports import Codec


@click.command()
@file_argument
@guide_option
@codec_option
@click.option("--control", type=click.IntRange(1), default=1, show_default=True, help="Control number to answer with.")
@click.option(
    "--kind", type=click.Choice(["997", "999"]), default="997", show_default=True, help="How X12 is answered."
)
def command(file: Path, guide: str, codec_name: str, control: int, kind: str) -> None:
    """Write the 997, 999 or CONTRL (and the TA1 where one is asked for) of a file to standard output.

    Exit status 1 where no acknowledgement is due.
    """
    body = file.read_bytes()
    codec = pick_codec(kinds(settings()), body, codec_name)
    answers = owed(decoded(codec, body, guide), kind)
    if not answers:
        raise click.ClickException(f"no acknowledgement is due for {file.name}: it has no sets, or is one itself")
    for number, answer in enumerate(answers, control):
        click.echo(written(codec, answer, number), nl=False)


def owed(found: list[Decoded], kind: str) -> list[Answer]:
    """Return one answer per group, and one per interchange that asks for it."""
    groups: dict[tuple[str, str], list[Decoded]] = {}
    for each in found:
        groups.setdefault(each.controls[:2], []).append(each)
    answers = []
    seen: set[str] = set()
    for (interchange, _), members in groups.items():
        facts = members[0].facts
        if interchange not in seen:
            seen.add(interchange)
            answers.append(interchange_acknowledgement(facts))
        answers.append(functional_acknowledgement(facts, [set_result(each) for each in members], kind))
    return [answer for answer in answers if answer is not None]


def written(codec: Codec, answer: Answer, number: int) -> bytes:
    """Return the bytes of one answer."""
    now = SystemClock().now()
    stamp = {"date": now.strftime("%Y%m%d"), "time": now.strftime("%H%M")}
    control = {"interchange": number, "group": number, "sets": [number]}
    return codec.encode(answer.documents, {**answer.envelope, **stamp, "control": control, "newline": True})
