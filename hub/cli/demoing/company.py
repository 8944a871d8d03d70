"""The demo company: its configuration with the simulators' addresses filled in, applied to a hub."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from hub.bootstrap import Hub
from hub.cli.demoing.partners import SECRETS
from hub.store import seeds
from hub.store.seed_files import read_folder

_ADDRESS = re.compile(r"@\{(\w+)\}")


def found(hub: Hub, source: Path, addresses: Mapping[str, str]) -> None:
    """Apply the demo's configuration: files win over what an earlier demo left, because addresses are new each time."""
    folder = hub.settings.var / "demo" / "config"
    shutil.rmtree(folder, ignore_errors=True)
    for file in sorted(source.rglob("*")):
        if file.is_file():
            target = folder / file.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = _ADDRESS.sub(lambda match: addresses[match[1]], file.read_text(encoding="utf-8"))
            target.write_text(text, encoding="utf-8")
    for name, value in SECRETS.items():
        if hub.vault.reveal(name) != value:
            hub.vault.put(name, value, "demo")
    read = read_folder(folder)
    hub.store.write(lambda db: seeds.apply(db, read, who="demo", take="file"))
