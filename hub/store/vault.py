"""Secrets at rest: AES-256-GCM, each with its own nonce, bound to its name and version, under keys from one file.

The key file holds one base64 key of 32 bytes a line. The first closes new secrets; the others still open old ones and
the backups made under them. Lines that begin with `#` are notes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.domain.connection import Sealed
from hub.domain.errors import Paused, Problem, Rejected
from hub.store import audit
from hub.store.config import bump_version
from hub.store.db import Db
from hub.store.store import Store

log = logging.getLogger(__name__)
_NONCE = 12
_HELD_SECONDS = 5.0


class Keys:
    """The master keys: the current one first."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)
        self.current = next(iter(self._keys))

    def __contains__(self, key_id: object) -> bool:
        return key_id in self._keys

    def seal(self, name: str, version: int, value: str) -> Sealed:
        """Close a value under the current key; it opens only under the same name and version."""
        nonce = os.urandom(_NONCE)
        ciphertext = AESGCM(self._keys[self.current]).encrypt(nonce, value.encode(), _bound_to(name, version))
        return Sealed(key_id=self.current, nonce=nonce, ciphertext=ciphertext)

    def open(self, name: str, version: int, sealed: Sealed) -> str:
        """Open a value; raises Paused where its key is not at hand or the row was tampered with."""
        key = self._keys.get(sealed.key_id)
        if key is None:
            raise Paused(
                f"secret {name} was closed with master key {sealed.key_id}; put that key back into the key file"
            )
        try:
            return AESGCM(key).decrypt(sealed.nonce, sealed.ciphertext, _bound_to(name, version)).decode()
        except InvalidTag as error:
            raise Paused(f"secret {name} does not open: its row was changed or moved; set the secret again") from error


def _bound_to(name: str, version: int) -> bytes:
    return f"{name}:{version}".encode()


def read_keys(file: Path, *, create: bool = True) -> Keys:
    """Read the key file; at the first start make it with one new key, readable by this user only."""
    if create and not file.exists():
        _create(file, _line(secrets.token_bytes(32)))
    try:
        lines = file.read_text(encoding="ascii").splitlines()
    except OSError as error:
        text = f"cannot be read ({error.strerror}); restore it from where you keep its copy, or set HUB_MASTER_KEY_FILE"
        raise Rejected([Problem(code="master_key", path=str(file), text=text)]) from error
    if file.stat().st_mode & 0o077:
        log.warning("%s can be read by other users of this machine; run chmod 600 on it", file)
    keys = [_key(line, file, number) for number, line in enumerate(lines, 1) if line.strip() and line[0] != "#"]
    if not keys:
        raise Rejected([Problem(code="master_key", path=str(file), text="holds no key; restore it from its copy")])
    return Keys({key_id(key): key for key in keys})


def add_key(file: Path) -> str:
    """Put a new key first and keep the others below it; returns the new key's id."""
    key = secrets.token_bytes(32)
    old = file.read_text(encoding="ascii")
    beside = file.with_name(f".{file.name}.new")
    beside.unlink(missing_ok=True)
    _write_private(beside, _line(key) + old)
    beside.replace(file)
    return key_id(key)


def key_id(key: bytes) -> str:
    """Return a short name of a key that tells nothing of it."""
    return hashlib.sha256(b"hub master key" + key).hexdigest()[:12]


def _line(key: bytes) -> str:
    return base64.b64encode(key).decode() + "\n"


def _key(line: str, file: Path, number: int) -> bytes:
    try:
        key = base64.b64decode(line.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 32:
        text = "is not a base64 key of 32 bytes; `openssl rand -base64 32` makes one"
        raise Rejected([Problem(code="master_key", path=f"{file}:{number}", text=text)])
    return key


def _create(file: Path, text: str) -> None:
    """Make the file whole or not at all: of two processes that start together, both use the first one's key."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{secrets.token_hex(6)}")
    _write_private(beside, text)
    try:
        os.link(beside, file)
    except FileExistsError:
        log.info("%s was made by another process", file)
    finally:
        beside.unlink()


def _write_private(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


class Vault:
    """The secrets of `vault:` references. Opened values are held for seconds, in memory only."""

    def __init__(
        self,
        store: Store,
        key_file: Path,
        *,
        held_seconds: float = _HELD_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._key_file = key_file
        self._held_seconds = held_seconds
        self._monotonic = monotonic
        self._keys: Keys | None = None
        self._held: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def reveal(self, name: str) -> str | None:
        """Return the value of `vault:<name>`, or None where there is no such secret."""
        now = self._monotonic()
        with self._lock:
            held = self._held.get(name)
        if held is not None and now - held[0] < self._held_seconds:
            return held[1]
        row = self._store.read(lambda db: _row(db, name))
        if row is None:
            return None
        value = self.keys(row[1].key_id).open(name, *row)
        with self._lock:
            self._held[name] = (now, value)
        return value

    def put(self, name: str, value: str, who: str) -> str:
        """Store a secret (`<connection>.<field>`) and return its reference. The old value is gone."""
        keys = self.keys()
        self._store.write(lambda db: put_secret(db, keys, name, value, who))
        with self._lock:
            self._held.pop(name, None)
        return f"vault:{name}"

    def keys(self, wanted: str = "") -> Keys:
        """Return the keys of the file, which is made at the first use and read again where a key is new to us."""
        with self._lock:
            if self._keys is None or (wanted and wanted not in self._keys):
                self._keys = read_keys(self._key_file)
            return self._keys

    def names(self) -> list[str]:
        """Return what secrets there are; never their values."""
        return [row[0] for row in self._store.read(lambda db: db.all("SELECT name FROM secrets ORDER BY name"))]


def put_secret(db: Db, keys: Keys, name: str, value: str, who: str) -> None:
    """Store a secret under the next version, so that an older row cannot be put back in its place unseen."""
    known = db.one("SELECT version FROM secrets WHERE name = :name", name=name)
    version = int(known[0]) + 1 if known else 1
    sealed = keys.seal(name, version, value)
    db.run(
        "INSERT INTO secrets (name, version, key_id, nonce, ciphertext, changed_us) "
        "VALUES (:name, :version, :key, :nonce, :ciphertext, :now) ON CONFLICT (name) DO UPDATE SET "
        "version = excluded.version, key_id = excluded.key_id, nonce = excluded.nonce, "
        "ciphertext = excluded.ciphertext, changed_us = excluded.changed_us",
        name=name, version=version, key=sealed.key_id, nonce=sealed.nonce, ciphertext=sealed.ciphertext,
        now=db.now_us(),
    )  # fmt: skip
    bump_version(db)
    audit.append(db, who, "secret.set", name, "", f"version {version}, key {sealed.key_id}")


def rotate(db: Db, keys: Keys, who: str) -> int:
    """Close every secret again under the current key and return how many were closed under another."""
    lock = " FOR UPDATE" if db.postgres else ""
    sql = f"SELECT name FROM secrets WHERE key_id <> :key ORDER BY name{lock}"
    names = [row[0] for row in db.all(sql, key=keys.current)]
    for name in names:
        row = _row(db, name)
        if row is not None:
            put_secret(db, keys, name, keys.open(name, *row), who)
    audit.append(db, who, "keys.rotate", keys.current, "", f"{len(names)} secrets")
    return len(names)


def _row(db: Db, name: str) -> tuple[int, Sealed] | None:
    row = db.one("SELECT version, key_id, nonce, ciphertext FROM secrets WHERE name = :name", name=name)
    if row is None:
        return None
    return int(row[0]), Sealed(key_id=row[1], nonce=bytes(row[2]), ciphertext=bytes(row[3]))
