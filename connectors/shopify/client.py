"""One shop's Admin API: sends a document, and turns what GraphQL says with status 200 into our errors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub.sdk import Http, HubError, InDoubt, Paused, Problem, Rejected, RetryLater

_NAME = re.compile(r"(?:query|mutation)\s+(\w+)")
_SHOP_CLOSED = frozenset({"http_402", "http_404", "http_423"})
"""Frozen for want of payment, gone, locked: every call fails the same way until a person acts."""
_REFUSED = frozenset({"ACCESS_DENIED", "SHOP_INACTIVE"})
_TROUBLE = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"})
PAGE = 50
MOST_PAGES = 200


class Admin:
    """The GraphQL endpoint of one shop and API version."""

    def __init__(self, http: Http, version: str) -> None:
        self.http = http
        self.path = f"/admin/api/{version}/graphql.json"

    def query(self, document: str, **variables: Any) -> dict[str, Any]:
        """Read; a doubt about a question is no doubt, so it is asked again later."""
        try:
            return self._send(document, variables)
        except InDoubt as error:
            raise RetryLater(str(error)) from error

    def mutate(self, document: str, **variables: Any) -> dict[str, Any]:
        """Write, and return the payload of the one mutation in the document; its userErrors are the caller's."""
        try:
            data = self._send(document, variables)
        except _Trouble as error:
            raise InDoubt(f"{error}; look there before it is sent again") from error
        payload: dict[str, Any] = next(iter(data.values()))
        return payload

    def nodes(self, document: str, *path: str, **variables: Any) -> Iterator[Any]:
        """Yield the nodes of a connection that lies at `path` of the data, page after page."""
        after: str | None = None
        for _ in range(MOST_PAGES):
            found: Any = self.query(document, first=PAGE, after=after, **variables)
            for key in path:
                found = (found or {}).get(key)
            if found is None:
                return
            yield from found["nodes"]
            if not found["pageInfo"]["hasNextPage"]:
                return
            after = found["pageInfo"]["endCursor"]

    def _send(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        name = _NAME.search(document)
        assert name is not None
        body = {"query": document, "operationName": name[1], "variables": dict(variables)}
        try:
            reply = self.http.request("POST", self.path, json=body)
        except Rejected as error:
            if {problem.code for problem in error.problems} & _SHOP_CLOSED:
                raise Paused(
                    f"{error}; the shop is closed to us, see its admin and the connection's shop_url"
                ) from error
            raise
        try:
            answer = reply.json() or {}
        except RetryLater as error:
            raise _Trouble(str(error)) from error
        if answer.get("errors"):
            raise _error(name[1], answer)
        data: dict[str, Any] = answer["data"]
        return data


class _Trouble(RetryLater):
    """Something broke on their side after they had read the request."""


def _error(operation: str, answer: Mapping[str, Any]) -> HubError:
    given = answer["errors"]
    errors: Sequence[Any] = given if isinstance(given, list) else [{"message": str(given)}]
    codes = {str((each.get("extensions") or {}).get("code", "")) for each in errors}
    said = f"{operation}: " + "; ".join(str(each.get("message", "")) for each in errors)[:500]
    if "THROTTLED" in codes:
        return RetryLater(f"{said}: the shop's query budget is used up", after=_wait(answer))
    if codes & _REFUSED:
        return Paused(f"{said}; give the app the access scope it names, then resume the connection")
    if codes & _TROUBLE:
        return _Trouble(f"{said} ({', '.join(sorted(codes))})")
    return Rejected(
        [
            Problem(code="shopify_graphql", path=operation, text=f"{operation}: {each.get('message', '')}")
            for each in errors
        ]
    )


def _wait(answer: Mapping[str, Any]) -> float:
    """Return the seconds until the leaky bucket holds what the request would cost."""
    cost = (answer.get("extensions") or {}).get("cost") or {}
    state = cost.get("throttleStatus") or {}
    missing = float(cost.get("requestedQueryCost") or 0) - float(state.get("currentlyAvailable") or 0)
    return max(1.0, missing / (float(state.get("restoreRate") or 0) or 50.0))
