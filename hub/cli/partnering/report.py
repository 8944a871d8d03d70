"""The compliance report of a partner's samples, for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from hub.cli.mapping_files import Kinds
from hub.cli.partnering.compliance import Judged
from hub.cli.partnering.words import MARK
from hub.domain.errors import Problem, Rejected
from hub.translate import mapfile

_MOST = 20


def sample_files(known: Kinds, config: Path, name: str) -> list[Path]:
    """Return a partner's sample files; results of mapping tests and what outbound tests are given are none."""
    folder = config / "mappings" / "partners" / name
    ours: set[str] = set()
    for file in folder.glob("*.toml"):
        try:
            mapping = mapfile.load(known.roots, f"partners/{name}/{file.name.removesuffix('.toml')}")
        except Rejected:
            continue
        ours |= {case.expect for case in mapping.tests}
        ours |= {case.given for case in mapping.tests if mapping.direction == "out"}
    samples = folder / "samples"
    return [file for file in sorted(samples.glob("*")) if file.is_file() and f"samples/{file.name}" not in ours]


def show(judged: Sequence[Judged]) -> None:
    """Print what was found for each document, errors first."""
    for one in judged:
        way = "they send" if one.direction == "in" else "we send"
        state = "FAILED" if one.failed else "ok    "
        parties = f", {one.sender} > {one.receiver}" if one.sender or one.receiver else ""
        controls = "/".join(part for part in one.controls if part)
        told = f", control {controls}" if controls else ""
        click.echo(f"{state} {one.file} document {one.ordinal + 1}: {way} {one.set} {one.version}{parties}{told}")
        for problem in sorted(one.problems, key=lambda problem: problem.severity):
            click.echo(f"         {problem.severity} {_place(problem)}{problem} [{problem.code}]")
        _some("read by no rule", [f"{each.path} = {each.value!r}{_in(each.segment)}" for each in one.unread])
        _some("differs from their sample", list(map(str, one.differences)))
        if one.answer:
            click.echo("         answer: " + one.answer.replace("\n", " ~ "))


def _some(title: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    click.echo(f"         {title} ({len(lines)}):")
    for line in lines[:_MOST]:
        click.echo(f"           {line}")
    if len(lines) > _MOST:
        click.echo(f"           and {len(lines) - _MOST} more; --json has all")


def _in(segment: int) -> str:
    return f" in segment {segment}" if segment else ""


def _place(problem: Problem) -> str:
    """Return where a problem stands, as the compliance desk counts: segment, element, component, byte."""
    at = problem.at
    if at is None or not at.segment:
        return ""
    element = f" element {at.element}" if at.element else ""
    component = f" component {at.component}" if at.component else ""
    offset = f" byte {at.offset}" if at.offset >= 0 else ""
    return f"segment {at.segment} {at.tag}{element}{component}{offset}: "


def show_marks(config: Path, name: str) -> None:
    """Say how many lines of a partner's files still wait for a decision."""
    files = [config / "partners" / f"{name}.toml", *(config / "mappings" / "partners" / name).glob("*.toml")]
    marks = sum(file.read_text(encoding="utf-8").count(MARK) for file in files if file.is_file())
    if marks:
        click.echo(f"{marks} lines are still marked {MARK!r}")
