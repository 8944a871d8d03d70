"""A record that is empty, for calls that are kept in it."""

from __future__ import annotations

import pytest

from tests.web.intake.sender import Record


@pytest.fixture
def record() -> Record:
    """A record that is empty."""
    return Record()
