"""A supplier who works with CSV files: what goes out, what comes back, and what a repeat does."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.csv_supplier import Settings, Supplier
from connectors.csv_supplier.simulator import CsvSupplier
from hub.codecs.plain_csv import CODEC
from hub.domain.purchase import PurchaseOrder
from hub.ports import Profile
from hub.sdk import Kit, Outgoing, Page, Paused, Receipt, Rejected, TooLarge
from hub.translate.compile import compile_mapping
from hub.translate.mapfile import load

pytest_plugins = ["hub.testing.pytest_plugin"]
MAPPINGS = Path(__file__).parents[3] / "mappings"
OLD = 1_767_600_000
"""2026-01-05 08:00 UTC: an hour before the tests' clock."""


def supplier(kit: Kit, **settings: Any) -> Supplier:
    return Supplier(Settings(root="harbor", **settings), kit)


def put(folder: Path, name: str, text: str, at: int = OLD) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    os.utime(folder / name, (at, at))


def aged(root: Path) -> None:
    for file in root.rglob("*.csv"):
        os.utime(file, (OLD, OLD))


def purchase_order() -> bytes:
    given = json.loads((MAPPINGS / "csv_supplier/samples/purchase-two-lines.purchase_order.json").read_text())
    mapping = compile_mapping(load([MAPPINGS], "csv_supplier/purchase_order.out"))
    tree = mapping.outward(msgspec.convert(given, PurchaseOrder, strict=False))
    return CODEC.encode([tree], {"raw": True})


def document(pages: list[Page], mapping: str) -> Any:
    (page,) = pages
    (message,) = page.messages
    profile = Profile()
    (frame,) = CODEC.frames(message.body, profile)
    (decoded,) = CODEC.decode(message.body, frame, profile)
    return compile_mapping(load([MAPPINGS], mapping)).inward(decoded.tree)


def test_a_purchase_order_is_answered_shipped_and_counted(hub_kit: Kit, tmp_path: Path) -> None:
    them = CsvSupplier(root=tmp_path / "harbor", stock={"HG-77": Decimal(1), "PANEL-A3": Decimal(4)})
    account = supplier(hub_kit)

    account.push(Outgoing(key="d-1", kind="purchase_order", body=purchase_order(), name="purchase_order-d-1.csv"))
    them.work()
    them.count()
    aged(tmp_path)

    answer = document(list(account.pull("acknowledgement", "")), "csv_supplier/acknowledgement.in")
    assert answer.purchase_order_number == "PO-000042"
    assert [(line.line_no, line.code, line.quantity) for line in answer.lines] == [
        ("1", "changed", Decimal(1)),
        ("3", "accepted", Decimal(1)),
    ]
    shipment = document(list(account.pull("shipment", "")), "csv_supplier/shipment.in")
    assert (shipment.number, shipment.order_number) == ("PO-000042-1", "PO-000042")
    assert [package.tracking_number for package in shipment.packages] == ["PX0000000001"]
    assert [(line.line_no, line.quantity) for line in shipment.lines] == [("1", Decimal(1)), ("3", Decimal(1))]
    stock = document(list(account.pull("stock", "")), "csv_supplier/stock.in")
    assert {line.sku: line.quantity for line in stock.lines} == {"HG-77": Decimal(0), "PANEL-A3": Decimal(3)}


def test_a_purchase_order_that_is_sent_twice_is_shipped_once(hub_kit: Kit, tmp_path: Path) -> None:
    them = CsvSupplier(root=tmp_path / "harbor", stock={"HG-77": Decimal(9), "PANEL-A3": Decimal(9)})
    out = Outgoing(key="d-1", kind="purchase_order", body=purchase_order(), name="purchase_order-d-1.csv")
    account = supplier(hub_kit)

    first = account.push(out)
    them.work()
    second = account.push(out)
    them.work()

    assert first == second == Receipt(reference="purchase_order-d-1.csv")
    assert them.shipped == 1
    assert them.stock == {"HG-77": Decimal(7), "PANEL-A3": Decimal(8)}


def test_what_nobody_has_is_rejected_and_not_shipped(hub_kit: Kit, tmp_path: Path) -> None:
    them = CsvSupplier(root=tmp_path / "harbor")
    account = supplier(hub_kit)

    account.push(Outgoing(key="d-1", kind="purchase_order", body=purchase_order(), name="p.csv"))
    them.work()
    aged(tmp_path)

    answer = document(list(account.pull("acknowledgement", "")), "csv_supplier/acknowledgement.in")
    assert [(line.code, line.quantity) for line in answer.lines] == [("rejected", Decimal(0)), ("rejected", Decimal(0))]
    assert list(account.pull("shipment", "")) == []


def test_a_phone_number_reaches_the_supplier_as_it_is() -> None:
    first = purchase_order().decode().splitlines()[1]

    assert first == (
        "PO-000042,1,HG-77,4012345000016,Widget,2,EA,7.25,EUR,2026-11-20,W-1001,"
        "Jo Sample,Hafenweg 4,Hamburg,20457,DE,+49 40 0000000"
    )


def test_the_kind_says_from_which_folder_and_what_it_is(hub_kit: Kit, tmp_path: Path) -> None:
    put(tmp_path / "harbor/acks", "a.csv", "po_number\r\n")
    put(tmp_path / "harbor/stock", "s.csv", "sku\r\n")
    account = supplier(hub_kit, acknowledgements="acks")

    (page,) = account.pull("acknowledgement", "")

    assert [(message.name, message.kind) for message in page.messages] == [("a.csv", "acknowledgement")]
    assert (tmp_path / "harbor/stock/s.csv").exists()


def test_a_file_stays_until_its_page_is_stored(hub_kit: Kit, tmp_path: Path) -> None:
    put(tmp_path / "harbor/stock", "s.csv", "sku\r\n")
    looking = supplier(hub_kit).pull("stock", "")
    first = next(looking)

    assert (tmp_path / "harbor/stock/s.csv").exists()
    looking.close()
    again = list(supplier(hub_kit).pull("stock", ""))

    assert again[0].messages[0].event_id == first.messages[0].event_id
    assert (tmp_path / "harbor/stock/taken/s.csv").exists()


def test_the_same_count_on_another_day_counts_again(hub_kit: Kit, tmp_path: Path) -> None:
    ids = []
    for day in (0, 1):
        put(tmp_path / "harbor/stock", "s.csv", "sku,quantity\r\nA,5\r\n", OLD + day * 60)
        (page,) = supplier(hub_kit).pull("stock", "")
        ids.append(page.messages[0].event_id)

    assert ids[0] != ids[1]


def test_a_count_that_is_written_again_while_it_is_stored_is_not_lost(hub_kit: Kit, tmp_path: Path) -> None:
    put(tmp_path / "harbor/stock", "s.csv", "sku,quantity\r\nA,5\r\n", OLD)
    looking = supplier(hub_kit).pull("stock", "")
    next(looking)
    put(tmp_path / "harbor/stock", "s.csv", "sku,quantity\r\nA,4\r\n", OLD + 60)

    assert list(looking) == []
    (page,) = supplier(hub_kit).pull("stock", "")
    assert page.messages[0].body == b"sku,quantity\r\nA,4\r\n"


def test_a_file_that_is_too_large_is_reported_and_holds_nothing_up(hub_kit: Kit, tmp_path: Path) -> None:
    put(tmp_path / "harbor/stock", "a.csv", "sku,quantity\r\n" + "A,1\r\n" * 9)
    put(tmp_path / "harbor/stock", "b.csv", "sku\r\n", OLD + 60)
    found: list[Page] = []

    with pytest.raises(TooLarge, match=r"a\.csv"):
        found.extend(supplier(hub_kit, cap=20).pull("stock", ""))

    assert [message.name for page in found for message in page.messages] == ["b.csv"]


def test_other_documents_are_refused_with_words(hub_kit: Kit) -> None:
    with pytest.raises(Rejected, match="takes purchase orders only, not invoice"):
        supplier(hub_kit).push(Outgoing(key="d-1", kind="invoice", body=b"x"))


def test_a_kind_that_they_do_not_send_pauses(hub_kit: Kit) -> None:
    with pytest.raises(Paused, match="no files of kind invoice"):
        list(supplier(hub_kit).pull("invoice", ""))


def test_checking_makes_the_folders(hub_kit: Kit, tmp_path: Path) -> None:
    supplier(hub_kit).check()

    assert sorted(each.name for each in (tmp_path / "harbor").iterdir()) == [
        "acknowledgements", "orders", "shipments", "stock",
    ]  # fmt: skip
