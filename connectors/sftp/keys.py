"""Keys of theirs that are pinned, and the key of ours: read when they are used, Paused where they cannot be."""

from __future__ import annotations

import base64
import binascii
import hmac
import io
import re
from collections.abc import Iterable
from typing import Any

import paramiko  # type: ignore[import-untyped]

from hub.sdk import Paused, Secret

ALGORITHMS = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}
"""Kind of a key -> the signatures it may prove itself with; SHA-1 is none of them."""
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")
_CLASSES = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


def algorithms_of(pinned: Iterable[str], name: str) -> tuple[str, ...]:
    """Return what their server may prove itself with; all of today's where only fingerprints are known.

    Paused where an entry is neither a fingerprint nor a key.
    """
    kinds: list[str] = []
    entries = [each.split() for each in pinned]
    for words in entries:
        kind, known = _entry(words)
        if not known:
            raise Paused(
                f"{name}: {' '.join(words)[:80]!r} in host_keys is neither a fingerprint (SHA256:…) nor a public key "
                "(ssh-ed25519 AAAA…); ask the partner for it"
            )
        kinds.append(kind)
    if not kinds:
        raise Paused(f"{name}: host_keys is empty; enter their server's key or fingerprint as they told you")
    wanted = list(ALGORITHMS) if "" in kinds else [each for each in ALGORITHMS if each in kinds]
    return tuple(algorithm for kind in wanted for algorithm in ALGORITHMS[kind])


def is_pinned(key: Any, pinned: Iterable[str]) -> bool:
    """Say whether a server's key is one of those that we know."""
    shown = {str(key.fingerprint).rstrip("="), str(key.get_base64()).rstrip("=")}
    known = [_entry(each.split())[1].rstrip("=") for each in pinned]
    return any(hmac.compare_digest(one, other) for one in shown for other in known if other)


def offered(key: Any) -> str:
    """Return a server's key as `host_keys` spells it."""
    return f"{key.get_name()} {key.fingerprint}"


def read_private_key(secret: Secret | None, password: Secret | None, name: str) -> Any:
    """Return our key, None where there is none; Paused where it cannot be read."""
    if secret is None:
        return None
    text = secret.reveal().strip() + "\n"
    for kind in _CLASSES:
        try:
            return kind.from_private_key(io.StringIO(text), password.reveal() if password is not None else None)
        except paramiko.PasswordRequiredException as error:
            raise Paused(f"{name}: private_key has a password; enter private_key_password") from error
        except (paramiko.SSHException, ValueError, TypeError, IndexError):
            continue
    raise Paused(
        f"{name}: private_key cannot be read: it must be an Ed25519, ECDSA or RSA key in OpenSSH's or PEM form, and "
        "private_key_password must fit"
    )


def _entry(words: list[str]) -> tuple[str, str]:
    """Return kind and value of one entry: `[host] kind AAAA…`, `[kind] SHA256:…`; no value where it is neither."""
    kind = next((word for word in words if word in ALGORITHMS), "")
    for word in words:
        if _FINGERPRINT.fullmatch(word) or (kind and word.startswith("AAAA") and _is_base64(word)):
            return kind, word
    return "", ""


def _is_base64(word: str) -> bool:
    try:
        return bool(base64.b64decode(word, validate=True))
    except binascii.Error:
        return False
