"""The same with OpenSSH's server, which nobody here wrote."""

from __future__ import annotations

import pytest

from tests.connectors.file_exchange import *  # noqa: F403
from tests.connectors.file_exchange import There

pytestmark = pytest.mark.peers


@pytest.fixture
def there(openssh: There) -> There:
    return openssh
