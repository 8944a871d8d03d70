"""How values look to a person."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hub.web import words


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("12.5", "12.50 EUR"),
        ("1234567.1", "1,234,567.10 EUR"),
        ("0.0375", "0.0375 EUR"),
        ("100", "100.00 EUR"),
        ("-3", "-3.00 EUR"),
    ],
)
def test_money_has_at_least_two_decimals_and_loses_none(value: str, shown: str) -> None:
    assert words.money(Decimal(value), "EUR") == shown


@pytest.mark.parametrize(("value", "shown"), [("2", "2"), ("2.500", "2.5"), ("100", "100"), ("0", "·")])
def test_a_quantity_has_no_needless_zeros(value: str, shown: str) -> None:
    assert words.quantity(Decimal(value)) == shown


def test_an_amount_is_read_from_millionths() -> None:
    assert words.amount(149_500_000, "EUR") == "149.50 EUR"
    assert words.amount(None) == "–"


@pytest.mark.parametrize(
    ("state", "tone"), [("delivered", "good"), ("on_hold", "warn"), ("dead", "bad"), ("begun", "busy"), ("new", "idle")]
)
def test_a_state_has_a_tone_and_a_word(state: str, tone: str) -> None:
    found = words.token(state)

    assert found.tone == tone
    assert found.word == state.replace("_", " ")


def test_a_count_that_stopped_says_so() -> None:
    assert words.bounded(10_000) == "10,000"
    assert words.bounded(10_001) == "10,000+"


def test_sizes_and_spans_are_short() -> None:
    assert [words.size(n) for n in (812, 14_200, 3_100_000)] == ["812 B", "14.2 KB", "3.1 MB"]
    assert words.duration(1, 43_001) == "43 ms"
    assert words.duration(1, 1_500_001) == "1.5 s"
    assert words.duration(1, None) == "–"
