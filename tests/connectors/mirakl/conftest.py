"""A sandbox marketplace on the loopback interface, and the connection to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.mirakl import Mirakl
from connectors.mirakl.simulator import Market
from hub.sdk import Kit, Outgoing
from hub.testing.fakes import FakeClock
from hub.testing.serve import serve
from tests.connectors.mirakl.sandbox import open_market, sample


@pytest.fixture
def market_clock() -> FakeClock:
    """The marketplace's time, which stands still."""
    return FakeClock(datetime(2026, 11, 20, 9, 0, tzinfo=UTC))


@pytest.fixture
def market(market_clock: FakeClock) -> Market:
    """A marketplace with one order of two lines that waits for an answer."""
    market = Market(now=market_clock.now)
    market.place(sample("order-waiting.json"), sample("order-shipping.json")["customer"]["shipping_address"])
    return market


@pytest.fixture
def address(market: Market) -> Iterator[str]:
    """Where it answers."""
    with serve(market.app) as url:
        yield url


@pytest.fixture
def opened(address: str, hub_kit: Kit) -> Mirakl:
    """The connection to it."""
    return open_market(address, hub_kit)


@pytest.fixture
def outgoing() -> Callable[..., Outgoing]:
    """Makes a delivery of a kind."""

    def make(kind: str, body: dict[str, Any] | bytes, key: str = "delivery-1") -> Outgoing:
        return Outgoing(key=key, kind=kind, body=body if isinstance(body, bytes) else json.dumps(body).encode())

    return make
