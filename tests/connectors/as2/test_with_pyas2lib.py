"""AS2 with an implementation that nobody here wrote: signed, encrypted, compressed, signed receipts, both ways."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from connectors.as2 import As2
from connectors.as2.wrapping import Step
from hub.sdk import Kit, Outgoing, Rejected, Request
from hub.testing.serve import Answer, Call, handler

from .conftest import certificate_pem, pem
from .partnership import EDI, OUT, answered, never, settings

pytest_plugins = ["hub.testing.pytest_plugin"]

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".peers" / "pyas2lib" / "bin" / "python"
PEER = ROOT / "tests" / "peers" / "pyas2_peer.py"
Serve = Callable[..., AbstractContextManager[str]]
pytestmark = pytest.mark.peers
ORDERS: list[tuple[Step, ...]] = [
    ("sign",), ("encrypt",), ("compress",), ("sign", "encrypt"), ("compress", "sign"), ("compress", "encrypt"),
    ("sign", "compress"), ("compress", "sign", "encrypt"), ("sign", "compress", "encrypt"),
]  # fmt: skip


class Peer:
    """North Stores on pyas2lib."""

    def ask(self, action: str, **given: Any) -> dict[str, Any]:
        """Have it do one thing."""
        us = {"name": "North Stores", "key": pem("north")}
        them = {"name": "HUB", "certificate": certificate_pem("hub"), "options": given.pop("options", {})}
        request = json.dumps({"action": action, "us": us, "them": them, **given})
        done = subprocess.run([str(PYTHON), str(PEER)], input=request, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def build(self, body: bytes, **options: Any) -> tuple[Request, str]:
        """Return a message to us, and the MIC that our receipt must have."""
        asked = {"mdn_mode": "SYNC", "mdn_digest_alg": "sha256", "enc_alg": "aes_256_cbc", **options}
        built = self.ask("build", body=coded(body), id="1", filename="850.edi", options=asked)
        headers = {name.lower(): value for name, value in built["headers"].items()}
        return Request(body=base64.b64decode(built["body"]), headers=headers), built["mic"]

    def judge(self, headers: dict[str, str], body: bytes, mic: str) -> dict[str, Any]:
        """Return what it makes of our receipt."""
        options = {"mdn_mode": "SYNC", "mdn_digest_alg": "sha256"}
        return self.ask("judge", headers=headers, body=coded(body), mic=mic, id="1@peer.example", options=options)


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture
def peer() -> Peer:
    """The other implementation."""
    if not PYTHON.exists():
        pytest.skip("pyas2lib is not installed under .peers/pyas2lib; `make peers` builds it")
    return Peer()


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("layers", [(), ("sign",), ("sign", "encrypt"), ("compress", "sign", "encrypt")], ids="-".join)
def test_what_it_sends_we_take_and_it_believes_our_receipt(
    hub_kit: Kit, peer: Peer, layers: tuple[str, ...], digest: str
) -> None:
    body = EDI.replace(b"\n", b"\r\n")  # it sends text with canonical line ends
    request, mic = peer.build(body, digest_alg=digest, **dict.fromkeys(layers, True))

    found = As2(settings(require=[each for each in ("signature",) if "sign" in layers]), hub_kit).exchange(
        request, never
    )

    assert found.problem is None
    assert (found.messages[0].body, found.messages[0].name) == (body, "850.edi")
    assert peer.judge(*answered(found), mic) == {"status": "processed", "detail": ""}


@pytest.mark.parametrize("cipher", ["aes_128_cbc", "aes_192_cbc", "aes_256_cbc", "tripledes_192_cbc"])
@pytest.mark.parametrize("body", [EDI, EDI.replace(b"\n", b"\r\n"), b"\xe4\xf6\xfc\n" * 50, EDI * 2000])
def test_its_ciphers_and_line_ends_are_taken(hub_kit: Kit, peer: Peer, cipher: str, body: bytes) -> None:
    request, mic = peer.build(body, enc_alg=cipher, sign=True, encrypt=True)

    found = As2(settings(accept_weak=("3des",)), hub_kit).exchange(request, never)

    assert found.problem is None
    assert found.messages[0].body.replace(b"\r\n", b"\n") == body.replace(b"\r\n", b"\n")
    assert peer.judge(*answered(found), mic) == {"status": "processed", "detail": ""}


def test_it_understands_our_refusal(hub_kit: Kit, peer: Peer) -> None:
    request, mic = peer.build(EDI, sign=True)

    found = As2(settings(their_certificates=(certificate_pem("stranger"),)), hub_kit).exchange(request, never)

    assert found.problem is not None
    assert peer.judge(*answered(found), mic) == {"status": "processed/Error", "detail": "authentication-failed"}


@pytest.mark.parametrize("digest", ["sha256", "sha512"])
@pytest.mark.parametrize("steps", ORDERS, ids="-".join)
def test_what_we_send_it_takes_and_we_believe_its_receipt(
    hub_kit: Kit, hub_serve: Serve, peer: Peer, steps: tuple[Step, ...], digest: str
) -> None:
    signs = "sign" in steps
    got, receipt = sent(hub_kit, hub_serve, peer, steps=steps, digest=digest, receipt_signed=signs)

    assert (got["status"], got["error"]) == ("processed", "")
    assert base64.b64decode(got["payload"]) == EDI
    assert got["facts"][:3] == [signs, "encrypt" in steps, "compress" in steps]
    assert b"multipart/report" in receipt


@pytest.mark.parametrize("cipher", ["aes128-cbc", "aes192-cbc", "aes256-cbc"])
def test_our_ciphers_are_taken_by_it(hub_kit: Kit, hub_serve: Serve, peer: Peer, cipher: str) -> None:
    got, _ = sent(hub_kit, hub_serve, peer, cipher=cipher)

    assert base64.b64decode(got["payload"]) == EDI


def test_its_refusal_is_ours_to_read(hub_kit: Kit, hub_serve: Serve, peer: Peer) -> None:
    with pytest.raises(Rejected, match="processed/Error: insufficient-message-security"):
        sent(hub_kit, hub_serve, peer, options={"encrypt": True, "sign": True}, steps=("sign",))


def sent(
    kit: Kit, serve: Serve, peer: Peer, *, options: dict[str, Any] | None = None, **changes: Any
) -> tuple[dict[str, Any], bytes]:
    """Send one document to it; return what it found, and its receipt as we keep it."""
    got: list[dict[str, Any]] = []

    def take(call: Call) -> Answer:
        parsed = peer.ask("parse", headers=dict(call.headers), body=coded(call.body), options=options or {})
        got.append(parsed)
        headers = dict(parsed["headers"])
        kind = headers.pop("Content-Type", "text/plain")
        return Answer(body=base64.b64decode(parsed["body"]), content_type=kind.replace("\n", " "), headers=headers)

    with serve(handler(take)) as url:
        account = As2(settings(url=url, **changes), kit)
        receipt = account.push(Outgoing(key=OUT.key, kind=OUT.kind, body=EDI, content_type=OUT.content_type))
    return got[0], receipt.proof
