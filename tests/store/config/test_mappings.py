"""Publishing: a name points to one text, and a text that was published never changes."""

from __future__ import annotations

from dataclasses import dataclass

from hub.store import mappings
from hub.store.config import load_config
from hub.store.store import Store


@dataclass(frozen=True)
class Resolved:
    name: str
    resolved: str
    sha256: str
    document: str = "order"
    direction: str = "in"


OLD, NEW = Resolved("x12/850.in", "old text", "aa"), Resolved("x12/850.in", "new text", "bb")


def offer(store: Store, mapping: Resolved, *, newer: bool = False) -> str:
    planned = store.read(lambda db: mappings.offers(db, [mapping], publish_newer=newer))
    store.write(lambda db: mappings.publish_offers(db, [mapping], planned, who="tests"))
    return planned[0].state


def test_a_mapping_that_was_never_published_is_published(store: Store) -> None:
    assert offer(store, OLD) == "publish"

    assert store.read(load_config).published == {"x12/850.in": "aa"}
    assert store.read(lambda db: mappings.text_of(db, "aa")) == "old text"
    assert offer(store, OLD) == "same"


def test_a_newer_file_is_on_offer_and_changes_nothing(store: Store) -> None:
    offer(store, OLD)

    assert offer(store, NEW) == "offered"

    assert store.read(load_config).published == {"x12/850.in": "aa"}
    assert store.read(lambda db: mappings.text_of(db, "bb")) is None


def test_publishing_the_newer_one_keeps_the_older_text(store: Store) -> None:
    offer(store, OLD)
    version = store.read(load_config).version

    assert offer(store, NEW, newer=True) == "publish"

    config = store.read(load_config)
    assert (config.published, config.version) == ({"x12/850.in": "bb"}, version + 1)
    assert store.read(lambda db: mappings.text_of(db, "aa")) == "old text"
    assert [(each.sha256, each.holds) for each in store.read(mappings.versions)] == [("bb", True), ("aa", False)]
