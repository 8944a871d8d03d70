"""Take credentials out of what is logged, raised or recorded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

STARS = "***"
_NAMED = re.compile(
    r"(?i)((?:authorization|token|secret|password|passwd|api[_-]?key|signature)[\w-]{0,40}[\"']?\s{0,9}[=:]\s{0,9})"
    r"(\"[^\"]{1,4096}\"|'[^']{1,4096}'|(?:bearer|basic)\s[^\s,;&\"']{1,4096}|[^\s,;&\"'<>]{1,4096})"
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_USERINFO = re.compile(r"(?i)(\b[a-z][a-z0-9+.-]{0,20}://)[^/\s@]{1,300}@")
_PRIVATE_HEADERS = frozenset(
    {
        "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "apikey",
        "x-shopify-access-token", "x-amz-access-token", "x-auth-token", "wm_sec.access_token", "www-authenticate",
    }
)  # fmt: skip
_PRIVATE_WORDS = ("token", "secret", "password", "authorization", "signature", "api-key", "apikey")


def text(value: str, secrets: Iterable[str] = ()) -> str:
    """Return the text with known secrets and everything that looks like a credential replaced by `***`."""
    for secret in secrets:
        if len(secret) >= 4:
            value = value.replace(secret, STARS)
    value = _USERINFO.sub(rf"\1{STARS}@", value)
    value = _BEARER.sub(rf"\1 {STARS}", value)
    return _NAMED.sub(_stars, value)


def headers(given: Mapping[str, str]) -> dict[str, str]:
    """Return header fields with the values of those that prove who we are replaced by `***`."""
    return {name: STARS if is_private(name) else value for name, value in given.items()}


def is_private(name: str) -> bool:
    """Say whether a header or setting of this name holds a credential."""
    lowered = name.lower()
    return lowered in _PRIVATE_HEADERS or any(word in lowered for word in _PRIVATE_WORDS)


def _stars(match: re.Match[str]) -> str:
    value = match[2]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{match[1]}{quote}{STARS}{quote}"
