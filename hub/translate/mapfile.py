"""Mapping files: TOML rules, what they extend, the code tables they name, and a fingerprint of all of it."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections import abc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, cast

from hub.domain.errors import Problem, Rejected
from hub.translate.lines import line_numbers
from hub.translate.merge import merged, with_ids

Root = Path | Traversable
Reader = Callable[[str], str]
_NAME = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9_.@-]*(/[A-Za-z0-9_@-][A-Za-z0-9_.@-]*)*")
_DEEPEST = 8
_HEAD = ("document", "set", "guide", "syntax", "unmapped")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One `[[test]]`: two files beside the mapping, what is given and what must come out of it."""

    given: str
    expect: str


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """A mapping with all that it extends, ready to be compiled."""

    name: str
    document: str
    direction: Literal["in", "out"]
    rules: abc.Mapping[str, Any]
    """The target tables and blocks, merged."""
    set: str = ""
    guide: str = ""
    syntax: str = ""
    unmapped: str = ""
    tables: abc.Mapping[str, abc.Mapping[str, Any]] = field(default_factory=dict)
    lines: abc.Mapping[str, str] = field(default_factory=dict)
    """Rule path -> `file:line` of the file that has the last word on it."""
    tests: tuple[Case, ...] = ()
    resolved: str = ""
    """Everything that the mapping means, as one JSON text; `loads` reads it back without any file."""
    sha256: str = ""

    @property
    def edi(self) -> bool:
        """Say whether its trees are EDI segments (else dicts and lists)."""
        return self.syntax in ("x12", "edifact") if self.syntax else bool(self.set or self.guide)

    @property
    def edifact(self) -> bool:
        """Say whether it is EDIFACT: pairs are composites there."""
        return self.syntax == "edifact" or self.guide.startswith("edifact/") or self.set.isalpha()


def load(roots: Sequence[Root], name: str, read: Reader | None = None) -> Mapping:
    """Load `<root>/<name>.toml` from the first root that has it, with all that it extends.

    `read` is asked instead of the roots where it is given: file name -> text, KeyError or FileNotFoundError
    where there is none. Rejected names every fault with file and line.
    """
    source = read or (lambda file: _read(roots, file))
    rules, lines = _with_bases(source, name, ())
    tests = tuple(Case(given=case["given"], expect=case["expect"]) for case in _own(source, name).get("test", ()))
    return _resolved(name, rules, _tables(source, rules, name), lines, tests)


def loads(resolved: str) -> Mapping:
    """Read back a mapping from its resolved text, as it was published."""
    kept = json.loads(resolved)
    return _resolved(kept["name"], kept["rules"], kept["tables"], kept.get("lines", {}), ())


def _resolved(
    name: str, rules: dict[str, Any], tables: dict[str, Any], lines: dict[str, str], tests: tuple[Case, ...]
) -> Mapping:
    meaning = {"name": name, "rules": rules, "tables": tables}
    head = {key: str(rules.get(key, "")) for key in _HEAD}
    if not head["document"]:
        raise _fault(name, 'document is missing; write document = "order" (or extends)')
    return Mapping(
        name=name,
        direction=_direction(name),
        rules={key: value for key, value in rules.items() if key not in _HEAD},
        tables=tables,
        lines=lines,
        tests=tests,
        resolved=json.dumps({**meaning, "lines": lines}, ensure_ascii=False, default=str),
        sha256=hashlib.sha256(json.dumps(meaning, ensure_ascii=False, default=str).encode()).hexdigest(),
        **head,
    )


def _direction(name: str) -> Literal["in", "out"]:
    ending = name.rpartition(".")[2]
    if ending not in ("in", "out"):
        raise _fault(name, "a mapping's file is called <what>.in.toml or <what>.out.toml")
    return cast('Literal["in", "out"]', ending)


def _with_bases(source: Reader, name: str, above: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, str]]:
    if name in above or len(above) >= _DEEPEST:
        raise _fault(above[0] if above else name, f"extends goes in a circle: {' -> '.join((*above, name))}")
    own = _own(source, name)
    lines = _lines(source, name, own)
    own.pop("test", None)
    base = own.pop("extends", "")
    for kind in ("segment", "row"):
        if kind in own and not base:
            own[kind] = with_ids(own[kind])
    if not base:
        return own, lines
    rules, base_lines = _with_bases(source, str(base), (*above, name))
    return merged(rules, own), {**base_lines, **lines}


def _own(source: Reader, name: str) -> dict[str, Any]:
    if not _NAME.fullmatch(name):
        raise _fault(name, "a mapping name is made of letters, digits, . _ - and /")
    try:
        return tomllib.loads(source(f"{name}.toml"))
    except (FileNotFoundError, KeyError) as error:
        raise _fault(name, f"there is no {name}.toml in any mapping folder") from error
    except tomllib.TOMLDecodeError as error:
        raise _fault(name, f"{name}.toml is not TOML: {error}") from error


def _read(roots: Sequence[Root], file: str) -> str:
    for root in roots:
        found = root
        for part in file.split("/"):
            found = found / part
        if found.is_file():
            return found.read_text(encoding="utf-8")
    raise FileNotFoundError(file)


def _lines(source: Reader, name: str, own: dict[str, Any]) -> dict[str, str]:
    """Number the lines, blocks by their id: `segment.hl-item.02`."""
    numbered = {}
    identified = {kind: with_ids(own.get(kind, ())) for kind in ("segment", "row")}
    for path, line in line_numbers(source(f"{name}.toml")).items():
        kind, bracket, rest = path.partition("[")
        if bracket and kind in identified:
            place, _, below = rest.partition("]")
            path = f"{kind}.{identified[kind][int(place)]['id']}{below}"
        numbered[path] = f"{name}.toml:{line}"
    return numbered


def _tables(source: Reader, rules: abc.Mapping[str, Any], name: str) -> dict[str, Any]:
    """Collect the code tables that rules name: files in `tables/`, changed by the mapping's own `[tables.NAME]`."""
    own = rules.get("tables", {})
    found: dict[str, Any] = {}
    for table in sorted(set(_named_tables(rules)) | set(own)):
        if not _NAME.fullmatch(table):
            raise _fault(name, f"table {table!r}: a name is made of letters, digits, . _ - and /")
        try:
            base = tomllib.loads(source(f"tables/{table}.toml"))
        except (FileNotFoundError, KeyError):
            base = {}
        except tomllib.TOMLDecodeError as error:
            raise _fault(name, f"tables/{table}.toml is not TOML: {error}") from error
        if not base and table not in own:
            raise _fault(name, f"there is no table {table}: no tables/{table}.toml and no [tables.{table}]")
        found[table] = merged(base, own.get(table, {}))
    return found


def _named_tables(value: Any) -> Iterator[str]:
    """Yield the name of every code table below a TOML value."""
    if isinstance(value, dict):
        yield from _tables_of_rule(value)
        below = [one for key, one in value.items() if key not in ("tables", "value", "default")]
    else:
        below = value if isinstance(value, list) else []
    for one in below:
        yield from _named_tables(one)


def _tables_of_rule(rule: abc.Mapping[str, Any]) -> Iterator[str]:
    if isinstance(rule.get("table"), str):
        yield rule["table"]
    chain = rule.get("as", ())
    calls = [chain] if isinstance(chain, str) else chain
    yield from (call.removeprefix("map:") for call in calls if isinstance(call, str) and call.startswith("map:"))


def _fault(name: str, text: str) -> Rejected:
    return Rejected([Problem(code="mapping", path=name, text=text)])
