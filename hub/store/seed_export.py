"""The configuration written back as files. A file that says the same already keeps its layout and its comments."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hub.domain.config import Config
from hub.store import seed_goods
from hub.store.config import agreement_name, load_config
from hub.store.db import Db
from hub.store.seed_files import ItemSeed, ListingSeed, LocationSeed, Seed, Seeds, read_folder
from hub.store.strict import canonical
from hub.store.toml_text import section

_ORDER = ("partner", "connection", "agreement", "route", "location", "item")


def gather(db: Db) -> Seeds:
    """Return all that the database holds, each record with the file it would be in where no file has it yet."""
    config = load_config(db)
    found = [*_of_config(config), *_of_goods(seed_goods.everything(db))]
    return Seeds(
        records=tuple(Seed(kind=kind, name=name, doc=canonical(value), file=file, value=value)
                      for kind, name, value, file in found)
    )  # fmt: skip


def export(seeds: Seeds, folder: Path) -> list[str]:
    """Write what was gathered into a folder and return the names of the files that changed, removed ones too.

    A record stays in the file that has it. Opening stock is history, not configuration: stock.csv is left alone.
    """
    before = read_folder(folder) if folder.is_dir() else Seeds()
    homes = {(seed.kind, seed.name): seed.file for seed in before.records}
    old, new = _by_file(before.records, {}), _by_file(seeds.records, homes)
    changed = [file for file in sorted({*old, *new}) if _docs(old.get(file, ())) != _docs(new.get(file, ()))]
    texts = {file: _text(file, new[file]) for file in changed if file in new}
    for file in changed:
        _put(folder / file, texts.get(file))
    return changed


def _put(path: Path, text: str | None) -> None:
    """Write beside and rename, so that a reader sees the whole file or the one before; None removes it."""
    if text is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _of_config(config: Config) -> Iterator[tuple[str, str, Any, str]]:
    if config.seller.name:
        yield "seller", "seller", config.seller, "hub.toml"
    for key, setting in config.settings.items():
        yield "setting", key, setting, "hub.toml"
    for route in config.routes:
        yield "route", route.name, route, "routes.toml"
    for partner in config.partners.values():
        yield "partner", partner.name, partner, f"partners/{partner.name}.toml"
    homes = {}
    for name, connection in config.connections.items():
        known = connection.partner in config.partners
        homes[name] = f"partners/{connection.partner}.toml" if known else f"connections/{name}.toml"
        yield "connection", name, connection, homes[name]
    for agreement in config.agreements:
        home = homes.get(agreement.connection, f"connections/{agreement.connection}.toml")
        yield "agreement", agreement_name(agreement), agreement, home


def _of_goods(goods: Iterable[Any]) -> Iterator[tuple[str, str, Any, str]]:
    for each in goods:
        if isinstance(each, LocationSeed):
            yield "location", each.code, each, "locations.toml"
        elif isinstance(each, ItemSeed):
            yield "item", each.sku, each, "items.toml" if each.extensions else "items.csv"
        elif isinstance(each, ListingSeed):
            yield "listing", f"{each.connection}/{each.sku}", each, "listings.csv"


def _by_file(seeds: Iterable[Seed], homes: Mapping[tuple[str, str], str]) -> dict[str, list[Seed]]:
    found: dict[str, list[Seed]] = {}
    for seed in seeds:
        home = homes.get((seed.kind, seed.name), seed.file)
        if home.endswith(".csv") and getattr(seed.value, "extensions", None):
            home = "items.toml"
        found.setdefault(home, []).append(seed)
    return found


def _docs(seeds: Sequence[Seed]) -> dict[tuple[str, str], str]:
    return {(seed.kind, seed.name): seed.doc for seed in seeds}


def _text(file: str, seeds: Sequence[Seed]) -> str:
    if file.endswith(".csv"):
        return _csv(ItemSeed if file == "items.csv" else ListingSeed, seeds)
    if file == "hub.toml":
        return _hub(seeds)
    partner = next((seed.name for seed in seeds if seed.kind == "partner"), "")
    ordered = sorted(seeds, key=lambda seed: (_ORDER.index(seed.kind), seed.name))
    return "\n".join(_section(seed, partner) for seed in ordered)


def _hub(seeds: Sequence[Seed]) -> str:
    parts = [section("[seller]", _table(seed)) for seed in seeds if seed.kind == "seller"]
    settings = {seed.name: msgspec.to_builtins(seed.value) for seed in seeds if seed.kind == "setting"}
    if settings:
        parts.append(section("[settings]", dict(sorted(settings.items()))))
    return "\n".join(parts)


def _section(seed: Seed, partner: str) -> str:
    """Write one record. In a partner's file the partner goes without saying, and not having one must be said."""
    table = _table(seed)
    if partner and seed.kind in ("connection", "agreement"):
        table["partner"] = seed.value.partner
        if seed.value.partner == partner:
            del table["partner"]
    return section("[partner]" if seed.kind == "partner" else f"[[{seed.kind}]]", table)


def _table(seed: Seed) -> dict[str, Any]:
    """Return the fields in the order in which the record declares them, defaults left out."""
    table: dict[str, Any] = msgspec.json.decode(msgspec.json.Encoder(decimal_format="number").encode(seed.value))
    return table


def _csv(kind: type[Any], seeds: Sequence[Seed]) -> str:
    names = [field.name for field in msgspec.structs.fields(kind) if field.name != "extensions"]
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    for seed in sorted(seeds, key=lambda seed: seed.name):
        writer.writerow({name: msgspec.structs.asdict(seed.value)[name] for name in names})
    return out.getvalue()
