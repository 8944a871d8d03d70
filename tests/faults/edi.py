"""EDI as a partner of the fault tests writes it: an X12 850 and an EDIFACT ORDERS, whole interchanges of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hub.domain.connection import Agreement, ConnectionConfig
from tests.faults.driver import inbound, outbound


def purchase(number: str, control: int = 1, lines: int = 1) -> str:
    """Return one 850 with so many lines of two pieces at 12.50."""
    items = "".join(f"PO1*{at}*2*EA*12.50**VP*WIDGET-{at}~" for at in range(1, lines + 1))
    body = (
        f"ST*850*{control:04}~BEG*00*SA*{number}**20261120~CUR*BY*USD~N1*BY*North Stores*92*0001~"
        f"N1*ST*North Boston~N3*500 Seaport Boulevard~N4*Boston*MA*02210*US~{items}CTT*{lines}~"
    )
    return f"{body}SE*{body.count('~') + 1}*{control:04}~"


def x12(*sets: str, control: int = 1) -> bytes:
    """Return an interchange with one group of 850s."""
    head = (
        f"ISA*00*          *00*          *ZZ*NORTH          *ZZ*HUB            *261122*0900*U*00401*{control:09}*0*P*>~"
        f"GS*PO*NORTH*HUB*20261122*0900*{control}*X*004010~"
    )
    return f"{head}{''.join(sets)}GE*{len(sets)}*{control}~IEA*1*{control:09}~".encode()


def order_message(number: str, reference: int = 1) -> str:
    """Return one ORDERS with a line of two pieces at 12.50."""
    body = (
        f"UNH+{reference}+ORDERS:D:96A:UN:EAN008'BGM+220+{number}+9'DTM+137:20261120:102'"
        "NAD+BY+5412345000013::9'NAD+SU+4012345500004::9'NAD+DP+5412345000020::9'CUX+2:EUR:9'"
        "LIN+1++4006381333931:EN'QTY+21:2'PRI+AAA:12.50'UNS+S'CNT+2:1'"
    )
    return f"{body}UNT+{body.count(chr(39)) + 1}+{reference}'"


def edifact(*messages: str, control: int = 1) -> bytes:
    """Return an interchange of ORDERS."""
    head = f"UNA:+.? 'UNB+UNOC:3+NORD:14+HUB:14+261122:0900+{control}'"
    return f"{head}{''.join(messages)}UNZ+{len(messages)}+{control}'".encode()


def door(sink_url: str, **more: Any) -> Iterator[Any]:
    """Yield a connection that takes any bytes and answers EDI, and the one that its acknowledgements go to."""
    yield ConnectionConfig(
        name="door", connector="faults_door", items="any", fulfilled_by="elsewhere", max_bytes=60_000_000, **more
    )
    yield ConnectionConfig(name="acks", connector="rest", settings={"base_url": f"{sink_url}/acks"})
    yield Agreement(
        connection="door", direction="in", document="order", codec="x12", guide="x12/850-004010", mapping="x12/850.in",
        match={"set": "850", "version": "004010", "sender": "ZZ:NORTH", "receiver": "ZZ:HUB"}, answer=("997",),
        answer_to="acks",
    )  # fmt: skip
    yield Agreement(
        connection="door", direction="in", document="order", codec="edifact", guide="edifact/ORDERS-D96A",
        mapping="edifact/orders.in", match={"set": "ORDERS", "sender": "14:NORD", "receiver": "14:HUB"},
        answer=("CONTRL",), answer_to="acks",
    )  # fmt: skip
    yield inbound("door")
    yield outbound("acks")


def answered(bodies: Iterable[bytes]) -> str:
    """Return all acknowledgements that arrived, as one text."""
    return "\n".join(body.decode() for body in bodies)
