"""A connection's settings: a configured table becomes a connector's frozen Settings, secrets stay references."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from hub.domain.errors import Paused, Problem, Rejected
from hub.domain.secret import Secret

S = TypeVar("S")
SCHEMES = ("env:", "file:", "vault:")
SECRET_FILE_CAP = 65_536

Kind = Literal["text", "integer", "number", "yes_no", "list", "table", "choice", "secret"]


@dataclass(frozen=True, kw_only=True)
class SettingField:
    """One setting as a form shows it. A secret's value is never part of it."""

    name: str
    kind: Kind
    help: str
    required: bool
    default: Any = None
    choices: tuple[str, ...] = ()


def describe_settings(cls: type) -> tuple[SettingField, ...]:
    """Return the fields of a connector's Settings, in the order they are written in."""
    return tuple(_described(field, hint, help_) for field, hint, help_ in _fields(cls))


def read_settings(cls: type[S], data: Mapping[str, Any], reveal: Callable[[str], str]) -> S:
    """Make a connector's Settings of a configured table; raises Rejected with one problem per field.

    Secrets are references (`env:NAME`, `file:/path`, `vault:name`) that `reveal` looks up when they are used.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    known = _fields(cls)
    for field, hint, help_ in known:
        if field.name not in data:
            if _is_required(field):
                problems.append(_problem("missing", field.name, f"is missing: {help_}"))
            continue
        try:
            values[field.name] = _value(hint, data[field.name], reveal)
        except (ValueError, msgspec.ValidationError) as error:
            problems.append(_problem("invalid", field.name, f"{error}: {help_}"))
    names = {field.name for field, _, _ in known}
    problems += [
        _problem("unknown", str(name), f"is not a setting; there are {', '.join(sorted(names))}")
        for name in data
        if name not in names
    ]
    if problems:
        raise Rejected(problems)
    try:
        return cls(**values)
    except ValueError as error:
        raise Rejected([Problem(code="invalid", path="settings", text=str(error))]) from error


class ReferredSecret(Secret):
    """A secret that is looked up when it is used, so that a changed one is found and opening needs none."""

    __slots__ = ("_look_up",)

    def __init__(self, reference: str, look_up: Callable[[str], str]) -> None:
        super().__init__(reference)
        self._look_up = look_up

    @property
    def reference(self) -> str:
        """Return where the value lies; not the value."""
        return self._value

    def reveal(self) -> str:
        """Look the value up."""
        return self._look_up(self._value)


def revealer(
    environ: Mapping[str, str],
    *,
    asked_first: Callable[[str], str | None] = lambda _: None,
    vault: Callable[[str], str | None] = lambda _: None,
) -> Callable[[str], str]:
    """Return what looks secret references up: plug-ins first, then env:, file: and vault:."""

    def reveal(reference: str) -> str:
        value = asked_first(reference)
        if value is None:
            scheme, _, name = reference.partition(":")
            sources: dict[str, Callable[[str], str | None]] = {
                "env": environ.get,
                "file": _secret_file,
                "vault": vault,
            }
            value = sources[scheme](name) if scheme in sources else None
        if not value:
            raise Paused(f"the secret {reference} is not there or empty; set it and try the connection again")
        return value

    return reveal


def _secret_file(name: str) -> str | None:
    try:
        with open(name, encoding="utf-8") as file:
            return file.read(SECRET_FILE_CAP).rstrip("\r\n")
    except OSError:
        return None


def _fields(cls: type) -> list[tuple[dataclasses.Field[Any], Any, str]]:
    """Return each field with its type and its help."""
    hints = typing.get_type_hints(cls, include_extras=True)
    found = []
    for field in dataclasses.fields(cls):
        hint, help_ = hints[field.name], ""
        if typing.get_origin(hint) is Annotated:
            hint, *notes = typing.get_args(hint)
            help_ = next((note for note in notes if isinstance(note, str)), "")
        found.append((field, hint, help_))
    return found


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _is_secret(hint: Any) -> bool:
    return hint is Secret or Secret in typing.get_args(hint)


def _value(hint: Any, given: Any, reveal: Callable[[str], str]) -> Any:
    if not _is_secret(hint):
        if isinstance(given, str) and not given and type(None) in typing.get_args(hint):
            return None
        return msgspec.convert(given, hint, strict=False)
    if not given and type(None) in typing.get_args(hint):
        return None
    if not isinstance(given, str) or not given.startswith(SCHEMES) or given.endswith(":"):
        raise ValueError("must be a reference (env:NAME, file:/path or vault:name), never the secret itself")
    return ReferredSecret(given, reveal)


def _problem(code: str, name: str, text: str) -> Problem:
    return Problem(code=code, path=f"settings.{name}", text=text.rstrip(": "))


_KINDS: Mapping[Any, Kind] = {
    str: "text", int: "integer", float: "number", Decimal: "number", bool: "yes_no", tuple: "list", list: "list",
    frozenset: "list", dict: "table", Mapping: "table", Literal: "choice",
}  # fmt: skip


def _described(field: dataclasses.Field[Any], hint: Any, help_: str) -> SettingField:
    secret = _is_secret(hint)
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    origin = typing.get_origin(hint) or hint
    default = None if secret or _is_required(field) else _default(field)
    return SettingField(
        name=field.name,
        kind="secret" if secret else _KINDS.get(origin, "text"),
        help=help_,
        required=_is_required(field),
        default=default,
        choices=tuple(str(one) for one in typing.get_args(hint)) if origin is Literal else (),
    )


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default
