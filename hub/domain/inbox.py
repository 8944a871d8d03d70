"""What became of the documents in a message."""

from __future__ import annotations

from typing import Literal

import msgspec

from hub.domain.errors import Problem

MessageState = Literal["received", "duplicate", "quarantined", "framed", "applied", "partly_applied", "rejected"]
DocumentState = Literal["applied", "repeated", "held", "rejected", "waiting"]


class DocumentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One document of a message: what it was, what became of it, under which mapping."""

    id: str
    message_id: str
    ordinal: int
    kind: str
    state: DocumentState
    connection: str
    set_id: str = ""
    partner: str = ""
    mapping_sha: str = ""
    subject_id: str = ""
    reference: str = ""
    result: str = ""
    """JSON that the codec needs to answer for this document (its control numbers and problems)."""


class GroupRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the envelope of a group said, kept once for all its documents: its acknowledgement is made from it."""

    message_id: str
    place: int
    """Position of the group in its message, from 0."""
    facts: dict[str, str]


class FrameRow(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a large message that is decoded alone."""

    message_id: str
    first: int
    start: int
    length: int
    count: int
    context: bytes


class MessageEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a message ended."""

    message_id: str
    state: MessageState
    problems: tuple[Problem, ...] = ()
    envelope: str = ""
