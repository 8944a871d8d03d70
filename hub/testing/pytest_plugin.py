"""Fixtures for whoever tests a connector: `pytest_plugins = ["hub.testing.pytest_plugin"]` in conftest.py."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from hub.kit.kit import HubKit
from hub.testing.fakes import FakeClock, fake_kit
from hub.testing.scripted import Scripted, Step, scripted
from hub.testing.serve import serve

__all__ = ["hub_clock", "hub_kit", "hub_scripted", "hub_serve"]


@pytest.fixture
def hub_clock() -> FakeClock:
    """A clock that stands still until the test moves it."""
    return FakeClock()


@pytest.fixture
def hub_kit(tmp_path: Path, hub_clock: FakeClock) -> HubKit:
    """The real kit, below a temporary folder, for calls to the loopback interface only."""
    return fake_kit(tmp_path, clock=hub_clock)


@pytest.fixture
def hub_serve() -> Callable[..., AbstractContextManager[str]]:
    """Serves a WSGI app; a context manager that gives its base URL."""
    return serve


@pytest.fixture
def hub_scripted() -> Callable[..., AbstractContextManager[Scripted]]:
    """Runs a partner that misbehaves step by step; a context manager that gives it."""

    def run(*steps: Step) -> AbstractContextManager[Scripted]:
        return scripted(*steps)

    return run
