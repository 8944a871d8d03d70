"""The functions that a mapping's `as` may name: pure, few, and each documented in mappings/README.md.

`as = ["name:argument"]`: everything after the first colon is the argument. A function is made once,
when the mapping is compiled, and is then called with the value and the values of `args`.
A list value (a path with `[*]`) goes through a function one by one, unless the function takes lists.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from hub.ports import Function
from hub.translate import countries, dates, numbers
from hub.translate.plain_paths import as_text

Call = Callable[..., Any]
_SHORT = 64


@dataclass(frozen=True, kw_only=True)
class Built:
    """A function of the language: `make(argument)` returns what is called with each value."""

    name: str
    make: Callable[[str], Call]
    help: str
    takes_lists: bool = False


def built(functions: Mapping[str, Function] | None = None) -> dict[str, Built]:
    """Return every function by name: the hub's own, and those that plug-ins bring."""
    found = {function.name: function for function in _OWN}
    for name, function in (functions or {}).items():
        if name in found:
            raise ValueError(f"function {name!r} exists already; give the plug-in's function another name")
        found[name] = Built(name=name, make=_from_port(function), help=function.help)
    return found


def check_digit(digits: str) -> str:
    """Return GS1's check digit for the digits before it (weights 3 and 1 from the right)."""
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-weighted % 10)


def _from_port(function: Function) -> Callable[[str], Call]:
    def make(argument: str) -> Call:
        before = (argument,) if argument else ()
        return lambda value, *others: function.call(value, *before, *others)

    return make


def _simple(call: Call) -> Callable[[str], Call]:
    return lambda _argument: call


def _checked(value: Any, length: int, name: str) -> str:
    return _checked_text(as_text(value), length, name)


@lru_cache(maxsize=8192)
def _checked_text(text: str, length: int, name: str) -> str:
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit()) or len(digits) > length:
        raise ValueError(f"{text!r} is not a {name}: up to {length} digits")
    digits = digits.zfill(length)
    if check_digit(digits[:-1]) != digits[-1]:
        raise ValueError(f"{text!r} is not a {name}: its check digit should be {check_digit(digits[:-1])}")
    return digits


def _gtin14(value: Any) -> str:
    return _checked(value, 14, "GTIN")


def _gtin(value: Any) -> str:
    digits = _checked(value, 14, "GTIN")
    return digits[1:] if digits.startswith("0") else digits


def _gtin12(value: Any) -> str:
    digits = _checked(value, 14, "GTIN")
    if not digits.startswith("00"):
        raise ValueError(f"{value!r} has no 12-digit form (UPC)")
    return digits[2:]


def _sscc18(value: Any) -> str:
    digits = as_text(value).strip().removeprefix("(00)")
    return _checked(digits[2:] if len(digits) == 20 and digits.startswith("00") else digits, 18, "SSCC")


def _gs1_check(value: Any) -> str:
    digits = as_text(value).strip()
    if not digits.isdigit():
        raise ValueError(f"{value!r} is not made of digits")
    return digits + check_digit(digits)


def _pad(argument: str) -> Call:
    length, _, fill = argument.partition(",")
    return lambda value: as_text(value).rjust(int(length), fill or "0")


def _pad_right(argument: str) -> Call:
    length, _, fill = argument.partition(",")
    return lambda value: as_text(value).ljust(int(length), fill or " ")


def _substr(argument: str) -> Call:
    start, _, length = argument.partition(",")
    begin = int(start or 0)
    end = begin + int(length) if length else None
    return lambda value: as_text(value)[begin:end]


def _cut(argument: str) -> Call:
    length = int(argument)
    return lambda value: as_text(value)[:length]


def _chunk(argument: str) -> Call:
    length, _, place = argument.partition(",")
    size, begin = int(length), int(length) * int(place or 0)
    return lambda value: as_text(value)[begin : begin + size]


def _replace(argument: str) -> Call:
    old, _, new = argument.partition(",")
    return lambda value: as_text(value).replace(old, new)


def _regex(argument: str) -> Call:
    _pattern(argument)
    return lambda value: searched(argument, as_text(value))


@lru_cache(maxsize=512)
def _pattern(text: str) -> Any:
    return re2.compile(text)


def searched(pattern: str, text: str) -> str | None:
    """Return the first group of a match, or the match where the pattern has no groups; None where there is none."""
    return _searched_short(pattern, text) if len(text) <= _SHORT else _searched(pattern, text)


def _searched(pattern: str, text: str) -> str | None:
    compiled = _pattern(pattern)
    found = compiled.search(text)
    return str(found.group(1 if compiled.groups else 0) or "") or None if found else None


# Numbers of articles come again and again, and several rules look at each.
_searched_short = lru_cache(maxsize=8192)(_searched)


def _join(argument: str) -> Call:
    def call(values: Any, *others: Any) -> str:
        found = values if isinstance(values, (list, tuple)) else [values]
        return argument.join(as_text(value) for value in (*found, *others) if value not in (None, ""))

    return call


def _split(argument: str) -> Call:
    return lambda value: [part.strip() for part in as_text(value).split(argument or ",") if part.strip()]


def _concat(argument: str) -> Call:
    return lambda value, *others: argument.join(as_text(part) for part in (value, *others) if part not in (None, ""))


def _pick(place: int) -> Call:
    return lambda values: (values[place] if values else None) if isinstance(values, (list, tuple)) else values


def _count(values: Any) -> int:
    return len(values) if isinstance(values, (list, tuple)) else 1


def _fold(value: Any) -> str:
    plain = unicodedata.normalize("NFKD", as_text(value).replace("ß", "ss").replace("ø", "o").replace("Ø", "O"))
    return plain.encode("ascii", "ignore").decode()


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = as_text(value).strip().lower()
    if text in ("true", "yes", "y", "1", "on"):
        return True
    if text in ("false", "no", "n", "0", "off"):
        return False
    raise ValueError(f"{value!r} is neither true nor false")


def _nonzero(value: Any) -> Any:
    return value if numbers.number(value) else None


def _then(argument: str) -> Call:
    return lambda value: None if value in (None, "") else argument


def _default(argument: str) -> Call:
    return lambda value: argument if value in (None, "") else value


_OWN = (
    Built(name="text", make=_simple(as_text), help="the value spelled as text"),
    Built(name="trim", make=_simple(lambda v: as_text(v).strip()), help="without blanks at both ends"),
    Built(name="upper", make=_simple(lambda v: as_text(v).upper()), help="in capitals"),
    Built(name="lower", make=_simple(lambda v: as_text(v).lower()), help="in small letters"),
    Built(name="fold", make=_simple(_fold), help="accents taken off, only ASCII left"),
    Built(name="digits", make=_simple(lambda v: "".join(c for c in as_text(v) if c.isdigit())), help="only the digits"),
    Built(name="pad", make=_pad, help="pad:10,0 fills on the left to 10 characters with 0"),
    Built(name="pad_right", make=_pad_right, help="pad_right:10, fills on the right with blanks"),
    Built(name="substr", make=_substr, help="substr:2,5 takes 5 characters from the third on"),
    Built(name="cut", make=_cut, help="cut:35 keeps the first 35 characters"),
    Built(name="chunk", make=_chunk, help="chunk:35,1 takes the second piece of 35 characters"),
    Built(name="replace", make=_replace, help="replace:a,b writes b for every a"),
    Built(name="regex", make=_regex, help="regex:PATTERN takes the first group (or the match); no match, no value"),
    Built(name="join", make=_join, takes_lists=True, help="join:, makes one text of a list and of args"),
    Built(name="split", make=_split, help="split:, makes a list of a text"),
    Built(name="concat", make=_concat, help="concat:- puts the value and the values of args together"),
    Built(name="default", make=_default, help="default:X stands in where the step before gave nothing"),
    Built(name="first", make=_simple(_pick(0)), takes_lists=True, help="the first of a list"),
    Built(name="last", make=_simple(_pick(-1)), takes_lists=True, help="the last of a list"),
    Built(name="count", make=_simple(_count), takes_lists=True, help="how many there are"),
    Built(name="sum", make=_simple(numbers.total), takes_lists=True, help="a list added up"),
    Built(name="then", make=_then, help="then:X gives X where the step before gave anything"),
    Built(name="decimal", make=numbers.decimal_function, help="an exact number; decimal:, reads 1.234,50"),
    Built(name="int", make=_simple(numbers.whole), help="a whole number; 12.5 is refused"),
    Built(name="bool", make=_simple(_truth), help="true or false, from true/yes/y/1/on and their opposites"),
    Built(name="implied", make=numbers.implied, help="implied:2 reads 1999 as 19.99"),
    Built(name="to_implied", make=numbers.to_implied, help="to_implied:2 writes 19.99 as 1999"),
    Built(name="fixed", make=numbers.fixed, help="fixed:2 writes 5 as 5.00, rounded half up"),
    Built(name="round", make=numbers.rounded, help="round:2 rounds half up"),
    Built(name="plain", make=_simple(lambda v: numbers.plain(numbers.number(v))), help="12.500 written as 12.5"),
    Built(name="nonzero", make=_simple(_nonzero), help="no value where it is zero"),
    Built(name="times", make=numbers.times, help="times:12, or times the values of args"),
    Built(name="divide", make=numbers.divide, help="divide:100, or by the first of args; at most 6 decimals"),
    Built(name="plus", make=_simple(numbers.plus), help="plus the values of args"),
    Built(name="minus", make=_simple(numbers.minus), help="minus the values of args"),
    Built(name="negate", make=_simple(lambda v: -numbers.number(v)), help="with the other sign"),
    Built(name="abs", make=_simple(lambda v: abs(numbers.number(v))), help="without sign"),
    Built(name="date", make=dates.date_function, help="date:%Y%m%d reads text to a date and writes a date as text"),
    Built(name="datetime", make=dates.datetime_function, help="datetime:%Y%m%d%H%M|Europe/Berlin, both ways; UTC else"),
    Built(name="dtm", make=_simple(dates.dtm), help="an EDIFACT date; args gives its format code (102 if none)"),
    Built(name="epoch", make=_simple(dates.epoch), help="seconds since 1970, both ways"),
    Built(name="epoch_ms", make=_simple(dates.epoch_ms), help="milliseconds since 1970, both ways"),
    Built(name="days", make=dates.days, help="days:30 moves a date"),
    Built(name="gtin14", make=_simple(_gtin14), help="a GTIN as 14 digits, its check digit verified"),
    Built(name="gtin", make=_simple(_gtin), help="a GTIN as 13 or 14 digits, its check digit verified"),
    Built(name="gtin12", make=_simple(_gtin12), help="a GTIN as 12 digits (UPC), its check digit verified"),
    Built(name="sscc18", make=_simple(_sscc18), help="an SSCC as 18 digits, its check digit verified"),
    Built(name="gs1_check", make=_simple(_gs1_check), help="digits with their GS1 check digit put behind"),
    Built(name="country", make=_simple(countries.country), help="ISO 3166-1 alpha-2 from alpha-2 or alpha-3"),
    Built(name="country3", make=_simple(countries.country3), help="ISO 3166-1 alpha-3 from alpha-2 or alpha-3"),
)
