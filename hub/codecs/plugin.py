"""Declares the codecs that come with the hub."""

from __future__ import annotations

from collections.abc import Iterable

from hub.codecs.cxml import CODEC as CXML
from hub.codecs.edifact.codec import CODEC as EDIFACT
from hub.codecs.idoc import CODEC as IDOC
from hub.codecs.plain_csv import CODEC as CSV
from hub.codecs.plain_json import CODEC as JSON
from hub.codecs.plain_xml import CODEC as XML
from hub.codecs.x12.codec import CODEC as X12
from hub.hookspecs import hookimpl
from hub.ports import Codec


@hookimpl
def hub_codecs() -> Iterable[Codec]:
    """Declare x12, edifact, json, cxml, idoc, xml and csv, in the order in which they are sniffed."""
    yield X12
    yield EDIFACT
    yield JSON
    yield CXML
    yield IDOC
    yield XML
    yield CSV
