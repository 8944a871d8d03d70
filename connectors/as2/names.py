"""How AS2 writes things in header fields: names, message ids, wishes for a receipt (RFC 4130 5, 6, 7.3)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.as2.algorithms import from_mime, in_mime

_ATOM = re.compile(r"[!#-\[\]-~]{1,128}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
VERSION = "1.2"
FEATURES = "AS2-Reliability"
AGENT = "order-integration-hub"


def quoted(name: str) -> str:
    """Return an AS2 name as it stands in AS2-From and AS2-To: quoted where it has spaces, quotes or backslashes."""
    if _ATOM.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unquoted(text: str) -> str:
    """Return the name that a field means. Names are compared by case, character by character."""
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def clean(text: str, most: int = 500) -> str:
    """Return text that cannot end a header field."""
    return _CONTROLS.sub(" ", text).strip()[:most]


def message_id(key: str, body: bytes, sender: str) -> str:
    """Return the Message-ID of a delivery: the same over all attempts, another once it was written anew."""
    place = re.sub(r"[^A-Za-z0-9.-]+", "-", sender).strip("-.") or "hub"
    return f"<{key}.{hashlib.sha256(body).hexdigest()[:12]}@{place}>"


def key_of(given: str) -> str:
    """Return the delivery's key that a Message-ID of ours was made from; empty where it has another shape."""
    local = given.strip().strip("<>").partition("@")[0]
    key, dot, _ = local.rpartition(".")
    return key if dot else ""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What receipt a sender asks for (RFC 4130 7.3)."""

    wanted: bool = False
    signed: bool = False
    digests: tuple[str, ...] = ()
    """Ours of those they name, in their order."""
    unmet: bool = False
    """They require a signature protocol or digest that we do not have."""
    deliver_to: str = ""
    """Where an asynchronous receipt goes; empty: it is the answer."""


def wish_of(headers: Mapping[str, str]) -> Wish:
    """Read what receipt a sender asks for; header names in lower case."""
    if not headers.get("disposition-notification-to", "").strip():
        return Wish()
    options = _options(headers.get("disposition-notification-options", ""))
    required, protocols = options.get("signed-receipt-protocol", (False, ()))
    strict, names = options.get("signed-receipt-micalg", (False, ()))
    digests = tuple(dict.fromkeys(each for each in map(from_mime, names) if each))
    strong = tuple(each for each in digests if each not in ("sha1", "md5"))
    known = any(each in ("pkcs7-signature", "x-pkcs7-signature") for each in protocols)
    return Wish(
        wanted=True,
        signed=known,
        digests=strong,
        unmet=(required and bool(protocols) and not known) or (strict and bool(names) and not strong),
        deliver_to=headers.get("receipt-delivery-option", "").strip(),
    )


def _options(text: str) -> dict[str, tuple[bool, tuple[str, ...]]]:
    """Return parameter -> (is it required, values), names and values in lower case."""
    found: dict[str, tuple[bool, tuple[str, ...]]] = {}
    for option in text.split(";")[:10]:
        name, equals, rest = option.partition("=")
        importance, *values = [each.strip().strip('"').lower() for each in rest.split(",")[:20]]
        if equals:
            found[name.strip().lower()] = (importance == "required", tuple(values))
    return found


def wish_fields(sender: str, digests: Sequence[str], *, signed: bool, deliver_to: str = "") -> list[tuple[str, str]]:
    """Return the fields that ask for a receipt; its digest is named in any case, lest SHA-1 is taken."""
    protocol = "signed-receipt-protocol=optional, pkcs7-signature; " if signed else ""
    named = ", ".join(in_mime(each) for each in digests)
    fields = [
        ("Disposition-Notification-To", quoted(sender)),
        ("Disposition-Notification-Options", f"{protocol}signed-receipt-micalg=optional, {named}"),
    ]
    if deliver_to:
        fields.append(("Receipt-Delivery-Option", deliver_to))
    return fields
