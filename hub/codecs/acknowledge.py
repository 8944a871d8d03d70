"""One door to the functional acknowledgements of every syntax."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.codecs.answers import Answer, SetResult, Verdict
from hub.codecs.edifact import answers as edifact
from hub.codecs.x12 import answers as x12
from hub.domain.tree import Decoded


def functional_acknowledgement(facts: Mapping[str, str], results: Sequence[SetResult], kind: str = "") -> Answer | None:
    """Make the 997 or CONTRL of one group from stored rows, or the 999 where `kind` says so; None where none is due.

    `facts` is `Decoded.facts` of any set of the group, `results` one `SetResult` for each of its sets.
    """
    if facts.get("syntax") == "x12":
        return x12.functional_acknowledgement(facts, results, "999" if kind == "999" else "997")
    if facts.get("syntax") == "edifact":
        return edifact.functional_acknowledgement(facts, results)
    return None


def interchange_acknowledgement(facts: Mapping[str, str], *, rejected: bool = False) -> Answer | None:
    """Make the TA1 of an X12 interchange where one is asked for or due; other syntaxes have none."""
    if facts.get("syntax") != "x12":
        return None
    return x12.interchange_acknowledgement(facts, rejected=rejected)


def read_acknowledgement(decoded: Decoded) -> list[Verdict]:
    """Read an inbound 997, 999, TA1 or CONTRL as verdicts on what we sent; anything else says nothing."""
    if decoded.facts.get("syntax") == "x12":
        return x12.read_acknowledgement(decoded)
    if decoded.facts.get("syntax") == "edifact":
        return edifact.read_acknowledgement(decoded)
    return []
