"""Which agreement a document comes under, and what the agreements say about its syntax."""

from __future__ import annotations

import pytest

from hub.domain.config import Config
from hub.domain.connection import Agreement, ConnectionConfig
from hub.pipeline import agree


def agreement(*, guide: str = "", options: dict[str, object] | None = None, **match: str) -> Agreement:
    """An inbound agreement of connection `van`."""
    return Agreement(
        connection="van", direction="in", document="order", codec="x12", match=match, guide=guide, options=options or {}
    )


def config(*agreements: Agreement, test: bool = False) -> Config:
    """A configuration with one connection."""
    return Config(
        connections={"van": ConnectionConfig(name="van", connector="folder", test=test)}, agreements=agreements
    )


FACTS = {
    "set": "850",
    "version": "004010VICS",
    "sender": "ZZ:NORTH",
    "receiver": "ZZ:US",
    "test": "false",
    "kind": "order",
}
ENVELOPE = {
    "syntax": "x12", "sender_qualifier": "ZZ", "sender_id": "NORTH", "receiver_qualifier": "ZZ", "receiver_id": "US",
    "usage": "P",
}  # fmt: skip


@pytest.mark.parametrize(
    "match",
    [
        {},
        {"version": "004010"},
        {"version": "004010VICS"},
        {"sender": "NORTH"},
        {"sender": "ZZ:NORTH", "receiver": "US", "set": "850"},
        {"test": "false"},
        {"kind": "order"},
    ],
)
def test_an_agreement_takes_what_all_of_its_keys_fit(match: dict[str, str]) -> None:
    assert agree.agrees(agreement(**match), FACTS, test=False)


@pytest.mark.parametrize(
    "match", [{"version": "005010"}, {"sender": "01:NORTH"}, {"sender": "NORT"}, {"set": "860"}, {"test": "true"}]
)
def test_an_agreement_takes_nothing_that_one_of_its_keys_does_not_fit(match: dict[str, str]) -> None:
    assert not agree.agrees(agreement(**match), FACTS, test=False)


def test_a_test_comes_under_agreements_and_connections_for_tests_only() -> None:
    facts = {**FACTS, "test": "true"}

    assert not agree.agrees(agreement(), facts, test=False)
    assert agree.agrees(agreement(), facts, test=True)
    assert agree.agrees(agreement(test="true"), facts, test=False)


def test_an_interchange_is_taken_by_its_parties_whatever_its_sets() -> None:
    ours = config(agreement(set="850", sender="NORTH"), agreement(set="850", sender="SOUTH"))

    found = agree.serving(ours, "van", "x12", ENVELOPE)

    assert [each.match["sender"] for each in found] == ["NORTH"]


def test_guides_are_named_by_the_set_they_are_for() -> None:
    ours = config(
        agreement(guide="x12/850-004010", sender="NORTH", set="850"),
        agreement(guide="x12/860-004010", sender="NORTH"),
        agreement(guide="x12/850-005010", sender="SOUTH", set="850"),
    )

    profile = agree.profile(ours, ours.connections["van"], "x12", ENVELOPE)

    assert profile.options["guides"] == {"850": "x12/850-004010", "860": "x12/860-004010"}


def test_options_of_the_first_agreement_hold() -> None:
    ours = config(agreement(options={"charset": "latin-1"}), agreement(options={"charset": "utf-8", "delimiter": ";"}))

    profile = agree.profile(ours, ours.connections["van"], "x12", None)

    assert (profile.charset, profile.options["delimiter"]) == ("latin-1", ";")


def test_an_unknown_party_is_named_with_what_to_do() -> None:
    problem = agree.unknown_party("van", {**ENVELOPE, "usage": "T"})

    assert problem.code == "unknown_party"
    assert problem.text == (
        "an interchange from ZZ:NORTH to ZZ:US, which is a test, came to connection van, "
        "which has no inbound agreement for them; set them up, then replay the message"
    )
