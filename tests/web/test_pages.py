"""What people see: every page, filled and empty, and what it says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hub.testing.serve import Answer


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/console", "Nothing needs you."),
        ("/console/orders", "No order has arrived yet."),
        ("/console/messages", "No message has crossed the wire yet."),
        ("/console/messages?state=rejected", "No message is in that state."),
        ("/console/deliveries", "No delivery waits for a person."),
        ("/console/deliveries?state=planned", "No delivery is in that state."),
        ("/console/incidents", "Nothing needs you."),
        ("/console/incidents?show=all", "Nothing needs you."),
        ("/console/connections", "No connection is set up."),
        ("/console/queue", "Nothing is due."),
        ("/console/overdue", "No partner owes us an acknowledgement"),
    ],
)
def test_an_empty_page_says_why_and_what_next(empty: Any, path: str, says: str) -> None:
    answer = empty.signed_in("owner").get(path)

    assert answer.status_code == 200
    assert says in text(answer)


def test_the_overview_of_a_new_hub_lists_the_first_steps(empty: Any) -> None:
    assert "First steps" in text(empty.signed_in("owner").get("/console"))


def test_the_overview_counts_and_lists_what_came_in(office: Any, owner: Any) -> None:
    office.order("W-1")
    office.order("W-2")

    shown = text(owner.get("/console"))

    assert '<strong>2</strong><span class="what">orders today (UTC)' in shown
    assert ">W-1</a>" in shown
    assert ">W-2</a>" in shown
    assert "First steps" not in shown


def test_a_live_page_is_asked_for_its_part_alone(office: Any, owner: Any) -> None:
    office.order("W-1")

    part = text(owner.get("/console?part=1", headers={"HX-Request": "true"}))

    assert ">W-1</a>" in part
    assert "<html" not in part


def test_an_order_page_leads_from_the_raw_bytes_to_the_receipt(office: Any, owner: Any) -> None:
    order_id = office.order("W-1")

    shown = text(owner.get(f"/console/orders/{order_id}"))

    steps = ["message.received", "order read", "order.received", "order.accepted", "order planned",
             "attempt 1 begun", "attempt 1: delivered", "their id: WH-1"]  # fmt: skip
    places = [shown.index(step) for step in steps]
    assert places[0] == min(places)
    assert places[-2:] == sorted(places)[-2:]
    assert "WIDGET-001" in shown
    assert "25.00 EUR" in shown


def test_the_bytes_of_both_directions_are_shown_escaped(office: Any, owner: Any) -> None:
    office.order("W-1", note="<script>alert(1)</script>")
    ids = dict(office.rows("SELECT direction, id FROM messages"))

    came, went = (text(owner.get(f"/console/messages/{ids[way]}")) for way in ("in", "out"))

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in came
    assert "<script>alert(1)" not in came
    assert "W-1" in went


def test_a_large_message_is_cut_on_its_page_and_whole_in_its_download(office: Any, owner: Any) -> None:
    office.order("W-1", note="~" * 700_000)
    message_id = office.rows("SELECT id FROM messages WHERE direction = 'in'")[0][0]

    shown = text(owner.get(f"/console/messages/{message_id}"))
    whole = owner.get(f"/console/messages/{message_id}/raw")

    assert "The first 200.0 KB of 700.2 KB." in shown
    assert len(shown) < 250_000
    assert whole.get_data().count(b"~") == 700_000
    assert whole.content_type == "application/octet-stream"
    assert whole.headers["Content-Disposition"].startswith("attachment")


def test_bytes_that_are_no_text_are_shown_as_a_hex_dump() -> None:
    from hub.web.console.messages import readable

    assert readable(b"\x00\xff\x10PDF") == (f"00000000  {'00 ff 10 50 44 46':<48} ...PDF", True)
    assert readable("Größe".encode()[:-3]) == ("Grö", False)
    assert readable("Größe".encode()[:3]) == ("Gr", False)


def test_an_order_as_the_hub_understands_it_is_json(office: Any, owner: Any) -> None:
    order_id = office.order("W-1")

    answer = owner.get(f"/console/orders/{order_id}/canonical.json")

    assert answer.content_type == "application/json"
    assert answer.get_json()["external_id"] == "W-1"
    assert answer.get_json()["lines"][0]["ordered"] == "2"


@pytest.mark.parametrize("wanted", ["W-1", "WIDGET-001", "jo@customer", "WH-1"])
def test_an_order_is_found_by_number_sku_name_and_their_id(office: Any, owner: Any, wanted: str) -> None:
    office.order("W-1")

    assert ">W-1</a>" in text(owner.get("/console/orders", query_string={"q": wanted}))


@pytest.mark.parametrize("wanted", ["W-9", "100%", "a%1", "' OR 1=1 --"])
def test_a_search_that_finds_nothing_says_where_it_looked(office: Any, owner: Any, wanted: str) -> None:
    office.order("A1")

    assert "No order matches" in text(owner.get("/console/orders", query_string={"q": wanted}))


def test_orders_are_paged_without_gap_or_repeat(office: Any, owner: Any) -> None:
    for number in range(1, 55):
        office.order(f"P-{number:03}")

    first = text(owner.get("/console/orders"))
    older = re.search(r'href="(/console/orders\?after=[^"]+)"', first)
    assert older is not None
    second = text(owner.get(older[1]))

    shown = [re.findall(r">(P-\d+)</a>", page) for page in (first, second)]
    assert shown[0] == [f"P-{number:03}" for number in range(54, 4, -1)]
    assert shown[1] == [f"P-{number:03}" for number in range(4, 0, -1)]
    assert "Older orders" not in second


def test_orders_are_filtered_by_state_and_connection(office: Any, owner: Any) -> None:
    office.order("W-1")
    office.order("W-2", total_price="26.00")

    held = text(owner.get("/console/orders?phase=on_hold"))

    assert ">W-2</a>" in held
    assert ">W-1</a>" not in held
    assert "No order here is in that state." in text(owner.get("/console/orders?connection=warehouse"))


def test_a_message_that_cannot_be_read_shows_its_problem_and_its_place(office: Any, owner: Any) -> None:
    office.order("W-1", line_items=[{"quantity": 1}])
    message_id = office.rows("SELECT id FROM messages")[0][0]

    shown = text(owner.get(f"/console/messages/{message_id}"))

    assert "<code>lines[0].sku.seller</code> a value is required" in shown
    assert "rejected" in shown


def test_connections_show_health_and_last_traffic(office: Any, owner: Any) -> None:
    office.order("W-1")

    listed = text(owner.get("/console/connections"))
    one = text(owner.get("/console/connections/shop"))

    assert "Webhook" in listed
    assert "ago" in listed or "just now" in listed
    assert "/in/shop" in one
    assert "webhook/order.in" in one
    assert "s3cret" not in one


def test_a_connection_that_answers_with_errors_is_down_on_every_page(office: Any, owner: Any) -> None:
    office.answers[:] = [Answer(status=401)]
    office.order("W-1")

    overview, listed = text(owner.get("/console")), text(owner.get("/console/connections"))

    assert '<strong>1</strong><span class="what">connections down' in overview
    assert "warehouse cannot be reached or used" in overview
    assert "down</span>" in listed


@pytest.mark.parametrize(
    "path",
    ["/console/orders/x", "/console/messages/x", "/console/messages/x/raw", "/console/deliveries/x",
     "/console/incidents/x", "/console/connections/x", "/console/orders/x/canonical.json", "/console/nowhere"],
)  # fmt: skip
def test_what_is_not_there_is_said_so_on_a_page(owner: Any, path: str) -> None:
    answer = owner.get(path)

    assert answer.status_code == 404
    assert "There is nothing here" in text(answer)


def test_a_cursor_that_somebody_made_up_shows_a_page(office: Any, owner: Any) -> None:
    office.order("W-1")

    for path in (
        "/console/orders?after=abc",
        "/console/messages?after=abc",
        "/console/messages?state=received&after=x_y",
    ):
        assert owner.get(path).status_code == 200
