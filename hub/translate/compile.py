"""From a mapping file's rules to what runs: everything that can be decided once is decided here."""

from __future__ import annotations

from collections import abc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from hub.domain.errors import Problem, Rejected
from hub.ports import Function
from hub.translate import fields
from hub.translate.documents import DOCUMENTS, IMPLIED
from hub.translate.explain import Trace
from hub.translate.fields import Coerce
from hub.translate.functions import built
from hub.translate.inward import Inward
from hub.translate.mapfile import Mapping
from hub.translate.outward import Outward, Rows, Segments
from hub.translate.paths import Path, PathError
from hub.translate.plain_values import free, text_value, tree_value
from hub.translate.rules import Rule, RuleError, is_rule, parse_rule, parse_when
from hub.translate.segments import Block, Element
from hub.translate.sources import DictSource, EdiSource, RecordSource, Source
from hub.translate.steps import Language, Step, always, compile_step, condition
from hub.translate.targets import Each, Target

_BLOCK_KEYS = frozenset({"id", "tag", "under", "each", "when", "after", "remove"})
_KIND_TABLES = {
    "order_change": "order",
    "order_cancel": "order",
    "change_acknowledgement": "acknowledgement",
    "goods_receipt": "receipt_advice",
}


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """A mapping ready to run. One of its two directions works; the other raises Rejected."""

    mapping: Mapping
    inwards: Inward | None = None
    outwards: Outward | None = None
    paths: tuple[tuple[str, tuple[str, ...], Path], ...] = ()
    """Every EDI path: (rule, tags it starts from, path), for the check against a guide."""

    def inward(self, tree: Any) -> Any:
        """Make a canonical document of a tree; Rejected carries every problem with its canonical path."""
        return self._in.one(tree)

    def inward_many(self, trees: Sequence[Any]) -> list[Any | Rejected]:
        """Map a batch: per tree its document, or the Rejected that one alone would have raised."""
        return self._in.many(trees)

    def outward(self, document: Any) -> Any:
        """Make a tree of a canonical document: segments, or dicts and lists. Rejected carries every problem."""
        return self._out.one(document)

    def outward_many(self, documents: Sequence[Any]) -> list[Any | Rejected]:
        """Map a batch: per document its tree, or the Rejected that one alone would have raised."""
        return self._out.many(documents)

    def explain_inward(self, tree: Any) -> list[Trace]:
        """Say for every value of the document which rule gave it, from what, and by which functions."""
        return self._in.explain(tree)

    def explain_outward(self, document: Any) -> list[Trace]:
        """Say for every value of the tree which rule gave it, from what, and by which functions."""
        return self._out.explain(document)

    @property
    def source(self) -> str:
        """The Python that the mapping runs as; empty where it runs rule by rule."""
        made = self.inwards or self.outwards
        return made.straight.source if made and made.straight else ""

    @property
    def _in(self) -> Inward:
        if self.inwards is None:
            raise Rejected(f"{self.mapping.name} maps outward; it cannot read a tree")
        return self.inwards

    @property
    def _out(self) -> Outward:
        if self.outwards is None:
            raise Rejected(f"{self.mapping.name} maps inward; it cannot write a tree")
        return self.outwards


def compile_mapping(
    mapping: Mapping,
    functions: abc.Mapping[str, Function] | None = None,
    tables: abc.Mapping[str, abc.Mapping[str, Any]] | None = None,
) -> Compiled:
    """Compile a mapping; Rejected names every faulty rule with its file and line.

    `functions` are what plug-ins bring, `tables` code tables in the form `{"codes": {theirs: ours}}`
    that stand in for, or add to, those of the mapping.
    """
    language = Language(
        functions=built(functions),
        tables={**mapping.tables, **(tables or {})},
        outward=mapping.direction == "out",
    )
    work = _Work(mapping=mapping, language=language)
    struct = DOCUMENTS.get(mapping.document)
    if struct is None:
        known = ", ".join(sorted(DOCUMENTS))
        raise Rejected(f"{mapping.name}: there is no document {mapping.document!r}; known are {known}")
    inwards = _inwards(work, struct) if mapping.direction == "in" else None
    outwards = _outwards(work, struct) if mapping.direction == "out" else None
    if work.faults:
        raise Rejected(work.faults)
    return Compiled(mapping=mapping, inwards=inwards, outwards=outwards, paths=tuple(work.paths))


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What one compilation knows and collects."""

    mapping: Mapping
    language: Language
    faults: list[Problem] = field(default_factory=list)
    paths: list[tuple[str, tuple[str, ...], Path]] = field(default_factory=list)
    at: list[str] = field(default_factory=lambda: [""])

    def where(self, path: str) -> str:
        """Return `file:line` of a rule, or of the table it stands in."""
        while path:
            if path in self.mapping.lines:
                return self.mapping.lines[path]
            path = path.rpartition(".")[0]
        return f"{self.mapping.name}.toml"

    @contextmanager
    def rule(self, path: str) -> Iterator[None]:
        """Collect the fault of one rule and go on with the next."""
        before, self.at[0] = self.at[0], path
        try:
            yield
        except (RuleError, PathError, ValueError) as error:
            self.faults.append(Problem(code="mapping", path=path, text=f"{self.where(path)}: {error}"))
        finally:
            self.at[0] = before

    def used(self, tags: tuple[str, ...], path: Path) -> None:
        """Remember an EDI path for the guide."""
        self.paths.append((self.at[0], tags, path))

    def step(self, path: str, target: str, value: Any, source: Source, coerce: Coerce) -> Step:
        """Compile one rule."""
        return compile_step(parse_rule(target, value, self.where(path)), source, self.language, coerce)


def _inwards(work: _Work, struct: type[msgspec.Struct]) -> Inward:
    mapping = work.mapping
    keys: set[str] = set()
    source: Source = (
        EdiSource(work.used, (), mapping.edifact)
        if mapping.edi
        else DictSource(lambda path: keys.add(_first_key(path)))
    )
    name = mapping.document if mapping.document in mapping.rules else _KIND_TABLES.get(mapping.document, "")
    table = mapping.rules.get(name)
    if not isinstance(table, dict):
        raise Rejected(f"{mapping.name}: the rules stand in a table [{mapping.document}]")
    target = _struct_target(work, name, table, struct, source)
    for field_name, value in IMPLIED.get(mapping.document, {}).items():
        if field_name not in target.steps:
            rule = Rule(target=field_name, value=value, where=f"{mapping.name}.toml")
            step = Step(rule=rule, read=None, fill=always(value), constant=value)
            target = replace(target, steps={**target.steps, field_name: step})
    keep = frozenset(keys) if mapping.unmapped == "keep" and not mapping.edi else None
    return Inward(name=mapping.name, target=target, edi=mapping.edi, composites=mapping.edifact, known_keys=keep)


def _first_key(path: Path) -> str:
    return path.steps[0].name if path.steps and not path.ups else ""


def _outwards(work: _Work, struct: type[msgspec.Struct]) -> Outward:
    rules, name = work.mapping.rules, work.mapping.name
    source = RecordSource((struct,))
    if "segment" in rules:
        return Segments(name, struct, _blocks(work, rules["segment"], source))
    if "row" in rules:
        return Rows(name, struct, tuple(_row(work, block, source) for block in rules["row"]))
    body = rules.get("body")
    if not isinstance(body, dict):
        raise Rejected(f"{work.mapping.name}: write [[segment]] blocks, [[row]] blocks or a table [body]")
    if "each" in body:
        block = _each(work, "body", body, source, lambda at, b, s: _free_target(work, at, b, s, tree_value))
        return Rows(name, struct, (block,), "")
    return Rows(name, struct, (), "", _free_target(work, "body", body, source, tree_value))


def _struct_target(
    work: _Work, at: str, table: abc.Mapping[str, Any], struct: type[msgspec.Struct], source: Source
) -> Target:
    steps: dict[str, Step] = {}
    nested: dict[str, Target] = {}
    arrays: dict[str, tuple[Each, ...]] = {}
    known = fields.fields(struct)
    for key, value in _entries(table):
        path = f"{at}.{key}"
        with work.rule(path):
            kind = known.get(key)
            if kind is None:
                raise RuleError(f"{struct.__name__} has no field {key!r}; it has {', '.join(sorted(known))}")
            if is_rule(value):
                _refuse_nested(kind, key)
                steps[key] = work.step(path, key, value, source, kind.coerce)
            elif kind.kind == "structs" and kind.struct:
                inner = kind.struct
                arrays[key] = _eaches(
                    work,
                    path,
                    value,
                    source,
                    lambda a, t, s, inner=inner: _struct_target(work, a, t, inner, s),  # type: ignore[misc]
                )
            elif kind.kind == "struct" and kind.struct and isinstance(value, dict):
                nested[key] = _struct_target(work, path, value, kind.struct, source)
            elif kind.kind == "dict" and isinstance(value, dict):
                nested[key] = _free_target(work, path, value, source, free)
            else:
                raise RuleError(f"{key} cannot be filled this way; write a rule")
    return Target(
        make=struct, steps=steps, nested=nested, arrays=arrays, needed=fields.needed(struct),
        **_holds(work, at, table, source),
    )  # fmt: skip


def _refuse_nested(kind: fields.FieldType, key: str) -> None:
    if kind.kind in ("struct", "structs") and kind.struct:
        names = ", ".join(sorted(fields.fields(kind.struct)))
        raise RuleError(f"{key} is not one value; fill its fields: {names}")


def _free_target(work: _Work, at: str, table: abc.Mapping[str, Any], source: Source, coerce: Coerce) -> Target:
    steps: dict[str, Step] = {}
    nested: dict[str, Target] = {}
    arrays: dict[str, tuple[Each, ...]] = {}
    order = []
    for raw, value in _entries(table):
        path, key = f"{at}.{raw}", raw.removeprefix("=")
        order.append(key)
        with work.rule(path):
            if is_rule(value):
                steps[key] = work.step(path, key, value, source, coerce)
            elif isinstance(value, list) or (isinstance(value, dict) and "each" in value):
                arrays[key] = _eaches(work, path, value, source, lambda a, t, s: _free_target(work, a, t, s, coerce))
            elif isinstance(value, dict):
                nested[key] = _free_target(work, path, value, source, coerce)
            else:
                raise RuleError(f"{key}: write a path in quotes, or {{ value = {value!r} }}")
    return Target(
        make=dict, steps=steps, nested=nested, arrays=arrays, order=tuple(order), **_holds(work, at, table, source)
    )


def _entries(table: abc.Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((key, value) for key, value in table.items() if key not in ("each", "when"))


def _holds(work: _Work, at: str, table: abc.Mapping[str, Any], source: Source) -> dict[str, Any]:
    # The condition of an array block is read where the block stands, see `_each`.
    if "when" in table and "each" not in table:
        with work.rule(f"{at}.when"):
            when = parse_when(at, table["when"])
            return {"when": when, "holds": condition(when, source)}
    return {}


MakeTarget = Callable[[str, abc.Mapping[str, Any], Source], Target]


def _eaches(work: _Work, at: str, value: Any, source: Source, make: MakeTarget) -> tuple[Each, ...]:
    blocks = value if isinstance(value, list) else [value]
    if not all(isinstance(block, dict) for block in blocks):
        raise RuleError(f"{at} is a list of objects; write [{at}] with each")
    paths = [at] if isinstance(value, dict) else [f"{at}[{place}]" for place in range(len(blocks))]
    return tuple(_each(work, path, block, source, make) for path, block in zip(paths, blocks, strict=True))


def _each(work: _Work, at: str, block: abc.Mapping[str, Any], source: Source, make: MakeTarget) -> Each:
    text = block.get("each", "")
    with work.rule(at):
        select = source.select(text) if text else None
        when = parse_when(at, block["when"]) if "when" in block and text else None
        inside = source.inside(text) if text else source
        holds = condition(when, source)
        return Each(target=make(at, block, inside), select=select, text=text, when=when, holds=holds)
    return Each(target=Target(make=dict))


def _row(work: _Work, block: abc.Mapping[str, Any], source: Source) -> Each:
    at = f"row.{block['id']}"
    columns = {key: block[key] for key in ("each", "when") if key in block} | dict(block.get("columns", {}))
    return _each(work, f"{at}.columns", columns, source, lambda a, t, s: _free_target(work, a, t, s, text_value))


def _blocks(work: _Work, blocks: Sequence[abc.Mapping[str, Any]], source: Source) -> tuple[Block, ...]:
    known = {block["id"] for block in blocks}
    for block in blocks:
        if block.get("under", "") not in {"", *known} or block.get("under") == block["id"]:
            text = f"{work.where('segment.' + block['id'])}: there is no block {block['under']!r} to stand under"
            work.faults.append(Problem(code="mapping", path=f"segment.{block['id']}", text=text))
    return _below(work, blocks, "", source)


def _below(work: _Work, blocks: Sequence[abc.Mapping[str, Any]], under: str, source: Source) -> tuple[Block, ...]:
    return tuple(_block(work, blocks, block, source) for block in blocks if block.get("under", "") == under)


def _block(work: _Work, blocks: Sequence[abc.Mapping[str, Any]], block: abc.Mapping[str, Any], source: Source) -> Block:
    at = f"segment.{block['id']}"
    text = block.get("each", "")
    inside, select, when, holds = source, None, None, None
    with work.rule(at):
        select = source.select(text) if text else None
        inside = source.inside(text) if text else source
        when = parse_when(at, block["when"]) if "when" in block else None
        holds = condition(when, source)
    return Block(
        name=block["id"],
        tag=str(block.get("tag", block["id"].upper())),
        select=select,
        text=text,
        when=when,
        holds=holds,
        elements=tuple(_elements(work, at, block, inside)),
        children=_below(work, blocks, block["id"], inside),
    )


def _elements(work: _Work, at: str, block: abc.Mapping[str, Any], source: Source) -> Iterator[Element]:
    for key, value in block.items():
        if key in _BLOCK_KEYS:
            continue
        with work.rule(f"{at}.{key}"):
            if not key.isdigit() or not 0 < int(key) < 100:
                raise RuleError(f"a block has {', '.join(sorted(_BLOCK_KEYS))} and elements 01 to 99, not {key!r}")
            parts = _parts(value)
            for component, rule in sorted(parts.items()):
                name = f"{block['id']}.{key}" + (f".{component:02d}" if component else "")
                yield _element(work, at, name, (int(key), component), rule, source)


def _parts(value: Any) -> dict[int, Any]:
    """Return component -> rule, 0 for the whole element."""
    if is_rule(value):
        return {0: value}
    if not isinstance(value, dict) or not all(part.isdigit() for part in value):
        raise RuleError("an element is a rule, or components 01 to 99 with a rule each")
    return {int(part): rule for part, rule in value.items()}


def _element(work: _Work, at: str, name: str, place: tuple[int, int], value: Any, source: Source) -> Element:
    path = f"{at}.{name.partition('.')[2]}"
    rule = parse_rule(name, value, work.where(path))
    counter = rule.sources[0] if rule.sources and rule.sources[0].startswith("@") else ""
    if counter and counter != "@seq":
        return Element(
            position=place[0], component=place[1], counter=counter, step=Step(rule=rule, read=None, fill=None)
        )
    step = compile_step(rule, source, work.language, text_value)
    return Element(position=place[0], component=place[1], step=step)
