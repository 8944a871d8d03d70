"""The web process of the fault tests: intake and health on a free port, whose number is the first line of output."""

from __future__ import annotations

import logging
import os
import threading

from hub.bootstrap import build
from hub.settings import hub_settings
from hub.web.app import create_app
from hub.web.serving import EmbeddedServer


def main() -> None:
    """Serve until killed."""
    logging.basicConfig(level=logging.INFO)
    hub = build(hub_settings(os.environ), role="web", lanes=())
    server = EmbeddedServer(create_app(hub.services, hub.store), "127.0.0.1", 0, threads=32)
    print(server.start(), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
