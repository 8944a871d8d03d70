"""A database that is not there when the processes of a hub are started: they come up, and begin once it is there."""

from __future__ import annotations

import http.client

import pytest

from hub.testing.chaos import chaos
from tests.faults.driver import System, address, by_way_of, free_port, order_body, until

pytestmark = pytest.mark.faults


def asked(port: int, path: str) -> int:
    """GET a path; return the status, 0 where nobody answers."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        line.request("GET", path)
        return line.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        line.close()


def test_processes_that_start_before_the_database_answer_503_and_begin_once_it_is_there(on_postgres: System) -> None:
    system = on_postgres
    with chaos(*address(system.database_url)) as line:
        line.down()
        away = by_way_of(line.port, system.database_url)
        system.port = free_port()
        web = system.start("web", ["-m", "hub.cli", "web", "--port", str(system.port)], HUB_DATABASE_URL=away)
        worker = system.start("worker", ["-m", "hub.cli", "worker"], HUB_DATABASE_URL=away)
        until(lambda: asked(system.port, "/health/live") == 200, 30, "hub web to be alive")
        assert asked(system.port, "/health/ready") == 503
        assert system.post(order_body("L-1"), "event-1") == 503
        assert system.retry_after
        # when the database comes
        line.up()
        until(lambda: asked(system.port, "/health/ready") == 200, 20, "hub web to be ready")
        system.send(order_body("L-1"), "event-1")
        system.quiet(20)
        # then the same processes serve
        assert (web.ended_by, worker.ended_by) == (None, None)
        system.verify(["L-1"])
