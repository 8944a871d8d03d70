"""Orders of the bench: five lines each, the same for the same seed, in three syntaxes. All names are invented."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

LINES = 5
ITEMS = 500
SEED = 850


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line: the price is in cents."""

    sku: str
    quantity: int
    cents: int


def reference(number: int) -> str:
    """Return the order number by which an order is known at both ends."""
    return f"B{number:07d}"


def skus() -> list[str]:
    """Return every SKU that the orders may name."""
    return [f"SKU-{number:04d}" for number in range(ITEMS)]


def lines(number: int, seed: int = SEED) -> list[Line]:
    """Return the lines of one order."""
    dice = random.Random(f"{seed}/{number}")
    chosen = dice.sample(range(ITEMS), LINES)
    return [Line(sku=f"SKU-{item:04d}", quantity=dice.randint(1, 9), cents=dice.randint(100, 9999)) for item in chosen]


def quantity(numbers: Sequence[int], seed: int = SEED) -> int:
    """Return how many pieces some orders ask for in all."""
    return sum(line.quantity for number in numbers for line in lines(number, seed))


def price(cents: int) -> str:
    """Return an amount as text."""
    return f"{cents // 100}.{cents % 100:02d}"


def _total(bought: Sequence[Line]) -> str:
    return price(sum(line.quantity * line.cents for line in bought))


def webhook(number: int, seed: int = SEED) -> bytes:
    """Return one order as a shop's webhook sends it."""
    bought = lines(number, seed)
    body = {
        "id": reference(number),
        "created_at": "2026-11-20T09:15:00Z",
        "currency": "USD",
        "email": "jo@customer.example",
        "shipping_address": {
            "name": "Jo Sample", "address1": "1 Main Street", "city": "Dayton", "zip": "45402", "country_code": "US",
        },
        "line_items": [
            {"sku": line.sku, "quantity": line.quantity, "price": price(line.cents), "title": "Thing"}
            for line in bought
        ],
        "total_price": _total(bought),
    }  # fmt: skip
    return json.dumps(body).encode()


def x12(numbers: Sequence[int], seed: int = SEED, control: int = 1) -> bytes:
    """Return one interchange of X12 850 purchase orders in one group."""
    parts = [
        f"ISA*00*          *00*          *ZZ*{'BENCHBUYER':15}*ZZ*{'BENCHSELLER':15}*261122*1015*U*00401"
        f"*{control:09d}*0*P*>~\n"
        f"GS*PO*BENCHBUYER*BENCHSELLER*20261122*1015*{control}*X*004010~\n"
    ]
    parts += [_x12_set(number, place, seed) for place, number in enumerate(numbers, 1)]
    parts.append(f"GE*{len(numbers)}*{control}~\nIEA*1*{control:09d}~\n")
    return "".join(parts).encode()


def _x12_set(number: int, place: int, seed: int) -> str:
    bought = lines(number, seed)
    segments = [
        f"ST*850*{place:04d}",
        f"BEG*00*SA*{reference(number)}**20261120",
        "CUR*BY*USD",
        "REF*DP*042",
        "DTM*010*20261128",
        "N1*BY*Bench Retail*UL*0614141000012",
        "N1*ST*Bench Store 7*UL*0614141000078",
        "N3*7 Harbor Road",
        "N4*Dayton*OH*45402*US",
    ]
    for at, line in enumerate(bought, 1):
        segments += [f"PO1*{at}*{line.quantity}*EA*{price(line.cents)}**VN*{line.sku}", "PID*F****Thing"]
    segments += [f"CTT*{len(bought)}", f"AMT*TT*{_total(bought)}"]
    return "~\n".join([*segments, f"SE*{len(segments) + 1}*{place:04d}"]) + "~\n"


def edifact(numbers: Sequence[int], seed: int = SEED, control: int = 1) -> bytes:
    """Return one interchange of EDIFACT ORDERS."""
    parts = [f"UNA:+.? '\nUNB+UNOC:3+0614141000012:14+0614141999996:14+261122:1015+{control}'\n"]
    parts += [_edifact_message(number, place, seed) for place, number in enumerate(numbers, 1)]
    parts.append(f"UNZ+{len(numbers)}+{control}'\n")
    return "".join(parts).encode()


def _edifact_message(number: int, place: int, seed: int) -> str:
    bought = lines(number, seed)
    segments = [
        f"UNH+{place}+ORDERS:D:96A:UN:EAN008",
        f"BGM+220+{reference(number)}+9",
        "DTM+137:20261120:102",
        "DTM+10:20261128:102",
        "NAD+BY+0614141000012::9++Bench Retail",
        "NAD+DP+0614141000078::9++Bench Store 7+7 Harbor Road+Dayton+OH+45402+US",
        "CUX+2:USD:9",
    ]
    for at, line in enumerate(bought, 1):
        segments += [
            f"LIN+{at}", f"PIA+1+{line.sku}:SA", "IMD+F++:::Thing", f"QTY+21:{line.quantity}:PCE",
            f"PRI+AAA:{price(line.cents)}",
        ]  # fmt: skip
    segments += ["UNS+S", f"MOA+86:{_total(bought)}", f"CNT+2:{len(bought)}"]
    return "'\n".join([*segments, f"UNT+{len(segments) + 1}+{place}"]) + "'\n"
