"""`hub translate`: a file through a mapping, on this machine only; nothing is stored or sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from hub.cli.database import settings
from hub.cli.mapping_files import Kinds, kinds
from hub.cli.reading import codec_option, decoded, file_argument, pick_codec
from hub.cli.show import json_option, json_text, print_json, print_problems
from hub.domain.errors import Problem, Rejected
from hub.kit.clock import SystemClock
from hub.translate.compile import Compiled
from hub.translate.documents import DOCUMENTS
from hub.translate.explain import Trace

Envelope = dict[str, Any]


@click.command()
@file_argument
@click.option("--as", "mapping", required=True, help="Mapping to read it with, such as x12/850.in.")
@click.option("--to", "target", default="", help="Mapping to write the document with, such as rest/order.out.")
@click.option("--explain", is_flag=True, help="Say for every value which rule gave it, and from what.")
@codec_option
@json_option
def command(file: Path, mapping: str, target: str, explain: bool, codec_name: str, as_json: bool) -> None:
    """Translate a file and print the canonical document as JSON; with --to print what would be sent.

    Problems go to standard error, and the exit status is 1. An outbound mapping takes a file of canonical JSON.
    """
    known = kinds(settings())
    compiled = known.compiled(mapping)
    if compiled.mapping.direction == "out":
        if target:
            raise click.UsageError("--to needs an inbound mapping in --as")
        document = read_canonical(file, compiled)
        outward(known, compiled, [document], explain, as_json)
        return
    trees = inward_trees(known, compiled, file, codec_name)
    if explain and not target:
        print_traces([trace for tree in trees for trace in compiled.explain_inward(tree)], as_json)
        return
    documents = mapped(compiled, trees)
    if target:
        outward(known, known.compiled(target), documents, explain, as_json)
        return
    click.echo(json_text(documents[0] if len(documents) == 1 else documents))


def read_canonical(file: Path, compiled: Compiled) -> Any:
    """Read a canonical document from JSON."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"), parse_float=str)
        return msgspec.convert(data, DOCUMENTS[compiled.mapping.document], strict=False)
    except (ValueError, msgspec.ValidationError) as error:
        raise Rejected([Problem(code="not_canonical", path=file.name, text=str(error))]) from error


def inward_trees(known: Kinds, compiled: Compiled, file: Path, codec_name: str) -> Sequence[Any]:
    """Decode the file by the mapping's syntax and guide; a document with an error ends the command."""
    body = file.read_bytes()
    codec = pick_codec(known, body, codec_name or compiled.mapping.syntax)
    found = decoded(codec, body, compiled.mapping.guide)
    failed = [print_problems(each.problems, f"document {each.ordinal}") for each in found]
    if any(failed) or not found:
        raise click.ClickException("nothing was translated" if found else f"{file.name} holds no document")
    return [each.tree for each in found]


def mapped(compiled: Compiled, trees: Sequence[Any]) -> list[Any]:
    """Map every tree; all problems of all documents are printed before the command fails."""
    results = compiled.inward_many(trees)
    failed = [
        print_problems(result.problems, f"document {ordinal}")
        for ordinal, result in enumerate(results)
        if isinstance(result, Rejected)
    ]
    if failed:
        raise click.ClickException(f"{len(failed)} of {len(results)} documents were not translated")
    return results


def outward(known: Kinds, compiled: Compiled, documents: Sequence[Any], explain: bool, as_json: bool) -> None:
    """Write documents with an outbound mapping to standard output."""
    if explain:
        print_traces([trace for document in documents for trace in compiled.explain_outward(document)], as_json)
        return
    trees = [compiled.outward(document) for document in documents]
    family = compiled.mapping.syntax or compiled.mapping.guide.partition("/")[0]
    codec = known.codec(family or "x12" if compiled.mapping.set else family or "json")
    click.echo(codec.encode(trees, sample_envelope(compiled, len(trees))), nl=False)


def sample_envelope(compiled: Compiled, count: int) -> Envelope:
    """Return an envelope that stands in for the agreement's: invented sender and receiver, marked as a test."""
    now = SystemClock().now()
    version = compiled.mapping.guide.rpartition("-")[2]
    envelope: Envelope = {
        "sender": "ZZ:SENDER", "receiver": "ZZ:RECEIVER", "set": compiled.mapping.set, "test": True, "newline": True,
        "date": now.strftime("%Y%m%d"), "time": now.strftime("%H%M"),
        "control": {"interchange": 1, "group": 1, "sets": list(range(1, count + 1))},
    }  # fmt: skip
    if compiled.mapping.guide.startswith("edifact/"):
        return {**envelope, "message_version": f"{version[0]}:{version[1:]}:UN", "syntax": "UNOC:3"}
    return {**envelope, "group": version} if version else envelope


def print_traces(traces: Sequence[Trace], as_json: bool) -> None:
    """Print where each value came from; exit status 1 where one could not be had."""
    if as_json:
        print_json(traces)
    else:
        for trace in traces:
            click.echo(line(trace))
    if any(trace.problem for trace in traces):
        raise SystemExit(1)


def line(trace: Trace) -> str:
    """Return one value with its origin on one line."""
    source = f" from {trace.source} {trace.raw!r}" if trace.source else " (constant or default)"
    segment = f" in segment {trace.segment}" if trace.segment else ""
    functions = f" by {', '.join(trace.functions)}" if trace.functions else ""
    value = f"PROBLEM {trace.problem}" if trace.problem else repr(trace.value)
    return f"{trace.path} = {value}{source}{segment}{functions}  [{trace.rule}]"
