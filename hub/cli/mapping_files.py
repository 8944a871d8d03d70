"""Mapping files as commands find them: below the configuration folder first, then ours and those of plug-ins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hub import plugins
from hub.bootstrap import mapping_roots
from hub.domain.errors import Problem, Rejected
from hub.ports import Codec, Connector, Function
from hub.settings import HubSettings
from hub.translate import mapfile
from hub.translate.compile import Compiled, compile_mapping


@dataclass(frozen=True, kw_only=True)
class Kinds:
    """What plug-ins declare, and where mapping files lie."""

    loaded: plugins.Loaded
    connectors: dict[str, Connector]
    codecs: dict[str, Codec]
    functions: dict[str, Function]
    roots: tuple[Path, ...]

    def compiled(self, name: str) -> Compiled:
        """Load and compile a mapping file; Rejected names every fault with file and line."""
        return compile_mapping(mapfile.load(self.roots, name.removesuffix(".toml")), self.functions)

    def mappings(self, names: Iterable[str]) -> list[mapfile.Mapping]:
        """Load mapping files; Rejected names every one that does not load."""
        found, problems = [], list[Problem]()
        for name in names:
            try:
                found.append(mapfile.load(self.roots, name))
            except Rejected as error:
                problems += error.problems
        if problems:
            raise Rejected(problems)
        return found

    def codec(self, name: str) -> Codec:
        """Return a codec by name."""
        if name not in self.codecs:
            raise Rejected(f"there is no codec {name!r}; there are {', '.join(sorted(self.codecs))}")
        return self.codecs[name]


def kinds(settings: HubSettings) -> Kinds:
    """Load the plug-ins of this hub."""
    loaded = plugins.load_plugins(allowed=settings.plugins)
    own = settings.config / "mappings"
    return Kinds(
        loaded=loaded,
        connectors=plugins.declared(loaded.manager, "hub_connectors"),
        codecs=plugins.declared(loaded.manager, "hub_codecs"),
        functions=plugins.declared(loaded.manager, "hub_functions"),
        roots=(*([own] if own.is_dir() else []), *mapping_roots(loaded)),
    )
