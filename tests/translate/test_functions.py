"""Each function of the language: what it gives, what it refuses, and that its guide names it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.translate.functions import built, check_digit

D = Decimal


def call(text: str, value: Any, *others: Any) -> Any:
    name, _, argument = text.partition(":")
    return built()[name].make(argument)(value, *others)


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("trim", " a ", "a"),
        ("upper", "ab", "AB"),
        ("lower", "AB", "ab"),
        ("fold", "Müller Straße Łódź", "Muller Strasse odz"),
        ("digits", "+49 (40) 1-2", "494012"),
        ("pad:5,0", "42", "00042"),
        ("pad_right:4,x", "42", "42xx"),
        ("substr:2,3", "abcdef", "cde"),
        ("cut:3", "abcdef", "abc"),
        ("chunk:3,1", "abcdefgh", "def"),
        ("replace:-,", "1-2-3", "123"),
        (r"regex:(\d+)-", "A12-B", "12"),
        (r"regex:\d+", "A12", "12"),
        (r"regex:^x", "A12", None),
        ("join:+", ["a", "", "b"], "a+b"),
        ("split:;", "a; b;;c", ["a", "b", "c"]),
        ("default:x", "", "x"),
        ("then:UP", "0360", "UP"),
        ("first", ["a", "b"], "a"),
        ("last", ["a", "b"], "b"),
        ("count", ["a", "b"], 2),
        ("sum", ["1.10", D("2")], D("3.10")),
        ("decimal", "1.50", D("1.50")),
        ("decimal:,", "1.234,50", D("1234.50")),
        ("int", "12", 12),
        ("bool", "Yes", True),
        ("implied:2", "1999", D("19.99")),
        ("to_implied:2", D("19.99"), "1999"),
        ("fixed:2", "2.005", "2.01"),
        ("round:1", "0.25", D("0.3")),
        ("plain", "12.500", "12.5"),
        ("times:12", "1.5", D("18.0")),
        ("divide:3", "1", D("0.333333")),
        ("negate", "5", D("-5")),
        ("abs", "-5", D("5")),
        ("nonzero", D("0.00"), None),
        ("date:%d.%m.%Y", "22.11.2026", date(2026, 11, 22)),
        ("date:%Y%m%d", date(2026, 11, 22), "20261122"),
        ("date:%H%M", datetime(2026, 11, 22, 9, 5, tzinfo=UTC), "0905"),
        ("datetime:%Y%m%d%H%M|Europe/Berlin", "202611221000", datetime(2026, 11, 22, 9, tzinfo=UTC)),
        ("datetime:%H:%M|Europe/Berlin", datetime(2026, 11, 22, 9, tzinfo=UTC), "10:00"),
        ("epoch", "1795341600", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("epoch_ms", "1795341600500", datetime(2026, 11, 22, 10, 0, 0, 500000, tzinfo=UTC)),
        ("days:-1", "2026-12-01", date(2026, 11, 30)),
        ("dtm", "20261122", date(2026, 11, 22)),
        ("gtin14", "036000291452", "00036000291452"),
        ("gtin", "036000291452", "0036000291452"),
        ("gtin12", "0036000291452", "036000291452"),
        ("sscc18", "(00)006141410000000012", "006141410000000012"),
        ("gs1_check", "03600029145", "036000291452"),
        ("country", "deu", "DE"),
        ("country3", "DE", "DEU"),
        ("text", D("1E+2"), "100"),
    ],
)
def test_a_function_gives(text: str, value: Any, expected: Any) -> None:
    assert call(text, value) == expected


@pytest.mark.parametrize(
    ("text", "value", "others", "expected"),
    [
        ("concat: ", "Ada", ("", "Example"), "Ada Example"),
        ("times", "2", ("3", "4"), D("24")),
        ("divide", "9", ("2",), D("4.5")),
        ("plus", "1", ("2.5", None), D("3.5")),
        ("minus", "1", ("2.5",), D("-1.5")),
        ("dtm", "202611221015", ("203",), datetime(2026, 11, 22, 10, 15, tzinfo=UTC)),
    ],
)
def test_a_function_takes_further_values(text: str, value: Any, others: tuple[Any, ...], expected: Any) -> None:
    assert call(text, value, *others) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("decimal", "1,5"), ("int", "12.5"), ("bool", "perhaps"), ("to_implied:2", "1.999"), ("divide:0", "1"),
        ("gtin14", "036000291453"), ("gtin12", "4006381333931"), ("sscc18", "006141410000000013"),
        ("country", "Atlantis"), ("date:%Y%m%d", "20261322"), ("datetime:%Y", "MMXXVI"), ("dtm", "261122x"),
    ],
)  # fmt: skip
def test_a_function_refuses_what_it_cannot_take(text: str, value: Any) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        call(text, value)


def test_a_time_zone_that_does_not_exist_is_refused_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="is not a time zone"):
        built()["datetime"].make("%Y|Mars/Olympus")


def test_the_check_digit_is_gs1s() -> None:
    assert (check_digit("03600029145"), check_digit("400638133393"), check_digit("00614141000000001")) == (
        "2",
        "1",
        "2",
    )


def test_every_function_is_in_the_guide() -> None:
    guide = (Path(__file__).parents[2] / "mappings" / "README.md").read_text(encoding="utf-8")

    assert [name for name in built() if f"| `{name}` |" not in guide] == []
