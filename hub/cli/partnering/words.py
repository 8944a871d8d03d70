"""The drafted files as text. What nobody could know stands behind the mark `# ?`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from hub.cli.partnering.compare import Difference
from hub.cli.partnering.samples import Sample, Sides
from hub.cli.partnering.unread import Unread
from hub.domain.tree import Decoded
from hub.translate import mapfile

if TYPE_CHECKING:
    from hub.cli.partnering.draft import Kind

MARK = "# ?"
SCHEMES = {"x12": "ISA", "edifact": "UNB"}
USUAL = {"x12": ["*", "~", ">"], "edifact": ["+", "'", ":", "?"]}
ANSWERS = {"x12": "997", "edifact": "CONTRL"}
LATER = {
    "x12": (("acknowledgement", "x12/855.out"), ("shipment", "x12/856.out"), ("invoice", "x12/810.out")),
    "edifact": (
        ("acknowledgement", "edifact/ordrsp.out"), ("shipment", "edifact/desadv.out"),
        ("invoice", "edifact/invoic.out"),
    ),
    "ubl": (
        ("acknowledgement", "ubl/order_response.out"), ("shipment", "ubl/despatch_advice.out"),
        ("invoice", "ubl/invoice.out"),
    ),
    "cxml": (
        ("acknowledgement", "cxml/confirmation_request.out"), ("shipment", "cxml/ship_notice.out"),
        ("invoice", "cxml/invoice_detail.out"),
    ),
    "idoc": (
        ("acknowledgement", "idoc/ordrsp.out"), ("shipment", "idoc/desadv.out"), ("invoice", "idoc/invoic.out"),
    ),
}  # fmt: skip


def toml(value: Any) -> str:
    """Spell a value as TOML on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else json.dumps(key)


def partner_file(name: str, kinds: Sequence[Kind], who: Sides) -> str:
    """Return the text of `partners/<name>.toml`."""
    files = sorted({sample.file.name for kind in kinds for sample in kind.samples})
    title = " ".join(word.capitalize() for word in name.split("_") if word)
    lines = [
        f"# {title}: drafted from {', '.join(files)}.",
        f"# Lines marked {MARK} were guessed: check each against their guide, then take the mark away.",
        "[partner]",
        f'name = "{name}"',
        f"title = {toml(title)}   {MARK} what people call them",
        *_identifiers(kinds, who),
        "",
        "[connection]",
        f'name = "{name}"',
        f'connector = "folder"   {MARK} how files travel: folder, sftp, ftps, as2, rest (hub catalogue lists them)',
        f"settings = {toml({'inbox': f'{name}/in', 'outbox': f'{name}/out'})}   {MARK}",
        'source_kind = "edi"',
        'channel = "edi"',
    ]
    if any(sample.document.test for kind in kinds for sample in kind.samples):
        lines.append(f"test = true   {MARK} the samples are marked as tests; take this away for production")
    for kind in kinds:
        lines += ["", *(_inbound(name, kind) if kind.direction == "in" else _outbound(name, kind))]
    lines += _later(kinds)
    return "\n".join(lines) + "\n"


def _identifiers(kinds: Sequence[Kind], who: Sides) -> Iterator[str]:
    scheme = SCHEMES.get(kinds[0].first.codec.name, "ID")
    sure = "" if who.sure else f"   {MARK} taken for theirs because they buy; --us says who we are"
    if who.them:
        yield f"identifiers = {toml([{'scheme': scheme, 'value': one} for one in who.them])}{sure}"
    glns = [one.partition(":")[2] for one in who.them if one.startswith("14:") and len(one) == 16]
    if glns:
        yield f"gln = {toml(glns[0])}"


def _inbound(name: str, kind: Kind) -> Iterator[str]:
    document, syntax = kind.first.document, kind.first.codec.name
    match = {"set": document.set, "version": _version(document, syntax), "sender": document.sender,
             "receiver": document.receiver}  # fmt: skip
    yield "[[agreement]]"
    yield 'direction = "in"'
    yield f"document = {toml(kind.base.document)}"
    yield f"codec = {toml(syntax)}"
    if kind.guide:
        near = "" if _exact(kind) else f"   {MARK} the nearest to {document.version} that there is"
        yield f"guide = {toml(kind.guide)}{near}"
    yield f"mapping = {toml(f'partners/{name}/{kind.what}.in')}"
    versions = {_version(sample.document, syntax) for sample in kind.samples}
    also = f"   {MARK} the samples also have {', '.join(sorted(versions - {match['version']}))}"
    yield f"match = {toml({key: value for key, value in match.items() if value})}{also if len(versions) > 1 else ''}"
    if syntax in ANSWERS:
        yield f"answer = {toml([ANSWERS[syntax]])}   {MARK} usual; do they want it?"


def _outbound(name: str, kind: Kind) -> Iterator[str]:
    syntax = kind.first.codec.name
    yield "[[agreement]]"
    yield 'direction = "out"'
    yield f"document = {toml(kind.base.document)}"
    yield f"codec = {toml(syntax)}"
    yield f"mapping = {toml(f'partners/{name}/{kind.what}.out')}"
    if addressed := envelope(kind.first):
        yield f"envelope = {toml(addressed)}"
    if syntax in ANSWERS:
        yield f"expect = {toml({ANSWERS[syntax]: 'PT24H'})}   {MARK} how soon do they answer?"


def envelope(sample: Sample, *, turned: bool = False) -> dict[str, Any]:
    """Return the envelope that writes like this sample: versions, group, characters, line ends.

    `turned` is for answers to it: the parties change places.
    """
    facts, syntax = sample.document.facts, sample.codec.name
    here, there = ("receiver", "sender") if turned else ("sender", "receiver")
    sender, receiver = getattr(sample.document, here), getattr(sample.document, there)
    made: dict[str, Any] = {"sender": sender, "receiver": receiver}
    if syntax not in USUAL:
        return made if sender and syntax != "xml" else {}
    if syntax == "x12":
        made |= {"version": facts["interchange_version"], "group": sample.document.version}
        groups = {
            "group_sender": (facts[f"group_{here}"], sender),
            "group_receiver": (facts[f"group_{there}"], receiver),
        }
        made |= {key: value for key, (value, party) in groups.items() if value != party.partition(":")[2].strip()}
    else:
        made |= {
            "syntax": f"{facts['syntax_id']}:{facts['syntax_version']}",
            "message_version": sample.document.version,
        }
        extra = {"association": facts.get("association"), "application": facts.get("application")}
        made |= {key: value for key, value in extra.items() if value}
        if not sample.body.lstrip().startswith(b"UNA"):
            made["una"] = False
    marks = [facts["element"], facts["terminator"], facts["component"]]
    marks += [facts["release"]] if syntax == "edifact" else [facts["repetition"]] if facts["repetition"] else []
    usual = USUAL[syntax] + (["^"] if syntax == "x12" and facts["repetition"] else [])
    if marks != usual:
        made["separators"] = marks
    if facts["terminator"] not in "\r\n" and _line_ends(sample.body, facts["terminator"]):
        made["newline"] = True
    if sample.document.test:
        made["test"] = True
    return made


def _line_ends(body: bytes, terminator: str) -> bool:
    mark = terminator.encode()
    return mark + b"\n" in body or mark + b"\r\n" in body


def _later(kinds: Sequence[Kind]) -> list[str]:
    """Propose, commented out, what an order is usually answered with and no sample was given of."""
    order = next((kind for kind in kinds if kind.direction == "in" and kind.base.document == "order"), None)
    family = order.base.name.partition("/")[0] if order is not None else ""
    if order is None or family not in LATER:
        return []
    given = {kind.base.document for kind in kinds if kind.direction == "out"}
    lines: list[str] = []
    for document, mapping in LATER[family]:
        if document not in given:
            lines += ["", f"{MARK} No sample of it was given. Take the # away where they want it:"]
            lines += [f"# {line}" for line in _answering(order.first, document, mapping)]
    return lines


def _answering(sample: Sample, document: str, mapping: str) -> Iterator[str]:
    """Yield the agreement of a document that answers an order, addressed as the order turned round."""
    syntax = sample.codec.name
    yield from ("[[agreement]]", 'direction = "out"', f'document = "{document}"', f'codec = "{syntax}"')
    yield f'mapping = "{mapping}"'
    if addressed := envelope(sample, turned=True):
        yield f"envelope = {toml(addressed)}"
    if syntax in ANSWERS:
        yield f"expect = {toml({ANSWERS[syntax]: 'PT24H'})}"


def _version(document: Decoded, syntax: str) -> str:
    return document.version[:6] if syntax == "x12" else document.version


def _exact(kind: Kind) -> bool:
    version = kind.first.document.version
    wanted = version[:6] if kind.first.codec.name == "x12" else "".join(version.split(":")[:2])
    return kind.guide.endswith(f"-{wanted}")


def mapping_file(
    what: str, base: mapfile.Mapping, files: Sequence[str], open_values: Sequence[str], wrong: Sequence[str],
    tests: Sequence[tuple[str, str]],
) -> str:  # fmt: skip
    """Return the text of a partner's mapping: nothing but the base, and all that is open as comments."""
    lines = [f"# {what} as {', '.join(sorted(set(files)))} shows it. A rule here replaces the base's rule whole."]
    lines += [f'extends = "{base.name}"', ""]
    if wrong:
        lines += ["# The base has trouble with the samples; mend it here, or ask them:"]
        lines += [f"{MARK} {_one_line(each)}" for each in wrong]
        lines.append("")
    if base.direction == "in":
        lines.append(f"[{base.document}]")
        told = "In the samples, and not used. Put a field of ours in front (mappings/README.md) or delete the line:"
    else:
        told = "Their sample and what the base writes differ here:"
    if open_values:
        lines += [f"# {told}", *open_values]
    for given, expect in tests:
        lines += [
            "",
            "[[test]]",
            f"given = {toml(given)}",
            f"expect = {toml(expect)}   {MARK} look at it before you trust it",
        ]
    return "\n".join(lines) + "\n"


def unread_line(one: Unread) -> str:
    """Return one open value as a rule that waits for its field."""
    where = f", segment {one.segment}" if one.segment else ""
    return f'{MARK} ... = "{one.path}"   # {_one_line(one.value)!r}{where}'


def difference_line(one: Difference) -> str:
    """Return one difference as a comment."""
    return f"{MARK} {_one_line(str(one))}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
