"""Errors, named after what recovers from them, and the one model of a thing that is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

Severity = Literal["error", "warning"]


class Position(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where in the received bytes something stands. Segments count from ST or UNH = 1, elements from 1."""

    interchange: str = ""
    group: str = ""
    set: str = ""
    segment: int = 0
    tag: str = ""
    element: int = 0
    component: int = 0
    offset: int = -1


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing wrong with a document: a stable code, a canonical or source path, and words a person can act on."""

    code: str
    path: str = ""
    text: str = ""
    value: str = ""
    severity: Severity = "error"
    at: Position | None = None

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{where}{self.text or self.code}"


class HubError(Exception):
    """The root of the hub's own errors; catch one of its children."""


class RetryLater(HubError):
    """The same call may work later; `after` is how many seconds to wait, or None to let the hub decide.

    `for_all`: their side asked for this time as such (429, Retry-After), so no other call should be made before.
    """

    def __init__(self, text: str, *, after: float | None = None, for_all: bool = False) -> None:
        super().__init__(text)
        self.after = after
        self.for_all = for_all and after is not None


class Rejected(HubError):
    """Final for these bytes: carries every problem, so that it can be mended in one go.

    `proof` is their refusal as it came, where it must be kept (a signed MDN).
    """

    def __init__(self, problems: Iterable[Problem] | str, *, proof: bytes = b"") -> None:
        found = (Problem(code="rejected", text=problems),) if isinstance(problems, str) else tuple(problems)
        super().__init__("; ".join(str(problem) for problem in found))
        self.problems = found
        self.proof = proof


class Paused(HubError):
    """The connection cannot work until a person acts (a token expired, an account is closed)."""


class InDoubt(HubError):
    """It is not known whether the other side took it; look before sending again."""


class Unverified(HubError):
    """Bytes whose sender could not be proven: a bad signature, or one outside its time window."""


class TooLarge(HubError):
    """More bytes, segments or nodes than the cap that is named in the text."""
