"""Settings: the process's from the environment, a connection's from its configuration."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any

from hub.domain.errors import Problem, Rejected
from hub.kit.fields import ReferredSecret, SettingField, describe_settings, read_settings, revealer

__all__ = [
    "HubSettings", "ReferredSecret", "SettingField", "describe_settings", "hub_settings", "read_settings", "revealer",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class HubSettings:
    """How this process runs. Every field is one environment variable, `HUB_` and its name in capitals."""

    database_url: Annotated[str, "PostgreSQL or SQLite address; empty: SQLite in the var folder"] = ""
    redis_url: Annotated[str, "Redis for the doorbell between processes; empty: within this process"] = ""
    config: Annotated[Path, "Folder of hub.toml, routes.toml, connections/ and partners/"] = Path("config")
    var: Annotated[Path, "Folder for the database, files and keys of this hub"] = Path("var")
    master_key_file: Annotated[Path | None, "File with the key that closes stored secrets; none: var/master.key"] = None
    host: Annotated[str, "Address to listen on"] = "127.0.0.1"
    port: Annotated[int, "Port to listen on, 0 for any"] = 8080
    crash_at: Annotated[str, "For fault tests only: the named point at which this process ends itself"] = ""
    lease: Annotated[float, "Seconds for which a worker holds what it took; a dead worker's work waits so long"] = 60.0
    roots: Annotated[tuple[Path, ...], "Folders outside var that connections may use, separated by ':'"] = ()
    allow_networks: Annotated[tuple[str, ...], "Private networks that all connections may call, by ','"] = ()
    plugins: Annotated[tuple[str, ...] | None, "Third-party plug-ins that may load, by ','; unset: all"] = None

    @property
    def database(self) -> str:
        """Return the database address, SQLite below var where none is set."""
        return self.database_url or f"sqlite:///{self.var / 'hub.db'}"

    @property
    def key_file(self) -> Path:
        """Return the file of the master key."""
        return self.master_key_file or self.var / "master.key"


def hub_settings(environ: Mapping[str, str]) -> HubSettings:
    """Read the process's settings; raises Rejected with every variable that is wrong."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for field in dataclasses.fields(HubSettings):
        name = f"HUB_{field.name.upper()}"
        if name not in environ or (not environ[name] and field.name != "plugins"):
            continue
        try:
            values[field.name] = _FROM_TEXT.get(field.name, str)(environ[name])
        except ValueError as error:
            problems.append(Problem(code="setting", path=name, text=str(error), value=environ[name]))
    if problems:
        raise Rejected(problems)
    return HubSettings(**values)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise ValueError("must be a port number from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.5 <= seconds <= 3600:
        raise ValueError("must be a number of seconds from 0.5 to 3600")
    return seconds


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for part in text.split(",") if (word := part.strip()))


def _networks(text: str) -> tuple[str, ...]:
    return tuple(str(ip_network(word)) for word in _words(text))


def _folders(text: str) -> tuple[Path, ...]:
    folders = tuple(Path(part) for part in text.split(":") if part)
    for folder in folders:
        if not folder.is_absolute():
            raise ValueError(f"{folder} must be an absolute path")
    return folders


_FROM_TEXT: Mapping[str, Callable[[str], Any]] = {
    "config": Path, "var": Path, "master_key_file": Path, "port": _port, "plugins": _words, "roots": _folders,
    "allow_networks": _networks, "lease": _seconds,
}  # fmt: skip
