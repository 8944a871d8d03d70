"""Commands run in this process, each test with a var folder and a database of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli import main
from hub.store.store import Store

Hub = Callable[..., Result]


@pytest.fixture
def surroundings(tmp_path: Path, database_url: str) -> dict[str, str]:
    """The environment of a hub that was never started."""
    (tmp_path / "config").mkdir(exist_ok=True)
    return {
        "HUB_DATABASE_URL": database_url, "HUB_VAR": str(tmp_path / "var"), "HUB_CONFIG": str(tmp_path / "config"),
        "SHOP_SECRET": "s3cret",
    }  # fmt: skip


@pytest.fixture
def hub(surroundings: dict[str, str]) -> Hub:
    """Runs a command: `hub("user", "list")`; `given` is its standard input."""

    def run(*arguments: str, given: str | bytes = "") -> Result:
        return CliRunner().invoke(main, list(arguments), env=surroundings, input=given, prog_name="hub")

    return run


@pytest.fixture
def ready(hub: Hub, surroundings: dict[str, str], upgraded_url: str) -> Hub:
    """The same, with the tables made."""
    surroundings["HUB_DATABASE_URL"] = upgraded_url
    assert hub("db", "upgrade").exit_code == 0
    return hub


@pytest.fixture
def store(ready: Hub, surroundings: dict[str, str]) -> Iterator[Store]:
    assert ready
    opened = Store(surroundings["HUB_DATABASE_URL"], pool_size=2)
    yield opened
    opened.close()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration folder with a webhook that sends orders and a destination that takes them."""
    folder = tmp_path / "config"
    (folder / "connections").mkdir(parents=True, exist_ok=True)
    (folder / "hub.toml").write_text('[seller]\nname = "Harbour Goods"\n')
    (folder / "connections" / "shop.toml").write_text(
        '[connection]\nconnector = "webhook"\nsettings = { secret = "env:SHOP_SECRET" }\n\n'
        '[[agreement]]\ndirection = "in"\ndocument = "order"\ncodec = "json"\nmapping = "webhook/order.in"\n'
    )
    (folder / "connections" / "erp.toml").write_text(
        '[connection]\nconnector = "rest"\nsettings = { base_url = "https://erp.example/api" }\n\n'
        '[[agreement]]\ndirection = "out"\ndocument = "order"\ncodec = "json"\nmapping = "rest/order.out"\n'
    )
    (folder / "routes.toml").write_text(
        '[[route]]\nname = "to erp"\non = "order.accepted"\nto = "erp"\nsend = "order"\n'
    )
    return folder
