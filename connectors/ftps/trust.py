"""Whom we believe to be their server: authorities, or certificates by their fingerprint."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from collections.abc import Sequence
from typing import Literal

from hub.sdk import Kit, Paused

HEX = 64
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def context_for(
    authorities: Sequence[str], fingerprints: Sequence[str], highest: Literal["1.2", "1.3"], kit: Kit
) -> ssl.SSLContext:
    """Return how TLS is spoken: 1.2 or later; Paused where a certificate or a fingerprint cannot be read."""
    context = ssl.create_default_context() if not authorities else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_2, VERSIONS[highest]
    for authority in authorities:
        try:
            if "-----BEGIN" in authority:
                context.load_verify_locations(cadata=authority)
            else:
                context.load_verify_locations(cafile=kit.path(authority))
        except (ssl.SSLError, OSError) as error:
            raise Paused(
                f"{kit.connection}: {authority[:80]!r} in authorities is no certificate in PEM form"
            ) from error
    if fingerprints:
        wrong = [each for each in fingerprints if len(plain(each)) != HEX]
        if wrong:
            raise Paused(f"{kit.connection}: {wrong[0][:80]!r} in fingerprints is not a SHA-256 fingerprint in hex")
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def shown(sock: ssl.SSLSocket) -> str:
    """Return the fingerprint of the certificate at the other end, in hex."""
    certificate = sock.getpeercert(binary_form=True)
    return hashlib.sha256(certificate).hexdigest() if certificate else ""


def is_pinned(sock: ssl.SSLSocket, fingerprints: Sequence[str]) -> bool:
    """Say whether the certificate at the other end is one of those that we know."""
    found = shown(sock)
    return any(hmac.compare_digest(found, plain(each)) for each in fingerprints)


def plain(fingerprint: str) -> str:
    """Return a fingerprint without colons, in lower case; empty where it is not hex."""
    text = fingerprint.strip().removeprefix("SHA256:").removeprefix("sha256:").replace(":", "").lower()
    return text if not text.strip("0123456789abcdef") else ""
