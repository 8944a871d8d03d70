"""Speaks for pyas2lib, in its own environment: one JSON request on standard input, one JSON answer on standard output.

Run with .peers/pyas2lib/bin/python. Bytes travel as base64. Actions: `build` a message, `parse` one and answer with its
receipt, `judge` a receipt for a message that was built.
"""

import base64
import json
import re
import sys
from typing import Any

Facts = dict[str, Any]


def load() -> Any:
    """Import pyas2lib. Its oscrypto reads OpenSSL's version with one digit a part, and 3.0.19 has two: widen that."""
    narrow, plain = r"\b(\d\.\d\.\d[a-z]*)\b", re.search

    def search(pattern: str, text: str, flags: int = 0) -> Any:
        return plain(narrow.replace(r"\d", r"\d+") if pattern == narrow else pattern, text, flags)

    re.search = search
    try:
        from pyas2lib import as2
    finally:
        re.search = plain
    return as2


as2 = load()


def organization(facts: Facts) -> Any:
    key = facts["key"].encode()
    return as2.Organization(as2_name=facts["name"], sign_key=key, decrypt_key=key, domain="peer.example")


def partner(facts: Facts) -> Any:
    certificate = facts["certificate"].encode()
    return as2.Partner(
        as2_name=facts["name"],
        verify_cert=certificate,
        encrypt_cert=certificate,
        validate_certs=False,
        **facts.get("options", {}),
    )


def build(given: Facts) -> Facts:
    message = as2.Message(organization(given["us"]), partner(given["them"]))
    message.build(
        base64.b64decode(given["body"]), filename=given.get("filename"), content_type="application/edi-x12",
        message_id=given["id"],
    )  # fmt: skip
    return {"headers": message.headers, "body": coded(message.content), "mic": (message.mic or b"").decode()}


def parse(given: Facts) -> Facts:
    message = as2.Message()
    us, them = organization(given["us"]), partner(given["them"])
    status, exception, mdn = message.parse(raw(given), find_org_cb=lambda _name: us, find_partner_cb=lambda _name: them)
    return {
        "status": status,
        "error": repr(exception[0]) if exception[0] else "",
        "payload": coded(message.content if isinstance(message.content, bytes) else b""),
        "facts": [message.signed, message.encrypted, message.compressed, message.digest_alg],
        "headers": mdn.headers if mdn else {},
        "body": coded(mdn.content) if mdn else "",
    }


def judge(given: Facts) -> Facts:
    message = as2.Message(organization(given["us"]), partner(given["them"]))
    message.mic, message.message_id = given["mic"].encode(), given["id"]
    status, detail = as2.Mdn().parse(
        raw(given), lambda identity, _recipient: message if identity == given["id"] else None
    )
    return {"status": status, "detail": detail or ""}


def raw(given: Facts) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in given["headers"].items())
    return head.encode() + b"\r\n" + base64.b64decode(given["body"])


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


given = json.load(sys.stdin)
json.dump({"build": build, "parse": parse, "judge": judge}[given["action"]](given), sys.stdout)
