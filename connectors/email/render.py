"""Templates: TOML with `subject`, `text`, perhaps `html`; `${name}` stands for a value of the tree.

`[defaults]` gives values that may be missing. `[each]` says how one entry of a list is written: `${lines}` is then all
of them, one a line. There is no logic: what needs a decision is decided in the mapping, or is a template of its own.
"""

from __future__ import annotations

import html
import string
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.sdk import Rejected


@dataclass(frozen=True, kw_only=True)
class Template:
    """One template as it was read."""

    subject: str
    text: str
    html: str = ""
    defaults: Mapping[str, str] = field(default_factory=dict)
    each: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What is sent."""

    subject: str
    text: str
    html: str = ""


def parse(body: bytes) -> Template:
    """Read a template; ValueError says what is wrong with it."""
    data = tomllib.loads(body.decode("utf-8"))
    unknown = sorted(set(data) - {"subject", "text", "html", "defaults", "each"})
    if unknown or not data.get("subject") or not data.get("text"):
        raise ValueError(f"it needs subject and text{'; unknown: ' + ', '.join(unknown) if unknown else ''}")
    return Template(**data)


def render(template: Template, values: Mapping[str, Any]) -> Letter:
    """Fill a template; a value that is neither there nor has a default is Rejected by name."""
    plain = {**template.defaults, **_flat(values, template, str, "\n")}
    marked: dict[str, str] = {}
    if template.html:
        defaults = {key: html.escape(value) for key, value in template.defaults.items()}
        marked = {**defaults, **_flat(values, template, html.escape, "<br>\n")}
    return Letter(
        subject=" ".join(_filled(template.subject, plain).split()),
        text=_filled(template.text, plain),
        html=_filled(template.html, marked),
    )


def _flat(values: Mapping[str, Any], template: Template, escape: Callable[[str], str], between: str) -> dict[str, str]:
    """Return every value as text; tables become `outer_inner`, lists what `[each]` says."""
    found: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found.update({f"{key}_{name}": text for name, text in _flat(value, template, escape, between).items()})
        elif isinstance(value, list):
            entry = template.each.get(key, "${value}")
            parts = (each if isinstance(each, Mapping) else {"value": each} for each in value)
            found[key] = between.join(
                _filled(entry, {**template.defaults, **_flat(part, template, escape, between)}) for part in parts
            )
        elif value is not None:
            found[key] = escape(str(value))
    return found


def _filled(text: str, values: Mapping[str, str]) -> str:
    try:
        return string.Template(text).substitute(values)
    except KeyError as error:
        raise Rejected(f"the template wants {error} and the mapping gives none; add it, or a default") from error
    except ValueError as error:
        raise Rejected(f"the template has a $ that stands for nothing ({error}); write $$ for a dollar sign") from error
