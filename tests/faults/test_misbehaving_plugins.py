"""Installed plug-ins that cannot be loaded, say nonsense or never come back: named, left out, and nobody else waits."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from hub.domain.connection import ConnectionConfig
from hub.domain.route import Route
from tests.faults.driver import System, order_body, outbound, until

pytestmark = pytest.mark.faults
HOOK = "from hub.sdk import hookimpl\n\n\n@hookimpl\n"
BROKEN = {
    "raises": "raise RuntimeError('no such library here')",
    "ends": "import sys\nsys.exit(3)",
    "lacks": "import a_library_that_nobody_has",
    "nonsense": f"{HOOK}def hub_connectors():\n    yield 'not a connector'\n    yield 42\n",
    "stumbles": f"{HOOK}def hub_checks():\n    raise ValueError('half way')\n    yield\n",
    "unknown": f"{HOOK}def hub_conectors():\n    yield\n",
    "hears": f"{HOOK}def hub_observe(event):\n    raise KeyError(event.name)\n",
    "routes": f"{HOOK}def hub_legs(event, document):\n    raise OSError('no table')\n",
}


def install(folder: Path) -> None:
    """Put them where pip would."""
    site = folder / "site"
    facts = site / "hub_broken-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: hub-broken\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[hub]\n" + "".join(f"{name} = broken_{name}\n" for name in BROKEN))
    for name, text in BROKEN.items():
        (site / f"broken_{name}.py").write_text(text)


def test_broken_plugins_are_named_and_the_others_work(on_sqlite: System) -> None:
    system = on_sqlite
    install(system.folder)
    system.web()
    system.worker()
    names = [f"M-{at}" for at in range(5)]
    for name in names:
        system.send(order_body(name), f"event-{name}", seconds=30)
    system.quiet(15)
    log = "".join(path.read_text() for path in sorted(system.folder.glob("worker-*.log")))
    assert [name for name in BROKEN if name not in log] == []
    system.verify(names)


def test_a_connector_that_never_comes_back_from_sending_holds_up_its_own_connection_only(system: System) -> None:
    system.configure(
        ConnectionConfig(name="hang", connector="faults_hang"),
        outbound("hang"),
        Route(name="hangs", on="order.accepted", to="hang", send="order"),
    )
    system.web()
    hung = system.worker()
    names = [f"H-{at}" for at in range(12)]
    for name in names:
        system.send(order_body(name), f"event-{name}")
    sent = "SELECT state, count(*) FROM deliveries WHERE connection = 'sink' GROUP BY state"
    until(lambda: system.rows(sent) == [("delivered", len(names))], 20, "every order to be where it can be sent")
    assert system.sink.orders() == sorted(names)
    # a worker that is asked to end does not wait for it for ever, and what it held is nobody's loss
    assert hung.ended_by is None
    hung.signal(signal.SIGKILL)
    states = "SELECT DISTINCT state FROM deliveries WHERE connection = 'hang'"
    assert set(system.rows(states)) <= {("planned",), ("begun",)}
