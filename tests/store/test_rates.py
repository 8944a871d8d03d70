"""Rate budgets in the database: what all processes may call together."""

from __future__ import annotations

import pytest

from hub.ports import Rate
from hub.store import migrate
from hub.store.rates import StoredRates
from hub.store.store import Store

SLOW = Rate(per_second=1, burst=3)


def test_blocks_follow_each_other_whoever_takes_them(database_url: str) -> None:
    migrate.upgrade(database_url)
    stores = Store(database_url, pool_size=1), Store(database_url, pool_size=1)
    one, other = map(StoredRates, stores)
    try:
        # a burst is due at once, then each block begins where the one before ended
        assert one.take("acme", SLOW, 3) == pytest.approx(-2, abs=0.5)
        assert other.take("acme", SLOW, 10) == pytest.approx(1, abs=0.5)
        assert one.take("acme", SLOW, 1) == pytest.approx(11, abs=0.5)
        assert other.take("globex", SLOW, 1) == pytest.approx(-2, abs=0.5)
        one.pause("globex", 60)
        assert other.take("globex", SLOW, 1) == pytest.approx(61, abs=0.5)
    finally:
        for store in stores:
            store.close()
