"""What every exchange of files keeps, over FTPS with the simulator."""

from __future__ import annotations

import pytest

from tests.connectors.file_exchange import *  # noqa: F403
from tests.connectors.file_exchange import There


@pytest.fixture
def there(simulated: There) -> There:
    return simulated
