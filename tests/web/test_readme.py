"""The table of requirements names code and tests that exist."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from hub.settings import HubSettings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "hub" / "web" / "README.md").read_text(encoding="utf-8")


def test_every_test_and_file_that_the_table_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", TEXT))
    defined = {
        name
        for folder in ("web", "browser", "cli")
        for path in (ROOT / "tests" / folder).rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert len(named) > 20
    assert named - defined == set()
    assert [
        name for name in re.findall(r"`((?:web|store|cli)/[\w/]+\.py)`", TEXT) if not (ROOT / "hub" / name).is_file()
    ] == []


def test_every_setting_of_signing_in_is_told() -> None:
    settings = {f"HUB_{each.name.upper()}" for each in dataclasses.fields(HubSettings)}
    mine = {name for name in settings if name.startswith("HUB_OIDC_")} | {"HUB_PUBLIC_URL", "HUB_SECOND_FACTOR"}

    assert mine - set(re.findall(r"HUB_[A-Z_]+", TEXT)) == set()
    assert set(re.findall(r"HUB_[A-Z_]+", TEXT)) - settings == set()
