"""How an application answers after it has returned, where its server can do that: no thread waits for a commit.

The application calls what it finds under `LATER` in its environment of WSGI with a function, and returns nothing. When
the call's own thread is through, the server calls that function with what sends the answer: once, from any thread.
Nothing may be raised there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

LATER = "hub.later"
Headers = Sequence[tuple[str, str]]
Send = Callable[[str, Headers, bytes], None]
"""Status line, headers with the length, body."""
Begin = Callable[[Send], None]
