"""The far side of a Tryton connection: `pytest_plugins = ["tests.peers.tryton_fixtures"]` gives the fixture `erp`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.tryton.simulator import TrytonSimulator
from hub.testing.serve import serve
from tests.peers.tryton import KEY, Erp, Server, tryton_server


@pytest.fixture(scope="session")
def tryton_peer() -> Iterator[Server]:
    """Run one server for all tests of this run."""
    with tryton_server() as server:
        yield server


@pytest.fixture(params=["simulator", pytest.param("tryton", marks=pytest.mark.peers)])
def erp(request: pytest.FixtureRequest) -> Iterator[Erp]:
    """Both far sides in turn: the stand-in of the demo, and the real Tryton where `make peers` built it."""
    if request.param == "tryton":
        yield request.getfixturevalue("tryton_peer").fresh()
        return
    with serve(TrytonSimulator(key=KEY)) as url:
        yield Erp(url=url, port=int(url.rsplit(":", 1)[1]), database="erp")
