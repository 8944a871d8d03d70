"""The calls to a provider, through the guarded client: checked addresses, a deadline, a cap, nothing followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from hub.domain.errors import HubError, RetryLater
from hub.kit.http import GuardedHttp, Limits
from hub.ports import Reply

LIMITS = Limits(deadline=10.0, cap=1_000_000)
_REFUSALS = frozenset({400, 401})
"""A token endpoint says why in the body of these (RFC 6749, 5.2)."""


class Signs(Protocol):
    """What Authlib gives along to prove who this client is."""

    def prepare(self, method: str, uri: str, headers: dict[str, str], body: str) -> tuple[str, dict[str, str], str]:
        """Return address, header fields and body with the proof in them."""


class Said:
    """An answer in the shape that Authlib expects."""

    def __init__(self, reply: Reply) -> None:
        self.status_code = reply.status
        self._reply = reply

    def json(self) -> Any:
        """Return the body as JSON."""
        return self._reply.json()

    def raise_for_status(self) -> None:
        """Raise where the answer is a refusal without a reason."""
        if self.status_code >= 400:
            raise RetryLater(f"the provider answered {self.status_code} and no token")


class Wire:
    """Calls to one provider; Authlib takes it for its session."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = tuple(networks)

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
        """GET and return the JSON object; raises RetryLater where it is none."""
        http = self._http(url)
        try:
            found = http.request("GET", url, headers=headers).json()
        finally:
            http.close()
        if not isinstance(found, dict):
            raise RetryLater(f"{urlsplit(url).hostname} answered with what is no JSON object")
        return found

    def post(self, url: str, data: Mapping[str, str], headers: Mapping[str, str], auth: Signs) -> Said:
        """POST a form; who this client is goes along as Authlib writes it."""
        _, fields, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        http = self._http(url)
        try:
            return Said(http.request("POST", url, body=body.encode(), headers=fields, also=_REFUSALS))
        except HubError as error:
            raise RetryLater(f"{urlsplit(url).hostname} gave no token: {error}") from error
        finally:
            http.close()

    def _http(self, url: str) -> GuardedHttp:
        parts = urlsplit(url)
        return GuardedHttp(f"{parts.scheme}://{parts.netloc}", limits=LIMITS, networks=self._networks)
