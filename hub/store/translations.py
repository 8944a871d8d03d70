"""Compiled mappings by name: the published text where there is one, else the file that came with the hub."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hub.domain.config import Config
from hub.domain.errors import Paused, Rejected
from hub.ports import Function
from hub.store.store import Store
from hub.translate import mapfile
from hub.translate.compile import Compiled, compile_mapping


class Translations:
    """Compiles each mapping once per published version."""

    def __init__(
        self,
        store: Store,
        config: Callable[[], Config],
        roots: Sequence[Path],
        functions: Mapping[str, Function],
    ) -> None:
        self.store = store
        self.roots = tuple(roots)
        self._config = config
        self._functions = dict(functions)
        self._compiled: dict[tuple[str, str], Compiled] = {}
        self._guard = threading.Lock()

    def __call__(self, name: str) -> Compiled:
        """Return a compiled mapping; Paused says which mapping is missing or broken."""
        key = (name, self._config().published.get(name, ""))
        found = self._compiled.get(key)
        if found is not None:
            return found
        with self._guard:
            found = self._compiled[key] = self._compile(*key)
            return found

    def _compile(self, name: str, sha256: str) -> Compiled:
        try:
            mapping = mapfile.loads(self._text(sha256)) if sha256 else mapfile.load(self.roots, name)
            return compile_mapping(mapping, self._functions)
        except Rejected as error:
            raise Paused(f"mapping {name} cannot be used: {error}") from error

    def _text(self, sha256: str) -> str:
        row = self.store.read(lambda db: db.one("SELECT text FROM mappings WHERE sha256 = :sha", sha=sha256))
        if row is None:
            raise Rejected(f"its published version {sha256[:12]} is not in the database")
        return str(row[0])
