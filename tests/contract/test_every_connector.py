"""Every connector on this machine, in this tree or installed, keeps the contract."""

from __future__ import annotations

from hub import plugins
from hub.testing.connector_contract import *  # noqa: F403
from hub.testing.connector_contract import connector_fixture

_LOADED = plugins.load_plugins()
connector = connector_fixture(plugins.declared(_LOADED.manager, "hub_connectors").values())


def test_no_plugin_is_broken() -> None:
    assert [f"{one.plugin}: {one.reason}" for one in _LOADED.broken] == []
