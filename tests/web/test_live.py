"""Live pages: few streams, one look for all of them, and polling for everybody else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from hub.testing.serve import Answer
from hub.web.live import Live


class Record:
    """A record that changes when told."""

    def __init__(self) -> None:
        self.marks = {"orders": "1", "messages": "1"}

    def look(self) -> Mapping[str, str]:
        return dict(self.marks)


@pytest.fixture
def record() -> Record:
    return Record()


@pytest.fixture
def live(record: Record) -> Iterator[Live]:
    opened = Live(record.look, most=2, every=0.005)
    yield opened
    opened.close()


def test_a_stream_begins_with_every_kind_and_then_tells_what_changed(live: Live, record: Record) -> None:
    stream = live.stream()
    assert stream is not None
    first, all_kinds = next(stream), next(stream)

    record.marks["orders"] = "2"

    assert first == b": listening\n\n"
    assert all_kinds == b"event: messages\ndata: changed\n\nevent: orders\ndata: changed\n\n"
    assert next(stream) == b"event: orders\ndata: changed\n\n"


def test_streams_are_few_and_a_place_is_given_back_once(live: Live) -> None:
    streams = [live.stream(), live.stream()]
    refused = live.stream()

    streams[0].close()  # type: ignore[union-attr]
    streams[0].close()  # type: ignore[union-attr]

    assert refused is None
    assert live.stream() is not None
    assert live.stream() is None


def test_closing_ends_every_stream_and_lets_no_other_begin(live: Live) -> None:
    stream = live.stream()
    assert stream is not None
    next(stream), next(stream)

    live.close()

    assert [part for part in stream if part.startswith(b"event")] == []
    assert live.stream() is None


def test_a_look_that_fails_ends_no_stream(record: Record) -> None:
    fails = iter([False, True, True])

    def look() -> Mapping[str, str]:
        if next(fails, False):
            raise RuntimeError("the database is away")
        return record.look()

    live = Live(look, every=0.005)
    stream = live.stream()
    assert stream is not None
    next(stream), next(stream)

    record.marks["messages"] = "2"

    assert next(stream) == b"event: messages\ndata: changed\n\n"
    live.close()


def test_the_ninth_page_is_answered_nothing_and_polls(office: Any, owner: Any) -> None:
    live = office.app.extensions["live"]
    taken = [live.stream() for _ in range(8)]

    answer = owner.get("/events")
    page = owner.get("/console").get_data(as_text=True)

    assert all(taken)
    assert answer.status_code == 204
    assert "every 20s" in page


def test_events_are_for_people_who_may_see(office: Any) -> None:
    answer = office.signed_in("owner").client.get("/events", buffered=False)
    kind = answer.content_type
    answer.close()

    assert kind == "text/event-stream"
    assert office.browser().get("/events").status_code == 302
    assert office.signed_in("supplier").get("/events").status_code == 403


def test_metrics_count_what_is_not_finished(office: Any) -> None:
    office.answers[:] = [Answer(status=422)]
    office.order("W-1")
    office.order("W-2", total_price="26.00")

    text = office.app.test_client().get("/metrics").get_data(as_text=True)

    assert 'hub_unfinished{kind="deliveries",state="refused"} 1.0' in text
    assert 'hub_unfinished{kind="incidents",state="open"} 2.0' in text
    assert 'hub_queue_depth{lane="realtime",task="ingest"} 0.0' in text
    assert "hub_orders_today 2.0" in text
    assert "shop" not in text
