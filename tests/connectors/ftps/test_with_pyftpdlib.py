"""What every exchange of files keeps, over FTPS with pyftpdlib, which nobody here wrote."""

from __future__ import annotations

import pytest

from tests.connectors.file_exchange import *  # noqa: F403
from tests.connectors.file_exchange import There

pytestmark = pytest.mark.peers


@pytest.fixture
def there(pyftpdlib: There) -> There:
    return pyftpdlib
