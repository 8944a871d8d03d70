"""A change may be committed by another request's thread: nothing in it may ask who is asking."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pyotp
import pytest

from hub.domain.sign_in import SignInRules
from tests.web.soft_key import SoftKey
from tests.web.test_passkeys import asked, register, sign_in
from tests.web.test_second_step import enrol


class Elsewhere:
    """The record, with every change made by a thread that has no request."""

    def __init__(self, store: Any) -> None:
        self.read = store.read
        self._write = store.write

    def write(self, change: Callable[[Any], Any]) -> Any:
        """Make the change in a thread of its own."""
        made: list[Any] = []
        failed: list[Exception] = []

        def run() -> None:
            try:
                made.append(self._write(change))
            except Exception as error:
                failed.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(timeout=30)
        if failed:
            raise failed[0]
        return made[0]


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_every_step_of_signing_in_is_committed_by_whatever_thread(empty: Any) -> None:
    empty.app.extensions["store"] = Elsewhere(empty.hub.store)
    empty.app.extensions["sign_in_rules"] = SignInRules(public_url="http://localhost")
    browser, other, key = empty.signed_in("owner"), empty.browser(), SoftKey(b"key")

    secret, codes = enrol(browser)
    empty.hub.store.write(lambda db: db.run("UPDATE totp_secrets SET last_step = 0"))
    register(browser, key)
    for data in ({"code": pyotp.TOTP(secret).now()}, {"code": codes[0]}, {"code": "000000"}):
        other.sign_in("owner@company.example")
        other.get("/sign-in/second")
        other.post("/sign-in/second", data)
    other.get("/sign-in/second")
    answer = key.get(asked(other, "/sign-in/passkey/options"))
    seen = [
        other.post("/sign-in/second/passkey", {"credential": answer}).status_code,
        sign_in(empty.browser(), key).status_code,
        *(browser.post(f"/account/{path}", {"id": "a2V5"}).status_code
          for path in ("sessions/close", "codes", "passkeys/remove", "app/remove")),
    ]  # fmt: skip

    assert seen == [302, 302, 302, 200, 302, 302]
    assert empty.rows("SELECT (SELECT count(*) FROM passkeys), (SELECT count(*) FROM totp_secrets)") == [(0, 0)]
