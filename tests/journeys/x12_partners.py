"""A company with partners over X12: their configuration, what they send, and what is asked of the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.domain.invoice import Invoice

from .conftest import ROUTES, STOCKED, Company

Found = Callable[[Mapping[str, str]], Company]

FUNCTIONAL = {
    "180": "AN", "810": "IN", "820": "RA", "824": "AG", "832": "SC", "846": "IB", "850": "PO", "852": "PD", "860": "PC",
    "861": "RC", "864": "TX", "865": "CA", "940": "OW", "943": "AR", "944": "RE", "945": "SW",
}  # fmt: skip
IN = """
[[agreement]]
direction = "in"
document = "{document}"
codec = "x12"
guide = "x12/{set}-004010"
mapping = "x12/{set}.in"
match = {{ set = "{set}" }}
answer = ["997"]
"""
OUT = """
[[agreement]]
direction = "out"
document = "{document}"
codec = "x12"
mapping = "x12/{mapping}.out"
[agreement.envelope]
sender = "ZZ:NORTHWIND"
receiver = "ZZ:MOCKEDI"
version = "00401"
group = "004010"
newline = true
"""
PARTNER = """
[partner]
name = "{name}"
[connection]
name = "{name}"
connector = "folder"
source_kind = "edi"
test = true
settings = {{ inbox = "from-{name}", outbox = "to-{name}", pattern = "*.edi" }}
"""
BACK_OFFICE = """
[connection]
name = "office"
connector = "folder"
settings = { inbox = "from-office", outbox = "to-office" }
"""
AS_IT_IS = """
[[agreement]]
direction = "{direction}"
document = "{document}"
codec = "json"
"""
ROUTE = """
[[route]]
on = "{on}"
to = "{to}"
send = "{send}"
"""
REPORTS = (
    ("820", "remittance"), ("824", "application_advice"), ("832", "catalogue"), ("852", "sales_report"),
    ("861", "receipt_advice"), ("864", "text_message"), ("180", "return_order"),
)  # fmt: skip
"""Sets that are kept as they were said, and sent on."""


def partner(name: str, sets: Mapping[str, str], out: Mapping[str, str] | None = None) -> str:
    """A partner's file: what comes in (set -> document) and what goes out (mapping -> document)."""
    inward = "".join(IN.format(set=each, document=document) for each, document in sets.items())
    outward = "".join(OUT.format(mapping=each, document=document) for each, document in (out or {}).items())
    return PARTNER.format(name=name) + inward + outward


def interchange(set_: str, *segments: str, control: int = 1, usage: str = "T") -> bytes:
    """One interchange with one set."""
    lines = [
        f"ISA*00*          *00*          *ZZ*MOCKEDI        *ZZ*NORTHWIND      *261122*0900*U*00401*{control:09}*0"
        f"*{usage}*>",
        f"GS*{FUNCTIONAL[set_]}*MOCKEDI*NORTHWIND*20261122*0900*{control}*X*004010",
        f"ST*{set_}*0001", *segments, f"SE*{len(segments) + 2}*0001", f"GE*1*{control}", f"IEA*1*{control:09}",
    ]  # fmt: skip
    return "".join(f"{line}~\n" for line in lines).encode()


def segments(text: str) -> list[str]:
    """What stands between ST and SE."""
    lines = [line.strip() for line in text.split("~")]
    begin, end = (next(at for at, line in enumerate(lines) if line.startswith(tag)) for tag in ("ST*", "SE*"))
    return lines[begin + 1 : end]


ORDER = (
    "BEG*00*SA*4500017**20261120", "CUR*BY*USD", "N1*BY*North Stores*92*0001", "N1*ST*North Stores Boston",
    "N3*500 Seaport Boulevard", "N4*Boston*MA*02210*US", "PO1*1*10*EA*12.50**VP*WIDGET-001",
    "PO1*2*4*EA*3.10**VP*WIDGET-002", "CTT*2",
)  # fmt: skip
CHANGE = (
    "BCH*04*SA*4500017**1*20261120*****20261122", "POC*1*QI*14**EA*12.50**VP*WIDGET-001",
    "POC*2*DI*4**EA***VP*WIDGET-002", "CTT*2",
)  # fmt: skip
TRADED = {"850": "order", "860": "order_change", "820": "remittance", "824": "application_advice"}
ANSWERED = {"855": "acknowledgement", "865": "change_acknowledgement", "856": "shipment", "810": "invoice"}
SELLER = {
    **STOCKED,
    "routes.toml": ROUTES + ROUTE.format(on="order_change.answered", to="origin", send="change_acknowledgement"),
    "partners/north.toml": partner("north", TRADED, ANSWERED),
}


def levels(company: Company) -> list[tuple[Any, ...]]:
    """On hand, reserved and incoming by SKU and place, in whole units."""
    return company.rows(
        "SELECT i.sku, p.code, s.on_hand / 1000000, s.reserved / 1000000, s.incoming / 1000000 FROM stock_levels s "
        "JOIN items i ON i.id = s.item_id JOIN locations p ON p.id = s.location_id ORDER BY i.sku, p.code"
    )


def invoices(company: Company) -> list[Invoice]:
    """Every invoice by number."""
    ids = [row[0] for row in company.rows("SELECT id FROM invoices ORDER BY number")]
    found = company.hub.ledger.look(lambda unit: unit.load(Invoice, ids))
    return [found[each] for each in ids]


def remittance(number: str, *paid: str, total: str) -> tuple[str, ...]:
    """The segments of an 820."""
    return (
        f"BPR*I*{total}*C*ACH************20261121",
        f"TRN*1*{number}",
        "CUR*PR*USD",
        "N1*PR*North Stores",
        "ENT*1",
        *paid,
    )


def sold(company: Found) -> Company:
    """A company that has shipped and billed one order: 10 x 12.50 + 4 x 3.10 = 137.40."""
    seller = company(SELLER)
    seller.take("north", interchange("850", *ORDER))
    seller.work()
    seller.dispatch_all()
    return seller
