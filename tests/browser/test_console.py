"""A person's first minutes with the hub, in a real browser, light and dark, wide and narrow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from hub.testing.serve import Answer
from hub.web.console_app import first_run_path

pytestmark = [pytest.mark.browser]
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SIZES = {"wide": (1280, 900), "narrow": (375, 812)}


@pytest.fixture
def owner(running: Any, page: Any) -> Any:
    """The page of somebody who has just set this hub up."""
    page.goto(running.address + first_run_path(running.hub.store))
    page.get_by_label("E-mail address").fill("ann@company.example")
    page.get_by_label("Password, at least").fill("correct horse battery")
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/console")
    return page


def pictures(tmp_path: Path) -> Path:
    """Where pictures are kept for people: HUB_TEST_PICTURES, else the test's own folder."""
    folder = Path(os.environ.get("HUB_TEST_PICTURES", str(tmp_path)))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def violations(page: Any) -> list[str]:
    """What axe finds on the page as it stands."""
    if not page.evaluate("() => typeof axe !== 'undefined'"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("(rules) => axe.run(document, {runOnly: rules})", RULES)
    return [f"{each['id']}: {node['html'][:160]}" for each in found["violations"] for node in each["nodes"]]


def test_the_first_run_leads_to_an_overview_that_lives(running: Any, owner: Any) -> None:
    assert owner.get_by_text("No order has arrived yet.").is_visible()

    running.send("W-1001")

    owner.get_by_role("link", name="W-1001").first.wait_for()
    owner.get_by_role("link", name="W-1001").first.click()
    owner.get_by_role("heading", name="Order W-1001").wait_for()
    owner.get_by_text("attempt 1: delivered").wait_for()
    owner.get_by_role("link", name="bytes in").first.click()
    assert "jo@customer.example" in owner.get_by_label("Bytes of the message").inner_text()


def test_an_order_page_follows_its_delivery_while_it_is_open(running: Any, owner: Any) -> None:
    running.answers[:] = [Answer(status=422, body=b'{"error": "unknown customer"}')]
    running.send("W-1002")
    owner.get_by_role("link", name="W-1002").first.click()
    owner.get_by_text("attempt 1: Rejected").wait_for()

    owner.get_by_role("link", name="delivery", exact=True).first.click()
    owner.get_by_role("button", name="Retry with today's mapping").click()

    owner.get_by_text("It is tried again now.").wait_for()
    owner.get_by_text("delivered").first.wait_for()


def test_the_keyboard_reaches_the_search_and_the_content(running: Any, owner: Any) -> None:
    running.send("W-1003")
    owner.get_by_role("link", name="W-1003").first.wait_for()

    owner.keyboard.press("/")
    owner.keyboard.type("W-1003")
    owner.keyboard.press("Enter")

    owner.get_by_role("heading", name="Orders that match").wait_for()
    owner.keyboard.press("Tab")
    assert owner.evaluate("() => document.activeElement.textContent") == "Skip to the content"


def test_the_theme_is_changed_by_hand_and_kept(owner: Any) -> None:
    owner.get_by_role("button", name="Light or dark").click()
    owner.reload()

    assert owner.evaluate("() => document.documentElement.dataset.bsTheme") == "dark"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", list(SIZES))
def test_every_page_is_accessible_and_fits(running: Any, owner: Any, tmp_path: Path, theme: str, size: str) -> None:
    refusal = Answer(status=422, body=b'{"error": "unknown customer"}')
    running.answers[:] = [refusal]
    running.send("W-1001")
    owner.get_by_text("warehouse refused order").first.wait_for()
    running.send("W-1002", total_price="26.00")
    running.send("W-1003")
    owner.get_by_role("link", name="W-1003").first.wait_for()
    first = {kind: running.hub.store.read(lambda db, kind=kind: db.one(f"SELECT id FROM {kind} ORDER BY id"))[0]
             for kind in ("orders", "messages", "deliveries", "incidents")}  # fmt: skip
    held = running.hub.store.read(lambda db: db.one("SELECT id FROM orders WHERE phase = 'on_hold'"))[0]
    owner.evaluate("(theme) => localStorage.setItem('theme', theme)", theme)
    owner.set_viewport_size({"width": SIZES[size][0], "height": SIZES[size][1]})
    paths = {
        "overview": "", "orders": "/orders", "order": f"/orders/{first['orders']}", "held": f"/orders/{held}",
        "messages": "/messages", "message": f"/messages/{first['messages']}", "deliveries": "/deliveries",
        "delivery": f"/deliveries/{first['deliveries']}", "incidents": "/incidents",
        "incident": f"/incidents/{first['incidents']}", "connections": "/connections",
        "connection": "/connections/shop", "queue": "/queue", "overdue": "/overdue",
    }  # fmt: skip

    found = {}
    for name, path in paths.items():
        owner.goto(f"{running.address}/console{path}")
        owner.get_by_role("heading", level=1).wait_for()
        owner.screenshot(path=pictures(tmp_path) / f"{name}-{size}-{theme}.png", full_page=True)
        found[name] = violations(owner)
        spill = owner.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if spill > 0:
            found[name].append(f"{spill} px wider than the screen")
    assert {name: each for name, each in found.items() if each} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", list(SIZES))
def test_the_doors_are_accessible_and_fit(running: Any, page: Any, tmp_path: Path, theme: str, size: str) -> None:
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": SIZES[size][0], "height": SIZES[size][1]})
    doors = {"sign-in": "/sign-in", "first": first_run_path(running.hub.store)}

    found = {}
    for name, path in doors.items():
        page.goto(running.address + path)
        page.screenshot(path=pictures(tmp_path) / f"{name}-{size}-{theme}.png", full_page=True)
        found[name] = violations(page)

    assert found == {"sign-in": [], "first": []}
    assert page.evaluate("() => document.documentElement.dataset.bsTheme") == theme
