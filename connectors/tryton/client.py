"""Tryton's REST: search, create, write, press buttons; its spelling of values, its refusals as our errors."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NoReturn

from hub.sdk import Http, Problem, Rejected, RetryLater

Record = dict[str, Any]
CONCURRENT = "http_423"
"""Somebody else changed the record at the same moment; the same call works later."""


class Client:
    """The models of one database. `http` ends in `/<database>/rest`; `context` says for which company."""

    def __init__(self, http: Http, context: Mapping[str, Any]) -> None:
        self.http, self.context = http, context

    def search(
        self,
        model: str,
        domain: Sequence[Any],
        fields: Sequence[str],
        *,
        size: int = 1000,
        skip: int = 0,
        order: Sequence[Any] = (("id", "ASC"),),
        context: Mapping[str, Any] | None = None,
    ) -> list[Record]:
        """Return records that fit a domain such as [["code", "=", "A"]]; fields may be paths (`lines.quantity`)."""
        query = {"d": packed(domain), "f": list(fields), "s": size, "p": skip, "o": packed(order)}
        return list(self._asked("GET", f"/model/{model}", query=query, context=context))

    def create(self, model: str, values: Mapping[str, Any], fields: Sequence[str]) -> Record:
        """Create one record and return those fields of it."""
        return dict(self._asked("POST", f"/model/{model}", query={"f": list(fields)}, json=values))

    def write(self, model: str, number: int, values: Mapping[str, Any], fields: Sequence[str]) -> Record:
        """Change one record and return those fields of it."""
        return dict(self._asked("PUT", f"/model/{model}/{number}", query={"f": list(fields)}, json=values))

    def press(self, model: str, number: int, button: str, fields: Sequence[str]) -> Record:
        """Press a button of one record and return those fields of it."""
        return dict(self._asked("POST", f"/model/{model}/{number}/{button}", query={"f": list(fields)}, json={}))

    def _asked(self, method: str, path: str, *, context: Mapping[str, Any] | None = None, **given: Any) -> Any:
        headers = {"X-Tryton-Context": packed({**self.context, **(context or {})})}
        try:
            answer = self.http.request(method, path, headers=headers, **given).json()
        except Rejected as error:
            _refuse(error)
        if isinstance(answer, dict) and answer.get("error"):
            raise Rejected([Problem(code="tryton_refused", text=_said(answer["error"]))])
        return answer


def packed(value: Any) -> str:
    """Return JSON as Tryton wants it in an address or header: URL-safe base64."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def moment(value: datetime) -> Record:
    """Spell an instant: UTC, without saying so."""
    at = value.astimezone(UTC)
    names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    return {"__class__": "datetime", **{name: getattr(at, name) for name in names}}


def plain(value: Any) -> Any:
    """Read Tryton's values: Decimal and dates as text, lists and records all the way down, numbers as text."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, Decimal):
        return _shortest(value)
    if not isinstance(value, dict):
        return value
    kind = value.get("__class__")
    if kind is None:
        return {name: plain(item) for name, item in value.items() if name != "__name__"}
    return _CLASSES[kind](value) if kind in _CLASSES else value


def _shortest(value: Decimal) -> str:
    """Write 3.0 as 3: quantities are binary numbers at Tryton and come with a point that means nothing."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moment(value: Record) -> str:
    parts = [int(value[name]) for name in ("year", "month", "day", "hour", "minute", "second", "microsecond")]
    return datetime(*parts, tzinfo=UTC).isoformat()  # type: ignore[arg-type, misc]


_CLASSES = {
    "Decimal": lambda value: str(value["decimal"]),
    "date": lambda value: date(int(value["year"]), int(value["month"]), int(value["day"])).isoformat(),
    "datetime": _moment,
}


def _refuse(error: Rejected) -> NoReturn:
    """Raise what Tryton meant: a refusal of the business with its own words, or another try."""
    problem = error.problems[0]
    if problem.code == CONCURRENT:
        raise RetryLater(str(error)) from error
    try:
        said = json.loads(problem.value)
    except ValueError:
        raise error from None
    text = _said([said.get("message", ""), said.get("description", "")] if isinstance(said, dict) else said)
    raise Rejected([Problem(code="tryton_refused", text=text or str(error))]) from error


def _said(error: Any) -> str:
    """Put the parts of a refusal together: ["UserWarning", ["name", "text", ""]], or message and description."""
    if isinstance(error, (list, tuple)):
        return ": ".join(text for part in error if (text := _said(part)))
    return str(error or "").strip()
