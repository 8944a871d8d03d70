"""An application behind the embedded server, and lines to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from hub.web.serving import EmbeddedServer
from tests.web.embedded.line import App, Line


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[..., int]]:
    """Serve an application once for all tests; what is returned gives its port."""
    ports: dict[Any, int] = {}
    with ExitStack() as stack:

        def port(app: App, **options: int) -> int:
            key = (app, *options.items())
            if key not in ports:
                server = EmbeddedServer(app, "127.0.0.1", 0, **options)
                ports[key] = server.start()
                stack.callback(server.stop)
            return ports[key]

        yield port


@pytest.fixture
def lines(servers: Callable[..., int]) -> Iterator[Callable[..., Callable[[], Line]]]:
    """Serve an application; what is returned opens a line to it, which is closed after the test."""
    with ExitStack() as stack:

        def serve(app: App, **options: int) -> Callable[[], Line]:
            port = servers(app, **options)

            def line() -> Line:
                opened = Line(port)
                stack.callback(opened.close)
                return opened

            return line

        yield serve
