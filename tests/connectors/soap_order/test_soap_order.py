"""Orders as SOAP calls: what is sent fits the schema, what is answered has its recovery, a doubt is looked up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lxml import etree

from connectors.soap_order import FindingSoapOrder, FindSettings, Settings, SoapOrder
from connectors.soap_order.simulator import PASSWORD, SCHEMA, USER, OrderService
from hub.codecs.plain_json import CODEC
from hub.domain.order import Order
from hub.kit.kit import HubKit
from hub.sdk import InDoubt, Kit, Outgoing, Paused, Rejected, RetryLater, Secret
from hub.testing.chaos import Chaos, chaos
from hub.testing.fakes import fake_kit
from hub.testing.scripted import Close, Say, scripted
from hub.testing.serve import serve
from hub.translate.compile import compile_mapping
from hub.translate.mapfile import load

pytest_plugins = ["hub.testing.pytest_plugin"]
MAPPINGS = Path(__file__).parents[3] / "mappings"
O = "{urn:example:order-service:1}"  # noqa: E741
ENVELOPE = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{}</e:Body></e:Envelope>'


@pytest.fixture
def service() -> OrderService:
    return OrderService()


@pytest.fixture
def url(service: OrderService) -> Iterator[str]:
    with serve(service) as base:
        yield f"{base}/soap"


def login() -> dict[str, Any]:
    return {"username": USER, "password": Secret(PASSWORD)}


def blind(url: str, kit: Kit, **given: Any) -> SoapOrder:
    return SoapOrder(Settings(service_url=url, **{**login(), **given}), kit)


def finding(url: str, kit: Kit, **given: Any) -> FindingSoapOrder:
    return FindingSoapOrder(FindSettings(service_url=url, find_operation="FindOrder", **{**login(), **given}), kit)


def out(key: str = "key-1", **changes: Any) -> Outgoing:
    """The sample order as the pipeline hands it over: mapped, and written by the codec."""
    given = json.loads((MAPPINGS / "soap_order/samples/order-two-lines.order.json").read_text())
    order = msgspec.convert({**given, **changes}, Order, strict=False)
    tree = compile_mapping(load([MAPPINGS], "soap_order/order.out")).outward(order)
    return Outgoing(key=key, kind="order", body=CODEC.encode([tree], {}), content_type="application/json")


def test_an_order_is_placed_and_what_was_sent_fits_the_schema(service: OrderService, url: str, hub_kit: Kit) -> None:
    receipt = blind(url, hub_kit).push(out())

    assert receipt.reference == "SO-00001"
    assert json.loads(receipt.body) == {"OrderNumber": "SO-00001", "Status": "OK", "Text": None}
    (sent,) = service.requests
    payload = etree.fromstring(sent)
    etree.XMLSchema(etree.parse(str(SCHEMA))).assertValid(payload)
    assert payload.findtext(f"{O}Key") == "key-1"
    assert payload.findtext(f".//{O}PlacedAt") == "2026-11-20T08:15:00Z"
    assert payload.findtext(f".//{O}Total") == "149.50"
    lines = [(each.get("number"), *(child.text for child in each)) for each in payload.iter(f"{O}Line")]
    assert lines == [("1", "WIDGET-001", "Widget", "2", "12.50"), ("2", "PANEL-A3", "Panel", "1", "124.50")]


def test_the_schema_of_the_test_refuses_what_does_not_fit() -> None:
    schema = etree.XMLSchema(etree.parse(str(SCHEMA)))

    assert not schema.validate(
        etree.fromstring('<PlaceOrder xmlns="urn:example:order-service:1"><Key>k</Key></PlaceOrder>')
    )


def test_a_fault_is_rejected_with_its_words(service: OrderService, url: str, hub_kit: Kit) -> None:
    service.unknown_skus = frozenset({"PANEL-A3"})

    with pytest.raises(Rejected, match="unknown SKU PANEL-A3") as caught:
        blind(url, hub_kit).push(out())

    assert caught.value.problems[0].code == "soap_fault"
    assert service.placed == []


def test_a_fault_that_means_busy_is_tried_again(service: OrderService, url: str, hub_kit: Kit) -> None:
    service.unknown_skus = frozenset({"PANEL-A3"})

    with pytest.raises(RetryLater, match="unknown SKU"):
        blind(url, hub_kit, busy_faults=("UnknownSku",)).push(out())


@pytest.mark.parametrize("field", ["Order.Buyer", "Order.Lines"])
def test_what_the_wsdl_refuses_is_rejected_unsent(service: OrderService, url: str, hub_kit: Kit, field: str) -> None:
    tree = json.loads(out().body)
    outer, inner = field.split(".")
    del tree[outer][inner]
    sent = Outgoing(key="key-1", kind="order", body=json.dumps(tree).encode())

    with pytest.raises(Rejected, match="nothing was sent"):
        blind(url, hub_kit).push(sent)
    assert service.requests == []


def test_a_status_that_says_no_is_rejected_with_its_text(hub_kit: Kit) -> None:
    body = f"<PlaceOrderResponse xmlns='{O[1:-1]}'><OrderNumber/><Status>ERR</Status><Text>credit limit</Text>"
    said = Say(body=ENVELOPE.format(f"{body}</PlaceOrderResponse>").encode(), headers={"Content-Type": "text/xml"})
    with scripted(said) as far, pytest.raises(Rejected, match="Status 'ERR': credit limit"):
        blind(f"{far.url}/soap", hub_kit, status_field="Status").push(out())


def test_refused_credentials_pause_and_an_outage_waits(service: OrderService, url: str, hub_kit: Kit) -> None:
    with pytest.raises(Paused):
        blind(url, hub_kit, password=Secret("no")).push(out())
    service.down = True
    with pytest.raises(RetryLater):
        blind(url, hub_kit).push(out())
    assert service.placed == []


def test_a_lost_answer_is_in_doubt(hub_kit: Kit) -> None:
    with scripted(Close()) as far, pytest.raises(InDoubt):
        blind(f"{far.url}/soap", hub_kit).push(out())


def cut_after_taking(service: OrderService, line: Chaos) -> None:
    """Lose the answer of the next order, once it was made."""
    place = service._place

    def lose(payload: Any) -> Any:
        answer = place(payload)
        line.blackhole = True
        line.cut()
        return answer

    service._place = lose  # type: ignore[method-assign]


def test_an_order_whose_answer_was_lost_is_found_and_not_placed_again(
    service: OrderService, url: str, hub_kit: Kit
) -> None:
    with chaos("127.0.0.1", int(url.rsplit(":", 1)[1].partition("/")[0])) as line:
        client = finding(f"{line.url}/soap", hub_kit)
        cut_after_taking(service, line)
        with pytest.raises(InDoubt):
            client.push(out())
        line.blackhole = False

        found = client.find(out())
        again = client.push(out())

    assert found is not None
    assert (found.reference, again.reference) == ("SO-00001", "SO-00001")
    assert service.placed == [("key-1", "SO-00001")]


def test_what_is_not_there_is_none(url: str, hub_kit: Kit) -> None:
    client = finding(url, hub_kit)

    assert client.find(out()) is None
    client.check()
    client.push(out("key-2"))
    assert client.find(out()) is None
    found = client.find(out("key-2"))
    assert found is not None
    assert found.reference == "SO-00001"


def test_a_fault_may_say_that_there_is_no_such_order(hub_kit: Kit) -> None:
    fault = "<e:Fault><faultcode>e:Client</faultcode><faultstring>NotFound: no such key</faultstring></e:Fault>"
    said = Say(status=500, body=ENVELOPE.format(fault).encode(), headers={"Content-Type": "text/xml"})
    with scripted(said) as far:
        assert finding(f"{far.url}/soap", hub_kit).find(out()) is None
        with pytest.raises(Rejected, match="no such key"):
            finding(f"{far.url}/soap", hub_kit, absent_faults=()).find(out())


def test_a_wsdl_of_ones_own_lies_in_the_hubs_folders(url: str, tmp_path: Path) -> None:
    kit: HubKit = fake_kit(tmp_path)
    (tmp_path / "wsdl").mkdir()
    for name in ("orders.wsdl", "orders.xsd"):
        (tmp_path / "wsdl" / name).write_bytes(SCHEMA.with_name(name).read_bytes())

    assert blind(url, kit, wsdl="wsdl/orders.wsdl").push(out()).reference == "SO-00001"
    with pytest.raises(Rejected, match="outside the allowed folders"):
        blind(url, kit, wsdl="/etc/passwd")


def test_exact_numbers_stay_exact(service: OrderService, url: str, hub_kit: Kit) -> None:
    blind(url, hub_kit).push(out(totals={"grand": Decimal("1234567890123.4500")}))

    assert etree.fromstring(service.requests[0]).findtext(f".//{O}Total") == "1234567890123.4500"
