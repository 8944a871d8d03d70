"""How commands print: a table for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click
import msgspec

from hub.domain.errors import Problem

F = TypeVar("F", bound=Callable[..., Any])
_encoder = msgspec.json.Encoder(decimal_format="string", enc_hook=str)


def json_option(function: F) -> F:
    """Add `--json` to a command that prints data; it arrives as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def json_text(value: Any) -> str:
    """Return indented JSON of records, dataclasses and plain values; amounts as text, so that nothing is rounded."""
    return msgspec.json.format(_encoder.encode(value), indent=2).decode()


def print_json(value: Any) -> None:
    """Print JSON on stdout."""
    click.echo(json_text(value))


def print_table(heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows below a heading, columns aligned; nothing but a dash where there are none."""
    lines = [tuple(map(str, heading)), *(tuple(map(str, row)) for row in rows)]
    if len(lines) == 1:
        click.echo("-")
        return
    widths = [max(len(line[place]) for line in lines) for place in range(len(heading))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_problems(problems: Iterable[Problem], where: str = "") -> bool:
    """Print problems on stderr and say whether one of them is an error."""
    failed = False
    for problem in problems:
        at = f" (segment {problem.at.segment} {problem.at.tag})" if problem.at and problem.at.segment else ""
        prefix = f"{where}: " if where else ""
        click.echo(f"{prefix}{problem.severity}: {problem}{at}", err=True)
        failed = failed or problem.severity == "error"
    return failed
