"""`hub inspect`: what a file holds."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli.database import settings
from hub.cli.mapping_files import kinds
from hub.cli.reading import codec_option, decoded, file_argument, guide_option, pick_codec
from hub.cli.show import json_option, print_json, print_problems, print_table


@click.command()
@file_argument
@guide_option
@codec_option
@json_option
def command(file: Path, guide: str, codec_name: str, as_json: bool) -> None:
    """Show envelopes, sets and problems of a file. Exit status 1 where a problem is an error."""
    body = file.read_bytes()
    codec = pick_codec(kinds(settings()), body, codec_name)
    found = decoded(codec, body, guide)
    failed = any(problem.severity == "error" for each in found for problem in each.problems)
    if as_json:
        documents = [
            {"ordinal": each.ordinal, "set": each.set, "version": each.version, "sender": each.sender,
             "receiver": each.receiver, "test": each.test, "controls": each.controls, "problems": each.problems}
            for each in found
        ]  # fmt: skip
        print_json({"codec": codec.name, "bytes": len(body), "documents": documents})
        raise SystemExit(int(failed))
    click.echo(f"{file.name}: {codec.name}, {len(body)} bytes, {len(found)} documents")
    rows = [
        (each.ordinal, each.set, each.version, each.sender, each.receiver, "/".join(each.controls).strip("/"),
         "test" if each.test else "", len(each.problems))
        for each in found
    ]  # fmt: skip
    print_table(("no", "set", "version", "from", "to", "controls", "", "problems"), rows)
    for each in found:
        print_problems(each.problems, f"document {each.ordinal}")
    raise SystemExit(int(failed))
