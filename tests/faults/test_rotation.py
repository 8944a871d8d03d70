"""Secrets and master keys change while senders go on: nothing that was validly signed is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import subprocess
import sys
import threading
import time

import pytest

from tests.faults.driver import ROOT, SECRET, System, inbound, order_body, shop, until

pytestmark = pytest.mark.faults
HELD = 5.0
"""Seconds for which a process keeps an opened secret."""
OLD, NEW = (base64.b64encode(text).decode() for text in (b"the old secret of a shop", b"the new secret of a shop"))


def hub(system: System, *words: str, given: str = "") -> str:
    """Run a command of the command line."""
    done = subprocess.run(
        [sys.executable, "-m", "hub.cli", *words], cwd=ROOT, env=system.environment(), input=given, text=True,
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


class Senders:
    """Send orders one after the other, each once, and keep what they are answered."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.names: list[str] = []
        self.statuses: list[int] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send)

    def __enter__(self) -> Senders:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(30)

    def some(self, count: int = 8) -> None:
        """Wait until so many more were answered."""
        before = len(self.statuses)
        until(lambda: len(self.statuses) >= before + count, 30, "more answers")

    def _send(self) -> None:
        while not self._ended.wait(0.02):
            self.names.append(f"K-{len(self.names)}")
            self.statuses.append(self.system.post(order_body(self.names[-1]), f"event-{self.names[-1]}"))


def test_master_keys_are_rotated_under_load_and_every_signature_is_still_checked(system: System) -> None:
    hub(system, "secret", "set", "shop.secret", given=SECRET)
    system.configure(shop(settings={"secret": "vault:shop.secret"}))
    system.web()
    system.worker()
    with Senders(system) as senders:
        for _ in range(3):
            senders.some()
            hub(system, "keys", "rotate")
        # and it goes on after what was opened under the old keys is not held any more
        begun = time.monotonic()
        while time.monotonic() - begun < HELD + 1:
            senders.some(1)
    assert set(senders.statuses) == {202}
    assert len(set(system.rows("SELECT key_id FROM secrets"))) == 1
    system.quiet(15)
    system.verify(senders.names)


def signed(system: System, body: bytes, event: str, *secrets: str) -> int:
    """POST one event as Standard Webhooks has it, signed with one secret or several."""
    at = str(int(time.time()))
    text = b".".join((event.encode(), at.encode(), body))
    each = (hmac.digest(base64.b64decode(secret), text, hashlib.sha256) for secret in secrets)
    signatures = " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in each)
    headers = {"webhook-id": event, "webhook-timestamp": at, "webhook-signature": signatures}
    line = http.client.HTTPConnection("127.0.0.1", system.port, timeout=20)
    line.request("POST", "/in/standard", body, headers)
    answer = line.getresponse()
    answer.read()
    line.close()
    return answer.status


def test_a_senders_secret_changes_under_load_and_nothing_signed_with_either_is_refused(system: System) -> None:
    hub(system, "secret", "set", "standard.secret", given=f"whsec_{OLD}")
    sender = shop("standard", settings={"secret": "vault:standard.secret", "scheme": "standard"})
    system.configure(sender, inbound("standard"))
    system.web()
    system.worker()
    names = [f"N-{at}" for at in range(2000)]
    rest = iter(names)

    def send(*secrets: str) -> int:
        name = next(rest)
        return signed(system, order_body(name), f"event-{name}", *secrets)

    assert send(OLD) == 202
    # when the sender signs with both for a while, and the hub gets the new one meanwhile
    assert [send(OLD, NEW) for _ in range(5)] == [202] * 5
    hub(system, "secret", "set", "standard.secret", given=f"whsec_{NEW}")
    until(lambda: send(OLD, NEW) == 202 and signed(system, b"{}", "probe", OLD) == 401, 15, "the old one to be refused")
    # then the new one alone is enough from there on
    assert [send(NEW) for _ in range(5)] == [202] * 5
    assert signed(system, order_body("FORGED"), "event-forged", OLD) == 401
    system.quiet(15)
    left = list(rest)
    system.verify([name for name in names if name not in left])
