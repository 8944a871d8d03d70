"""The guarded HTTP client: one origin, kept-alive lines, total deadline, byte cap, rate budget, our errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from time import monotonic
from typing import Any

import msgspec

from hub.domain.errors import HubError, InDoubt, RetryLater, TooLarge
from hub.domain.secret import Secret
from hub.kit.abreast import Abreast
from hub.kit.budget import Budget
from hub.kit.clock import SystemClock
from hub.kit.guard import Guard, Resolver
from hub.kit.lines import Lines
from hub.kit.request import SAFE, Prepared, Writer
from hub.kit.status import error_for
from hub.kit.wire import Answer, Closed, Garbled, Line, OverCap
from hub.ports import Call, Clock, Reply

SAID = 2000
"""So many characters of a refusal's body are kept."""

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """One call as it is recorded: no header values, no bodies, the address redacted."""

    connection: str
    method: str
    url: str
    status: int
    """0 where no answer came."""
    seconds: float
    sent: int
    received: int
    error: str = ""


Recorder = Callable[[Exchange], None]


BETWEEN = frozenset({502, 504})
"""Answers of a proxy that lost sight of what it passed on."""


class HttpReply:
    """A 2xx answer; header names in lower case."""

    __slots__ = ("_safe", "_where", "body", "headers", "status")

    def __init__(self, answer: Answer, where: str, *, safe: bool = True) -> None:
        self._safe = safe
        self.status: int = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self.body: bytes = answer.body
        self._where = where

    def json(self) -> Any:
        """Return the body as JSON, None where it is empty."""
        if not self.body:
            return None
        try:
            return _decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            text = f"{self._where} answered {self.status} with what is not JSON ({error})"
            raise RetryLater(text) if self._safe else InDoubt(f"{text}; look there before it is sent again") from error


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long one call may take in all, in seconds, and how many bytes its answer may have."""

    deadline: float = 20.0
    cap: int = 20_000_000


class GuardedHttp:
    """The kit's `Http` for one base address. Threads share it; nothing is opened or revealed before the first call."""

    def __init__(
        self,
        base_url: str,
        *,
        connection: str = "",
        clock: Clock | None = None,
        bearer: Secret | None = None,
        basic: tuple[str, Secret] | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        limits: Limits | None = None,
        networks: Sequence[str] = (),
        budget: Budget | None = None,
        record: Recorder | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        guard = Guard(base_url, networks=networks, resolver=resolver)
        self._lines = Lines(guard)
        self._name = connection or guard.host
        self._clock = clock or SystemClock()
        self._limits = limits or Limits()
        self._writer = Writer(
            base_url,
            connection=self._name,
            bearer=bearer,
            basic=basic,
            headers=headers,
            deadline=self._limits.deadline,
        )
        self._budget, self._record = budget, record

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        json: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
        also: frozenset[int] = frozenset(),
    ) -> Reply:
        """Send one request below the base address and return its 2xx answer; anything else raises our errors.

        `also` names further statuses whose answers are wanted as they are (a SOAP fault comes with 500).
        """
        prepared = self._writer.prepare(
            method, path, body=body, json=json, query=query, headers=headers, deadline=deadline, also=also
        )
        self._judge(prepared, self._outcome(prepared))
        if isinstance(prepared.result, HubError):
            raise prepared.result
        assert prepared.result is not None
        return prepared.result

    def request_many(self, calls: Sequence[Call], *, lines: int = 4) -> list[Reply | HubError]:
        """Send several requests, at most `lines` at a time, each on a line of its own; one result each, in order.

        Each has its own deadline and what `request` would raise as its result. Once their side cannot be reached or
        refuses our credentials, nothing more is sent: the others' result says so, too.
        """
        found: list[Prepared | HubError] = []
        for call in calls:
            try:
                found.append(self._writer.prepare(**call))
            except HubError as error:
                found.append(error)
        abreast = Abreast(self._lines, self._budget, cap=self._limits.cap, most=max(1, lines), judge=self._judge)
        abreast.run([each for each in found if isinstance(each, Prepared)])
        results = [each.result if isinstance(each, Prepared) else each for each in found]
        return [each for each in results if each is not None]

    def get(self, path: str, **query: Any) -> Any:
        """GET and return the JSON."""
        return self.request("GET", path, query=query or None).json()

    def post(self, path: str, json: Any = None, *, key: str = "") -> Any:
        """POST JSON and return the JSON; `key` goes out as Idempotency-Key."""
        return self.request("POST", path, json=json, headers={"Idempotency-Key": key} if key else None).json()

    def put(self, path: str, json: Any = None, *, key: str = "") -> Any:
        """PUT JSON and return the JSON."""
        return self.request("PUT", path, json=json, headers={"Idempotency-Key": key} if key else None).json()

    def close(self) -> None:
        """Close the idle lines; the client can still be used."""
        self._lines.close()

    def _outcome(self, request: Prepared) -> Answer | Exception:
        """Send and receive; an idle line that turns out closed is replaced once where a repeat is harmless."""
        ends = request.begin()
        try:
            if self._budget is not None:
                self._budget.take(1, request.deadline)
            line = self._lines.waiting()
            if line is not None:
                try:
                    return self._converse(line, request, ends)
                except (Closed, ConnectionError) as error:
                    if not request.is_repeatable:
                        return error
            return self._converse(self._lines.open(ends), request, ends)
        except (HubError, Closed, OSError, Garbled) as error:
            return error

    def _converse(self, line: Line, request: Prepared, ends: float) -> Answer:
        try:
            answer = line.converse(request.method, request.data, cap=self._limits.cap, ends=ends)
        except (Closed, OSError, Garbled):
            line.close()
            raise
        self._lines.give_back(line)
        return answer

    def _judge(self, request: Prepared, outcome: Answer | Exception) -> None:
        """Store what an answer, or the failure to get one, means for a request; record the exchange."""
        if isinstance(outcome, HubError):
            request.result = outcome
        elif not isinstance(outcome, Answer):
            request.result = self._unanswered(request, outcome)
        elif outcome.broken is None and (200 <= outcome.status < 300 or outcome.status in request.also):
            where = self._where(request) if self._record else f"{self._name} {request.method}"
            request.result = HttpReply(outcome, where, safe=request.method in SAFE)
        else:
            request.result = self._error(request, outcome)
        if self._record is not None:
            self._note(self._record, request, outcome if isinstance(outcome, Answer) else None)

    def _unanswered(self, request: Prepared, error: Exception) -> HubError:
        late = isinstance(error, TimeoutError)
        where, why = self._where(request), "the deadline has passed" if late else str(error)
        if request.method in SAFE:
            return RetryLater(f"{where} was not answered ({why})")
        return InDoubt(f"{where} was sent but not answered ({why}); look there before it is sent again")

    def _error(self, request: Prepared, answer: Answer) -> HubError:
        where, is_safe = self._where(request), request.method in SAFE
        if 200 <= answer.status < 300:
            why = str(answer.broken) or type(answer.broken).__name__
            if not is_safe:
                return InDoubt(f"{where} answered {answer.status} but the answer is unusable: {why}")
            if isinstance(answer.broken, OverCap):
                return TooLarge(f"{where}: {why}; narrow the request or raise the cap")
            return RetryLater(f"{where} answered {answer.status} but the answer is unusable: {why}")
        said = self._writer.redacted(answer.body[: 4 * SAID].decode("utf-8", "replace"))[:SAID].strip()
        error = error_for(where, answer.status, answer.headers, said, self._clock)
        if answer.status in BETWEEN and not is_safe:
            return InDoubt(f"{error}; whoever stands between may have passed it on: look there before it is sent again")
        if answer.status == 401:
            self._writer.forget()
        if isinstance(error, RetryLater) and error.after and self._budget is not None:
            self._budget.pause(error.after)
        return error

    def _where(self, request: Prepared) -> str:
        text = f"{self._name}: {request.method} {self._writer.origin}{request.target}"
        return self._writer.redacted(text[:500])

    def _note(self, record: Recorder, request: Prepared, answer: Answer | None) -> None:
        failure = request.result
        record(
            Exchange(
                connection=self._name,
                method=request.method,
                url=self._writer.redacted(f"{self._writer.origin}{request.target}"),
                status=answer.status if answer else 0,
                seconds=monotonic() - request.began,
                sent=len(request.data),
                received=len(answer.body) if answer else 0,
                error=str(failure) if isinstance(failure, HubError) else "",
            )
        )
