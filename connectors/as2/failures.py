"""What can go wrong with a message, by the words that an MDN says it with (RFC 4130 7.5, RFC 5402 5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Modifier = Literal[
    "decryption-failed",
    "authentication-failed",
    "integrity-check-failed",
    "decompression-failed",
    "insufficient-message-security",
    "unexpected-processing-error",
    "unsupported format",
    "unsupported MIC-algorithms",
]
FAILURES: frozenset[str] = frozenset({"unsupported format", "unsupported MIC-algorithms"})
"""These are answered `failed/Failure`, all others `processed/Error`."""


class Unusable(Exception):
    """A message cannot be taken: `modifier` is told to the sender, `text` and `action` to our people.

    `text` says what is wrong and names certificates by subject and serial number; `action` says what to do about it.
    """

    def __init__(self, modifier: Modifier, text: str, action: str = "") -> None:
        super().__init__(text)
        self.modifier: Modifier = modifier
        self.text = text
        self.action = action or "ask the partner to look at what they sent; it was answered with this reason"

    @property
    def disposition(self) -> str:
        """Return what stands in the Disposition field after the semicolon."""
        if self.modifier in FAILURES:
            return f"failed/Failure: {self.modifier}"
        return f"processed/Error: {self.modifier}"


@contextmanager
def reading(what: str, modifier: Modifier = "unsupported format") -> Iterator[None]:
    """Turn whatever the ASN.1 reader raises on damaged bytes into `Unusable`."""
    try:
        yield
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise Unusable(modifier, f"{what} is damaged or no CMS structure that is known ({error})"[:300]) from error
