"""Lines that fall silent, one after the other, while orders come, change and are cancelled."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import msgspec
import pytest

from hub.domain.connection import ConnectionConfig
from hub.domain.route import Route
from hub.testing.chaos import Chaos, chaos
from tests.faults.driver import System, address, by_way_of, order_body

pytestmark = pytest.mark.faults
LINKS = ("web to database", "worker to database", "hub to redis", "worker to partner")
SILENT = 1.5
STEPS = (("order.accepted", "original", 1), ("order.changed", "replace", 2), ("order.cancelled", "cancel", 2))


@pytest.fixture
def links(on_postgres: System) -> Iterator[dict[str, Chaos]]:
    """A hub that runs, whose every line goes through a proxy."""
    system = on_postgres
    assert system.redis is not None
    host, port = address(system.sink_url)
    targets = (
        address(system.database_url),
        address(system.database_url),
        ("127.0.0.1", system.redis.port),
        (host, port),
    )
    with ExitStack() as stack:
        lines = {name: stack.enter_context(chaos(*target)) for name, target in zip(LINKS, targets, strict=True)}
        settings = {"base_url": f"{lines[LINKS[3]].url}/sink", "find_path": "/orders/{key}", "deadline": 1}
        system.configure(
            ConnectionConfig(name="sink", connector="rest", settings=settings),
            Route(name="changes", on="order.changed", to="sink", send="order"),
            Route(name="cancels", on="order.cancelled", to="sink", send="order"),
        )
        bell = f"redis://127.0.0.1:{lines[LINKS[2]].port}/0"
        web, work = (by_way_of(lines[name].port, system.database_url) for name in LINKS[:2])
        system.web(HUB_DATABASE_URL=web, HUB_REDIS_URL=bell)
        system.worker(HUB_DATABASE_URL=work, HUB_REDIS_URL=bell)
        system.worker(HUB_DATABASE_URL=work, HUB_REDIS_URL=bell)
        yield lines


def live(system: System, names: Sequence[str]) -> None:
    """Bring orders, change them and cancel them."""
    for name in names:
        for _, purpose, quantity in STEPS:
            system.send(order_body(name, quantity, purpose=purpose), f"{purpose}-{name}", seconds=90)
        threading.Event().wait(0.4)


def told(system: System, names: Sequence[str]) -> dict[str, list[str]]:
    """Return what the sink was told of each order, in turn; repeats of one key count once."""
    events = dict(system.rows("SELECT d.id, e.name FROM deliveries d JOIN events e ON e.id = d.event_id"))
    first = {key: body for _, key, body in reversed(system.sink.arrivals)}
    found: dict[str, list[str]] = {name: [] for name in names}
    for key in dict.fromkeys(key for _, key, _ in system.sink.arrivals):
        found[msgspec.json.decode(first[key])["order"]].append(events[key])
    return found


def test_each_line_falls_silent_in_turn_and_nothing_is_lost_repeated_or_out_of_order(
    on_postgres: System, links: dict[str, Chaos]
) -> None:
    system = on_postgres
    names = [f"L-{at}" for at in range(12)]
    senders = [threading.Thread(target=live, args=(system, names[at::2])) for at in range(2)]
    for each in senders:
        each.start()
    # when each line swallows everything for longer than a lease, is cut, and heals
    for name in LINKS:
        links[name].blackhole = True
        threading.Event().wait(SILENT)
        links[name].blackhole = False
        links[name].cut()
    for each in senders:
        each.join(120)
    system.quiet(60)
    # then each order was told in its three steps, in that order, once each
    assert told(system, names) == {name: [event for event, _, _ in STEPS] for name in names}
    system.verify([name for name in names for _ in STEPS], unique=names)
