"""Accept or refuse the lines of an order (OR21), once, and only while the marketplace still waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.mirakl.client import ENDED, Marketplace, path_of
from hub.sdk import Problem, Receipt, Rejected

WAITS = "WAITING_ACCEPTANCE"


def send(market: Marketplace, body: Mapping[str, Any]) -> Receipt:
    """Answer the lines that still wait; lines that were answered the other way meanwhile are refused by name."""
    order_id = str(body["order_id"])
    wanted, states = _wanted(body), _states(market.order(order_id))
    _refuse_contradictions(wanted, states)
    waiting = [line for line in wanted if states[line] == WAITS]
    if waiting:
        lines = [{"id": line, "accepted": wanted[line]} for line in waiting]
        market.put(path_of(order_id, "accept"), {"order_lines": lines})
    return Receipt(reference=order_id)


def find(market: Marketplace, body: Mapping[str, Any]) -> Receipt | None:
    """Return the receipt where no line waits any more."""
    order_id = str(body["order_id"])
    wanted, states = _wanted(body), _states(market.order(order_id))
    return None if any(states.get(line) == WAITS for line in wanted) else Receipt(reference=order_id)


def _wanted(body: Mapping[str, Any]) -> dict[str, bool]:
    return {str(line["id"]): line["accepted"] is True for line in body["order_lines"]}


def _states(order: Mapping[str, Any]) -> dict[str, str]:
    return {str(line["order_line_id"]): str(line["order_line_state"]) for line in order["order_lines"]}


def _refuse_contradictions(wanted: Mapping[str, bool], states: Mapping[str, str]) -> None:
    problems = []
    for at, (line, accepted) in enumerate(wanted.items()):
        state = states.get(line, "")
        answered = state not in (WAITS, "STAGING")
        if not state:
            problems.append(_problem(at, line, "no_line", f"the order has no line {line}"))
        elif answered and accepted == (state in ENDED):
            ours = "accept" if accepted else "refuse"
            text = f"we {ours} line {line}, but it is {state} already; was the deadline missed, or answered elsewhere?"
            problems.append(_problem(at, line, "answered_otherwise", text))
    if problems:
        raise Rejected(problems)


def _problem(at: int, line: str, code: str, text: str) -> Problem:
    return Problem(code=code, path=f"lines[{at}].code", value=line, text=text)
