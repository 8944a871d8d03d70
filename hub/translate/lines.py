"""In which line of a TOML file each rule stands, so that an error can quote it."""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*((?:\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=")
_PART = re.compile(r"\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9_-]+)")


def line_numbers(text: str) -> dict[str, int]:
    """Return path -> line, where a path is dotted and the tables of an array are counted: `segment[2].01`."""
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    prefix, multiline = "", ""
    for number, line in enumerate(text.splitlines(), start=1):
        if multiline:
            multiline = "" if multiline in line else multiline
            continue
        header = _HEADER.match(line)
        key = None if header else _KEY.match(line)
        if header:
            prefix = _header(header[1], _dotted(header[2]), counts)
            found[prefix] = number
        elif key:
            found.setdefault(f"{prefix}.{_dotted(key[1])}".lstrip("."), number)
        multiline = _opens(line)
    return found


def _header(bracket: str, path: str, counts: dict[str, int]) -> str:
    """Name a table; below an array of tables its newest one is meant."""
    for array, count in sorted(counts.items(), key=lambda item: len(item[0])):
        if path.startswith(f"{array}."):
            path = f"{array}[{count - 1}]{path.removeprefix(array)}"
    if bracket == "[":
        return path
    counts[path] = counts.get(path, 0) + 1
    return f"{path}[{counts[path] - 1}]"


def _dotted(text: str) -> str:
    return ".".join(next(part for part in found.groups() if part is not None) for found in _PART.finditer(text))


def _opens(line: str) -> str:
    for quotes in ('"""', "'''"):
        if line.count(quotes) % 2:
            return quotes
    return ""
