"""The demo, as a stranger starts it: one process, real transports, every source, nothing left open."""

from __future__ import annotations

import email
import email.policy
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
START_SECONDS = 60


@pytest.fixture
def running(tmp_path: Path) -> Iterator[dict[str, str]]:
    environment = {**os.environ, "HUB_VAR": str(tmp_path / "var"), "HUB_PORT": "0", "HUB_CONFIG": str(ROOT / "config")}
    environment.pop("HUB_DATABASE_URL", None)
    environment.pop("HUB_REDIS_URL", None)
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub.cli", "run", "--demo"], cwd=ROOT, env=environment, stdout=out, stderr=out
        )
    try:
        until = time.monotonic() + START_SECONDS
        while "sign in" not in log.read_text() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        assert "sign in" in log.read_text(), log.read_text()
        yield {**environment, "LOG": log.read_text()}
    finally:
        process.terminate()
        assert process.wait(60) == 0


def test_the_orders_of_every_source_are_shipped_billed_and_told_to_everybody(running: dict[str, str]) -> None:
    asked = [sys.executable, "-m", "hub.cli", "demo", "--orders", "8", "--json"]

    said = subprocess.run(asked, cwd=ROOT, env=running, capture_output=True, text=True, timeout=150, check=True)

    rows = json.loads(said.stdout)
    assert sorted(row["source"] for row in rows) == ["bigbox"] * 2 + ["kontor"] * 2 + ["market"] * 2 + ["shop"] * 2
    assert {(row["phase"], row["settled"]) for row in rows} == {("in_transit", True)}
    for row in rows:
        sent, planned = re.findall(r"\d+", row["deliveries"])
        assert sent == planned
        assert row["shipments"] == row["invoices"] >= 1


def test_the_shops_customers_are_told_by_mail_and_nobody_else_is(running: dict[str, str]) -> None:
    asked = [sys.executable, "-m", "hub.cli", "demo", "--orders", "16", "--json"]

    said = subprocess.run(asked, cwd=ROOT, env=running, capture_output=True, text=True, timeout=150, check=True)

    rows = json.loads(said.stdout)
    assert {(row["source"], row["mails"]) for row in rows} == {("shop", 2), ("market", 0), ("bigbox", 0), ("kontor", 0)}
    mails = [_read(file) for file in (Path(running["HUB_VAR"]) / "demo" / "mail").glob("*.eml")]
    told: dict[str, set[str]] = {}
    for mail in mails:
        number = next(row["number"] for row in [*rows, {"number": ""}] if row["number"] in mail["Subject"])
        told.setdefault(number, set()).add(mail["Subject"].replace(number, "N"))
    shop = [row["number"] for row in rows if row["source"] == "shop"]
    assert [told[number] for number in shop].count({"Your order N", "Your order N is on its way"}) == 3
    assert [told[number] for number in shop].count({"Ihre Bestellung N", "Ihre Bestellung N ist unterwegs"}) == 1
    assert {mail["To"] for mail in mails} == {f"{name}@customer.example" for name in ("ada", "ben", "cleo", "dan")}


def _read(file: Path) -> EmailMessage:
    found = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_every_invoice_is_in_the_books_of_the_erp_once(running: dict[str, str]) -> None:
    asked = [sys.executable, "-m", "hub.cli", "demo", "--orders", "8", "--json"]

    subprocess.run(asked, cwd=ROOT, env=running, capture_output=True, text=True, timeout=150, check=True)

    with closing(sqlite3.connect(Path(running["HUB_VAR"]) / "hub.db")) as db:
        issued = {row[0] for row in db.execute("SELECT id FROM invoices")}
        booked = db.execute("SELECT subject_id, state FROM deliveries WHERE connection = 'erp' AND send = 'invoice'")
        states = sorted(booked)
    assert states == [(number, "delivered") for number in sorted(issued)]
    assert len(issued) >= 16  # The demo sends eight orders when it starts.


def test_the_buyers_get_their_answers_into_their_folders(running: dict[str, str]) -> None:
    asked = [sys.executable, "-m", "hub.cli", "demo", "--orders", "4", "--json"]

    subprocess.run(asked, cwd=ROOT, env=running, capture_output=True, timeout=150, check=True)

    for buyer, tags in (
        ("bigbox", {"ST*997", "ST*855", "ST*856", "ST*810"}),
        ("kontor", {"CONTRL", "ORDRSP", "DESADV", "INVOIC"}),
    ):
        folder = Path(running["HUB_VAR"]) / "demo" / buyer / "out"
        files = [file.read_text() for file in folder.glob("*.edi")]
        assert {tag for tag in tags if any(tag in text for text in files)} == tags
