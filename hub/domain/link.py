"""Our id and theirs."""

from __future__ import annotations

from typing import Literal

import msgspec

LinkRole = Literal["primary", "secondary"]


class Link(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """(connection, kind, external id) names one of our records; the reverse is unique while the role is primary."""

    connection: str
    kind: str
    external_id: str
    our_id: str
    role: LinkRole = "primary"
