"""Redis gone, workers frozen, doubled or killed by a document, the database cut off: late is allowed, lost is not."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable

import msgspec
import pytest

from hub.domain.connection import ConnectionConfig
from hub.domain.route import Route
from hub.store.resolve import retry
from hub.testing.chaos import chaos
from hub.testing.serve import Answer, Call, answer_json
from tests.faults.driver import LEASE, System, address, by_way_of, inbound, order_body, outbound, shop, until

pytestmark = pytest.mark.faults


def test_a_redis_that_forgets_everything_costs_time_only(on_postgres: System) -> None:
    system = on_postgres
    assert system.redis is not None
    system.web()
    system.worker()
    names = [f"R-{at}" for at in range(30)]
    # when Redis forgets everything again and again while orders come in
    for at, name in enumerate(names):
        if at % 5 == 0:
            system.redis.flush()
        assert system.post(order_body(name), f"event-{name}") == 202
    system.redis.flush()
    # then all is done within seconds
    system.quiet(10)
    system.verify(names)


def test_intake_answers_and_work_goes_on_while_redis_is_dead(on_postgres: System) -> None:
    system = on_postgres
    assert system.redis is not None
    system.web()
    system.worker()
    assert system.post(order_body("K-1"), "event-1") == 202
    system.redis.kill()
    # intake still answers, and the workers look for themselves
    for at in range(2, 12):
        assert system.post(order_body(f"K-{at}"), f"event-{at}") == 202
    system.quiet(15)
    # and nothing has to be restarted when it is back
    system.redis.start()
    assert system.post(order_body("K-12"), "event-12") == 202
    system.quiet(15)
    system.verify([f"K-{at}" for at in range(1, 13)])


def test_a_worker_frozen_past_its_lease_is_refused_when_it_wakes(system: System) -> None:
    # given a worker that is frozen while the partner holds its answer back
    reached, release = threading.Event(), threading.Event()

    def hold(_: Call) -> Answer | None:
        if not reached.is_set():
            reached.set()
            release.wait(20)
        return None

    system.sink.after = hold
    system.configure(
        ConnectionConfig(
            name="sink",
            connector="rest",
            settings={"base_url": f"{system.sink_url}/sink", "find_path": "/orders/{key}", "deadline": 15},
        )
    )
    system.web()
    frozen = system.worker()
    system.send(order_body("F-1"), "event-1")
    assert reached.wait(10)
    frozen.signal(signal.SIGSTOP)
    # when its lease runs out, another worker takes the delivery over and finds it there
    system.worker()
    system.quiet(LEASE + 10)
    before = system.rows("SELECT state, attempts, reference FROM deliveries")
    assert before == [("delivered", 2, "S1")]
    # then what the first one writes late changes nothing
    release.set()
    frozen.signal(signal.SIGCONT)
    system.send(order_body("F-2"), "event-2")
    system.quiet(10)
    assert system.rows("SELECT state, attempts, reference FROM deliveries ORDER BY id")[:1] == before
    assert len(system.sink.arrivals) == 2
    system.verify(["F-1", "F-2"])


def test_a_document_that_kills_its_worker_is_kept_for_a_person_and_the_others_flow(system: System) -> None:
    system.web()
    names = [f"P-{at}" for at in range(8)]
    for name in names[:4]:
        system.send(order_body(name), f"event-{name}")
    system.send(order_body("POISON", notes=["poison"]), "event-poison")
    for name in names[4:]:
        system.send(order_body(name), f"event-{name}")
    # when each dead worker is replaced, as a supervisor does
    running = [system.worker()]
    deaths = 0

    def buried() -> bool:
        nonlocal deaths
        if running[0].ended_by is not None:
            deaths += 1
            running[0] = system.worker()
        return system.rows("SELECT status FROM work WHERE status = 'dead'") != []

    until(buried, 40, "the deadly document to be taken out")
    system.quiet(10)
    # then it took five workers with it and no more, one incident says so, and all others went through
    assert deaths == 5
    assert system.rows("SELECT state FROM messages WHERE event_id = 'event-poison'") == [("quarantined",)]
    assert system.rows("SELECT class, count FROM incidents WHERE state = 'open'") == [("internal", 1)]
    system.verify(names)


@pytest.fixture
def changing(system: System) -> System:
    """A shop that changes and cancels its orders, and a sink that is told every time."""
    system.configure(
        Route(name="changes", on="order.changed", to="sink", send="order"),
        Route(name="cancels", on="order.cancelled", to="sink", send="order"),
    )
    return system


def test_documents_of_one_order_arrive_in_order_under_two_workers_and_failures(changing: System) -> None:
    system = changing
    # given a partner that fails every third time, before or after it took the document
    dice = random.Random(20261122)
    guard = threading.Lock()

    def sometimes(_: Call) -> Answer | None:
        with guard:
            failing = dice.random() < 0.17
        return answer_json({"error": "try again"}, 503, {"Retry-After": "0"}) if failing else None

    system.sink.before = system.sink.after = sometimes
    system.web()
    system.worker()
    system.worker()
    # when every order is created, changed and cancelled in one breath
    names = [f"O-{at}" for at in range(12)]
    for name in names:
        system.send(order_body(name, 1), f"create-{name}")
        system.send(order_body(name, 2, purpose="replace"), f"change-{name}")
        system.send(order_body(name, 2, purpose="cancel"), f"cancel-{name}")
    system.quiet(40)
    # then each was told three times, in that order
    events = dict(system.rows("SELECT d.id, e.name FROM deliveries d JOIN events e ON e.id = d.event_id"))
    told: dict[str, list[str]] = {name: [] for name in names}
    for key in dict.fromkeys(key for _, key, _ in system.sink.arrivals):
        body = next(body for _, other, body in system.sink.arrivals if other == key)
        told[msgspec.json.decode(body)["order"]].append(events[key])
    assert told == {name: ["order.accepted", "order.changed", "order.cancelled"] for name in names}
    system.verify([name for name in names for _ in range(3)], unique=names)


def test_one_order_by_webhook_poll_and_file_at_once_is_one_order(system: System) -> None:
    # given three connections of one account
    body = order_body("SAME", 2)
    pages = [[{"no": at, "body": body.decode()} for at in range(start + 1, start + 9)] for start in (0, 8)]

    def page(call: Call) -> Answer:
        after = int(call.query["after"])
        return answer_json(pages[after // 8] if after < 16 else [])

    system.sink.routes.add("GET", "/orders", page)
    inbox = system.folder / "var" / "drop"
    inbox.mkdir(parents=True)
    for at in range(16):
        (inbox / f"order-{at}.json").write_bytes(body)
    system.configure(
        shop(name="poll", connector="faults_poll", settings={"base_url": system.sink_url}, pull_every={"order": 1}),
        shop(name="file", connector="faults_files", settings={"path": "drop"}, pull_every={"order": 1}),
        inbound("poll"),
        inbound("file"),
    )
    system.web()
    system.worker()
    system.worker()
    system.schedule()
    # when 32 webhooks, 16 polled copies and 16 files bring the same order
    gate = threading.Barrier(32)
    statuses: list[int] = []

    def send(at: int) -> None:
        gate.wait(10)
        statuses.append(system.post(body, f"copy-{at}"))

    senders = [threading.Thread(target=send, args=(at,)) for at in range(32)]
    for each in senders:
        each.start()
    for each in senders:
        each.join(30)
    assert statuses == [202] * 32
    sql = "SELECT count(*) FROM messages WHERE direction = 'in' AND connection = '{}' AND state = 'applied'"
    counted: Callable[[str], int] = lambda name: system.rows(sql.format(name))[0][0]  # noqa: E731
    until(lambda: (counted("shop"), counted("poll"), counted("file")) == (32, 16, 16), 40, "all copies to be taken in")
    system.configure(
        shop(name="poll", connector="faults_poll", settings={"base_url": system.sink_url}),
        shop(name="file", connector="faults_files", settings={"path": "drop"}),
    )
    system.quiet(10)
    # then there is one order and one delivery
    assert system.rows("SELECT count(*) FROM deliveries") == [(1,)]
    assert system.rows("SELECT title, detail FROM incidents") == []
    system.verify(["SAME"])


def test_while_the_database_is_away_nothing_is_accepted_and_it_recovers_by_itself(on_postgres: System) -> None:
    system = on_postgres
    with chaos(*address(system.database_url)) as line:
        through = by_way_of(line.port, system.database_url)
        system.web(HUB_DATABASE_URL=through)
        system.worker(HUB_DATABASE_URL=through)
        assert system.post(order_body("D-1"), "event-1") == 202
        # when the database cannot be reached
        line.down()
        for at in range(5):
            assert system.post(order_body("D-2"), "event-2") == 503, at
            assert int(system.retry_after or 0) > 0
        # or does not answer at all
        line.blackhole = True
        line.up()
        assert system.post(order_body("D-2"), "event-2") == 503
        # and is back
        line.blackhole = False
        line.cut()
        assert system.send(order_body("D-2"), "event-2", seconds=20) in (200, 202)
        # and open lines are cut again and again while orders come in
        for at in range(3, 13):
            if at % 3 == 0:
                line.cut()
            assert system.send(order_body(f"D-{at}"), f"event-{at}", seconds=20) in (200, 202)
        system.quiet(20)
    system.verify([f"D-{at}" for at in range(1, 13)])


def test_two_schedulers_one_killed_never_pull_twice_at_once(system: System) -> None:
    asked: list[str] = []

    def page(call: Call) -> Answer:
        asked.append(call.query["after"])
        return answer_json([{"no": 1, "body": order_body("S-1").decode()}] if call.query["after"] == "0" else [])

    system.sink.routes.add("GET", "/orders", page)
    system.configure(
        shop(name="poll", connector="faults_poll", settings={"base_url": system.sink_url}, pull_every={"order": 3600}),
        inbound("poll"),
    )
    system.worker()
    first, _ = system.schedule(), system.schedule()
    until(lambda: "1" in asked, 15, "the pull")
    first.kill()
    system.quiet(10)
    assert asked == ["0", "1"]
    system.verify(["S-1"])


@pytest.fixture
def unanswering(system: System) -> System:
    """A second sink that cannot be asked what it has."""
    system.configure(
        ConnectionConfig(name="ask", connector="faults_ask", settings={"base_url": f"{system.sink_url}/ask"}),
        outbound("ask"),
        Route(name="asks", on="order.accepted", to="ask", send="order"),
    )
    return system


def test_a_partner_that_took_it_and_then_timed_out_is_looked_up_or_left_to_a_person(unanswering: System) -> None:
    system = unanswering
    # given a partner that takes the first document to each connection and never answers
    release, guard, silent = threading.Event(), threading.Lock(), {"/sink/orders", "/ask/orders"}

    def silence(call: Call) -> Answer | None:
        with guard:
            holding = call.path in silent
            silent.discard(call.path)
        if holding:
            release.wait(30)
        return None

    system.sink.after = silence
    system.web()
    system.worker()
    system.send(order_body("T-1"), "event-1")
    system.quiet(20)
    release.set()
    # then where they can be asked, it was found and not created a second time
    sql = "SELECT d.connection, d.state, d.attempts FROM deliveries d ORDER BY d.connection"
    assert system.rows(sql) == [("ask", "in_doubt", 1), ("sink", "delivered", 2)]
    assert [name for name, _, _ in system.sink.arrivals if name == "sink"] == ["sink"]
    assert len(system.sink.looked_up) == 1
    # and where not, nothing was sent again, and a person is asked
    assert [name for name, _, _ in system.sink.arrivals if name == "ask"] == ["ask"]
    found = system.rows("SELECT connection, severity, subject_kind FROM incidents WHERE state = 'open'")
    assert found == [("ask", "critical", "delivery")]
    system.verify(["T-1"])


def test_a_worker_that_dies_between_sending_and_recording_leaves_it_to_a_person_where_nobody_can_be_asked(
    unanswering: System,
) -> None:
    system = unanswering
    system.web()
    system.send(order_body("U-1"), "event-1")
    dying = system.worker(crash_at="work.sent")
    until(lambda: dying.ended_by is not None, 10, "the worker to die")
    system.worker()
    system.quiet(15)
    assert [name for name, _, _ in system.sink.arrivals if name == "ask"] in ([], ["ask"])
    states = dict(system.rows("SELECT connection, state FROM deliveries"))
    sent = [name for name, _, _ in system.sink.arrivals if name == "ask"]
    # the worker dies after its first window: that one is in doubt, the other was never begun and went out
    assert states["sink"] == "delivered"
    assert (states["ask"], sent) == ("in_doubt", ["ask"])
    system.verify(["U-1"])


def test_a_partner_slower_than_the_lease_is_sent_everything_once(system: System) -> None:
    pause = threading.Event()

    def slowly(_: Call) -> None:
        pause.wait(2 * LEASE)

    system.sink.after = slowly
    settings = {"base_url": f"{system.sink_url}/sink", "find_path": "/orders/{key}", "deadline": 15}
    system.configure(ConnectionConfig(name="sink", connector="rest", settings=settings))
    system.web()
    system.send(order_body("W-1"), "event-1")
    system.send(order_body("W-2"), "event-2")
    system.worker()
    system.worker()
    system.quiet(20)
    assert len(system.sink.arrivals) == 2
    assert system.rows("SELECT attempts FROM deliveries") == [(1,), (1,)]
    system.verify(["W-1", "W-2"])


def test_a_delivery_in_doubt_goes_out_again_once_a_person_says_so(unanswering: System) -> None:
    system = unanswering
    system.web()
    system.send(order_body("V-1"), "event-1")
    dying = system.worker(crash_at="work.begun")
    until(lambda: dying.ended_by is not None, 10, "the worker to die")
    system.worker()
    system.quiet(15)
    [[doubted]] = system.rows("SELECT id FROM deliveries WHERE state = 'in_doubt'")
    assert [name for name, _, _ in system.sink.arrivals] == ["sink"]
    # when a person has asked them, and lets it go
    assert system.store.write(lambda db: retry(db, doubted, who="a person"))
    system.quiet(10)
    assert [name for name, _, _ in system.sink.arrivals] == ["sink", "ask"]
    assert system.rows("SELECT DISTINCT state FROM deliveries") == [("delivered",)]
    system.verify(["V-1"])
