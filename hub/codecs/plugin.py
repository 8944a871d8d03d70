"""Declares the codecs that come with the hub."""

from __future__ import annotations

from collections.abc import Iterable

from hub.codecs.x12.codec import CODEC as X12
from hub.hookspecs import hookimpl
from hub.ports import Codec


@hookimpl
def hub_codecs() -> Iterable[Codec]:
    """Declare x12."""
    yield X12
