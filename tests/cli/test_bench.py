"""The bench: what it measures goes the way of everybody's orders, and a figure that is not proven does not count."""

from __future__ import annotations

import ast
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import hub.cli
from hub import bootstrap
from hub.cli import main, run, schedule, web, worker
from hub.cli.benching import load, measure, proof, samples, scene
from hub.cli.benching.processes import ask
from hub.cli.mapping_files import kinds
from hub.domain.errors import Paused
from hub.plugins import declared, load_plugins
from hub.ports import Codec, Profile
from hub.settings import HubSettings
from hub.store import migrate
from hub.store.store import Store

W1 = next(each for each in scene.WORKLOADS if each.name == "W1")
W4 = next(each for each in scene.WORKLOADS if each.name == "W4")


def bench(tmp_path: Path, *words: str, **environment: str) -> Result:
    unset = {"HUB_TEST_DATABASE_URL": "", "HUB_TEST_REDIS_URL": ""}
    environment = {"HUB_VAR": str(tmp_path / "var"), "HUB_CONFIG": str(tmp_path), **unset, **environment}
    return CliRunner().invoke(main, ["bench", *words], env=environment, prog_name="hub")


# the whole way


def test_every_order_of_a_run_is_counted_and_proven(tmp_path: Path) -> None:
    done = bench(tmp_path, "--json", "--only", "W1,W2,W4x12", "--database", "sqlite", "--orders", "40")

    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    machine = figures.pop("machine")
    assert {name for name, number in machine.items() if number} == {"turns", "http", "sqlite_commits"}
    assert set(figures) == {"W1", "W2", "W4x12"}
    for each in figures.values():
        assert (each["sqlite"]["orders"], each["sqlite"]["valid"], each["sqlite"]["problems"]) == (40, True, [])
        assert each["sqlite"]["orders_per_s"] > 0
        assert each["sqlite"]["cpu_us"] > 0
        assert each["sqlite"]["p50_ms"] <= each["sqlite"]["p95_ms"] <= each["sqlite"]["p99_ms"]
        assert set(each["sqlite"]["rss_mb"]) == {"run"}
    assert list((tmp_path / "var" / "bench").iterdir()) == []


def test_postgres_runs_as_web_workers_and_schedule(
    tmp_path: Path, new_database: Callable[[str], str], redis_url: str
) -> None:
    words = ("--json", "--only", "W2", "--database", "postgres", "--orders", "40")

    done = bench(tmp_path, *words, "--database-url", new_database("postgres"), "--redis-url", redis_url)

    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert {name for name, number in found["machine"].items() if not number} == {"sqlite_commits"}
    figures = found["W2"]
    assert set(figures["postgres"]["rss_mb"]) == {"web", "worker 1", "schedule"}
    assert set(figures["postgres-2"]["rss_mb"]) == {"web", "worker 1", "worker 2", "schedule"}


# no way of its own


def test_the_bench_sees_no_inside_of_the_hub() -> None:
    allowed = ("hub.cli", "hub.domain", "hub.store.migrate", "hub.store.seed_files", "hub.store.store", "hub.store.db")
    folder = Path(hub.cli.__file__).parent
    seen = {
        name
        for file in (folder / "bench.py", *(folder / "benching").glob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        for name in imported(node)
        if name.startswith("hub")
    }

    inside = {name for name in seen if not name.startswith(allowed)}

    assert inside == {"hub.store.mappings", "hub.store.seeds"}


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{each.name}" if node.module == "hub.store" else str(node.module) for each in node.names]
    return [each.name for each in node.names] if isinstance(node, ast.Import) else []


def test_the_commands_that_it_starts_build_their_hub_in_bootstrap() -> None:
    assert all(vars(verb)["build"] is bootstrap.build for verb in (run, web, worker, schedule))


def test_webhooks_are_posted_to_the_intake_and_signed() -> None:
    given = load.Load(port=80, connection="shop", secret="s3cret", first=7, count=2)

    first, second = load.requests(given)

    assert first.startswith(b"POST /in/shop HTTP/1.1\r\n")
    assert b"X-Event-Id: B0000007\r\n" in first
    assert b'"id": "B0000008"' in second
    assert b"X-Signature: " in first


# its input


@pytest.mark.parametrize(
    ("syntax", "guides", "made"),
    [
        ("x12", {"850": "x12/850-004010"}, samples.x12),
        ("edifact", {"ORDERS": "edifact/ORDERS-D96A"}, samples.edifact),
    ],
)
def test_its_files_follow_the_guide(syntax: str, guides: dict[str, str], made: Callable[[range], bytes]) -> None:
    codec: Codec = declared(load_plugins().manager, "hub_codecs")[syntax]
    profile = Profile(options={"guides": guides})
    body = made(range(40))

    decoded = [
        document
        for frame in codec.frames(body, profile)
        for document in codec.decode(body[frame.offset : frame.offset + frame.length], frame, profile)
    ]

    assert len(decoded) == 40
    assert [str(problem) for document in decoded for problem in document.problems] == []


def test_the_same_seed_makes_the_same_orders() -> None:
    assert samples.webhook(3) == samples.webhook(3)
    assert samples.webhook(3) != samples.webhook(3, seed=1)
    assert len(samples.lines(3)) == 5


# the sink


@contextmanager
def served() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-m", "hub.cli.benching.sink"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def post(connection: socket.socket, path: str, key: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nidempotency-key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection.recv(1000).partition(b"\r\n\r\n")[2]


def test_the_sink_knows_a_key_again_and_takes_lists() -> None:
    with served() as port, socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        assert post(connection, "/orders", "k1", b'{"reference":"A"}') == b'{"id":"1"}'
        assert post(connection, "/orders", "k1", b'{"reference":"A"}') == b'{"id":"1"}'
        assert post(connection, "/orders", "k2,k3", b'[{"reference":"B"},{"order":"A"}]') == b'[{"id":"2"},{"id":"3"}]'

        found = json.loads(ask(port, "/arrivals")[1])

    assert found["repeats"] == 1
    assert {name: keys for name, (_, keys) in found["arrived"]["/orders"].items()} == {"A": 2, "B": 1}
    assert found["arrived"]["/orders"]["A"][0] <= found["arrived"]["/orders"]["B"][0]


# the proof


def test_what_is_missing_twice_or_strange_at_the_sink_is_a_problem() -> None:
    arrived = {"/orders": {"B0000000": [1.0, 1], "B0000001": [1.0, 2], "B0000009": [1.0, 1]}}

    assert list(proof.sink_problems(W1, range(3), arrived)) == [
        "1 orders had no order at the sink, such as B0000002",
        "1 order at the sink belong to no order, such as B0000009",
        "1 orders had more than one order, such as B0000001",
    ]


def test_all_once_at_the_sink_is_no_problem() -> None:
    there = {"B0000000": [1.0, 1], "B0000001": [2.0, 1]}

    assert list(proof.sink_problems(W4, range(2), {"/orders": there, "/fulfillment": there})) == []


@pytest.fixture
def record(database_url: str) -> Iterator[Store]:
    migrate.upgrade(database_url)
    store = Store(database_url, pool_size=2)
    yield store
    store.close()


def add(store: Store, orders: int, deliveries: int, *, reserved: int = 0) -> None:
    """Write orders with one delivery each, as far as there are deliveries, and pieces that are promised."""

    def rows(db: object) -> None:
        run = db.run  # type: ignore[attr-defined]
        for number in range(orders):
            name = f"o{number}"
            run("INSERT INTO orders (id, account, external_id) VALUES (:name, 'shop', :name)", name=name)
        for number in range(deliveries):
            run(
                "INSERT INTO deliveries (id, event_id, order_id, connection, send, state) "
                "VALUES (:id, :id, :order, 'erp', 'order', 'delivered')",
                id=f"d{number}", order=f"o{number}",
            )  # fmt: skip
        run(
            "INSERT INTO stock_levels (item_id, location_id, on_hand, reserved) VALUES ('i', 'l', :all, :all)",
            all=reserved,
        )

    store.write(rows)


def test_a_record_with_one_delivery_for_each_order_is_proven(record: Store) -> None:
    add(record, 3, 3)

    assert record.read(lambda db: list(proof.database_problems(db, W1, range(3), 1))) == []
    assert record.read(proof.idle)


def test_a_record_that_lacks_a_delivery_is_not(record: Store) -> None:
    add(record, 3, 2)

    found = record.read(lambda db: list(proof.database_problems(db, W1, range(4), 1)))

    assert found == ["the record has 3 orders, not 4", "deliveries are 2 order delivered, not 4 order delivered"]


def test_stock_that_was_promised_twice_is_a_problem(record: Store) -> None:
    pieces = samples.quantity(range(1))
    add(record, 1, 1, reserved=2 * pieces * 1_000_000)

    found = record.read(lambda db: list(proof.database_problems(db, W4, range(1), samples.SEED)))

    assert f"stock has {2 * pieces} pieces reserved, not {pieces}" in found


@pytest.mark.parametrize(
    ("source", "text", "accepted"),
    [
        ("x12", "AK1*PO*17~AK9*A*5*5*5~SE*4*0001~", 5),
        ("x12", "AK1*PO*17~AK9*P*5*5*4~SE*4*0001~", 0),
        ("edifact", "UCI+1+A+B+8'UCM+1+ORDERS:D:96A:UN+7'UCM+2+ORDERS:D:96A:UN+7'UCM+3+ORDERS:D:96A:UN+4'", 2),
    ],
)
def test_acknowledgements_are_counted(tmp_path: Path, source: str, text: str, accepted: int) -> None:
    (tmp_path / "answer.edi").write_text(text)

    assert proof.answered(tmp_path, source) == accepted


# the figure


def test_a_figure_is_read_off_what_began_and_what_arrived() -> None:
    made = measure.figure([10.0, 10.0, 10.5, 11.0], [10.1, 10.3, 10.7, 12.0], 0, {"run": 90.0}, [])

    assert made == measure.Figure(
        orders=4, orders_per_s=2.0, p50_ms=300.0, p95_ms=1000.0, p99_ms=1000.0, first_ms=100.0, rss_mb={"run": 90.0}
    )


def test_orders_that_never_arrived_make_no_figure() -> None:
    made = measure.figure([10.0, 10.0], [10.1], 0, {}, [])

    assert not made.valid
    assert made.problems == ("1 of 2 orders arrived; there is nothing to measure",)


def test_a_run_that_cannot_start_is_a_figure_with_the_reason(tmp_path: Path) -> None:
    @contextmanager
    def closed(_: Path) -> Iterator[str]:
        raise Paused("the server is closed")
        yield ""

    given = measure.Bench(folder=tmp_path, known=kinds(HubSettings()))

    made = given.run(W1, replace(measure.Place(name="postgres"), database=closed), 10)

    assert made.problems == ("Paused: the server is closed",)


def test_an_invalid_figure_is_named_and_ends_with_status_1(tmp_path: Path) -> None:
    nowhere = ("--database-url", "postgresql://nobody@127.0.0.1:1/none", "--redis-url", "redis://127.0.0.1:1/0")

    done = bench(tmp_path, "--only", "W1", "--database", "postgres", *nowhere)

    assert done.exit_code == 1
    assert "W1 postgres: INVALID: Paused: PostgreSQL refused" in done.stderr
    assert "INVALID" in done.stdout
    assert done.stdout.startswith("this machine, per second: ")
    assert "PostgreSQL" not in done.stdout.splitlines()[0]


def test_postgres_is_left_out_with_the_reason_where_nobody_names_one(tmp_path: Path) -> None:
    done = bench(tmp_path, "--only", "W1", "--database", "postgres")

    assert done.exit_code == 1
    assert "PostgreSQL is left out: set HUB_TEST_DATABASE_URL and HUB_TEST_REDIS_URL" in done.stderr


def test_a_workload_that_is_not_there_is_refused(tmp_path: Path) -> None:
    done = bench(tmp_path, "--only", "W9")

    assert done.exit_code == 2
    assert "there is no workload w9; there are W1, W1s, W2, W2b, W2x10, W3, W4, W4x12" in done.stderr
