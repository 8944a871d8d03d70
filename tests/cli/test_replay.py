"""replay: messages that failed are taken in again, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable

from click.testing import Result

from hub.domain.message import Incoming
from hub.store import tables
from hub.store.inbox import Batch, store_batches
from hub.store.store import Store

Hub = Callable[..., Result]


def received(store: Store, *bodies: bytes) -> list[str]:
    """Store messages as intake does and let a worker have failed on them."""
    batch = Batch("shop", "", "document", tuple(Incoming(body=body, order_key="o-1") for body in bodies))
    arrived = store.write(lambda db: store_batches(db, [batch]))[0]
    ids = [each.message_id for each in arrived]

    def fail(db: object) -> None:
        db.run("DELETE FROM work")  # type: ignore[attr-defined]
        db.run("UPDATE messages SET state = 'rejected', problems = '[]'")  # type: ignore[attr-defined]
        rows = [(f"d-{each}", each, 0, "order", "rejected") for each in ids]
        db.insert(tables.documents, ("id", "message_id", "ordinal", "kind", "state"), rows)  # type: ignore[attr-defined]

    store.write(fail)
    return ids


def work(store: Store) -> list[tuple[str, ...]]:
    sql = "SELECT task, subject_id, order_key, lane FROM work ORDER BY id"
    return [tuple(row) for row in store.read(lambda db: db.all(sql))]


def test_without_go_only_the_plan_is_shown(ready: Hub, store: Store) -> None:
    ids = received(store, b"one")

    done = ready("replay", *ids)

    assert "1 would be queued; --go does it" in done.output
    assert work(store) == []


def test_a_failed_message_is_queued_once_and_its_old_result_is_gone(ready: Hub, store: Store) -> None:
    first, second = received(store, b"one", b"two")

    done = ready("replay", first, second, "--go", "--json")

    assert done.exit_code == 0
    assert [each["state"] for each in json.loads(done.stdout)] == ["rejected", "rejected"]
    assert work(store) == [("ingest", first, "shop/o-1", "document"), ("ingest", second, "shop/o-1", "document")]
    assert store.read(lambda db: db.one("SELECT count(*) FROM documents"))[0] == 0
    assert store.read(lambda db: db.one("SELECT DISTINCT state FROM messages"))[0] == "received"

    again = ready("replay", first, "--go")
    assert again.exit_code == 1
    assert "it is queued or being worked on already" in again.output
    assert len(work(store)) == 2


def test_all_that_failed_on_a_connection(ready: Hub, store: Store) -> None:
    ids = received(store, b"one", b"two")
    store.write(lambda db: db.run("UPDATE messages SET state = 'applied' WHERE id = :id", id=ids[0]))

    ready("replay", "--connection", "shop", "--go")

    assert [row[1] for row in work(store)] == [ids[1]]


def test_what_is_not_there_is_refused(ready: Hub) -> None:
    done = ready("replay", "nothing", "--go")

    assert done.exit_code == 1
    assert "there is no such message" in done.output


def test_every_replay_is_in_the_audit_trail(ready: Hub, store: Store) -> None:
    ids = received(store, b"one")

    ready("replay", *ids, "--go")

    row = store.read(lambda db: db.one('SELECT what, subject, "before", "after" FROM audit ORDER BY no DESC'))
    assert tuple(row) == ("message.replay", ids[0], "rejected", "received")
