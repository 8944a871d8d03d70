"""The closed list of what can be wrong with an EDI set, and what each finding is called in 997, TA1 and CONTRL.

A reader reports `Problem`s with these codes only. The tables turn them into the code of the answer;
the numbers are those of X12 (AK304, AK403, AK502, AK905, TA105) and of UN/EDIFACT data element 0085.
"""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """One kind of problem: where it belongs, its words, and its number in each kind of answer."""

    level: str
    """interchange, group, set, segment or element."""
    text: str
    x12: str
    contrl: str


_ROWS: tuple[tuple[str, str, str, str, str], ...] = (
    ("interchange_header_missing", "interchange", "no interchange header was found", "024", "13"),
    ("interchange_header_damaged", "interchange", "the interchange header is damaged", "022", "12"),
    ("interchange_header_not_padded", "interchange", "the interchange header lacks its fixed widths", "022", "12"),
    ("interchange_trailer_missing", "interchange", "the interchange trailer is missing", "023", "13"),
    ("interchange_control_mismatch", "interchange", "header and trailer carry different control numbers", "001", "28"),
    ("interchange_count_wrong", "interchange", "the trailer's count is not what was received", "021", "29"),
    ("interchange_empty", "interchange", "the interchange holds nothing", "024", "32"),
    ("interchange_too_large", "interchange", "the interchange is larger than agreed", "024", "18"),
    ("group_header_missing", "group", "a group header is missing", "6", "13"),
    ("group_trailer_missing", "group", "the group trailer is missing", "3", "13"),
    ("group_control_mismatch", "group", "header and trailer carry different control numbers", "4", "28"),
    ("group_count_wrong", "group", "the trailer's count of sets is not what was received", "5", "29"),
    ("group_empty", "group", "the group holds no set", "5", "32"),
    ("group_version_unsupported", "group", "this version is not supported", "2", "17"),
    ("set_unsupported", "set", "this set is not supported", "1", "17"),
    ("set_header_missing", "set", "the set header is missing or damaged", "6", "13"),
    ("set_trailer_missing", "set", "the set trailer is missing", "2", "13"),
    ("set_control_mismatch", "set", "header and trailer carry different control numbers", "3", "28"),
    ("set_count_wrong", "set", "the trailer's count of segments is not what was received", "4", "29"),
    ("set_control_repeated", "set", "this set control number was used before in the group", "23", "26"),
    ("set_control_missing", "set", "the set control number is missing", "7", "13"),
    ("set_too_large", "set", "the set has more segments than agreed", "5", "18"),
    ("set_undecodable", "set", "the bytes are not in the agreed character set", "5", "21"),
    ("segment_unknown", "segment", "this segment is not part of the set", "1", "15"),
    ("segment_out_of_order", "segment", "this segment stands in the wrong place", "7", "15"),
    ("segment_missing", "segment", "a required segment is missing", "3", "13"),
    ("segment_repeated", "segment", "this segment stands more often than allowed", "5", "35"),
    ("segment_forbidden", "segment", "the guide forbids this segment", "2", "15"),
    ("segment_damaged", "segment", "this segment cannot be read", "1", "12"),
    ("loop_repeated", "segment", "this loop stands more often than allowed", "4", "36"),
    ("hierarchy_parent_missing", "segment", "the parent of this hierarchy level does not exist", "8", "12"),
    ("hierarchy_id_repeated", "segment", "this hierarchy number was used before", "8", "12"),
    ("element_missing", "element", "a required element is missing", "1", "13"),
    ("element_condition", "element", "this element is required beside the others that are there", "2", "48"),
    ("element_unexpected", "element", "the segment has more elements than it may have", "3", "16"),
    ("element_too_short", "element", "the value is too short", "4", "40"),
    ("element_too_long", "element", "the value is too long", "5", "39"),
    ("element_character", "element", "the value has a character that is not allowed", "6", "21"),
    ("element_number", "element", "the value is not a number", "6", "37"),
    ("element_code", "element", "the guide does not list this code", "7", "12"),
    ("element_date", "element", "the value is not a date", "8", "12"),
    ("element_time", "element", "the value is not a time", "9", "12"),
    ("element_forbidden", "element", "the guide forbids this element", "10", "15"),
    ("component_unexpected", "element", "the element has more components than it may have", "13", "16"),
    ("total_wrong", "element", "this total is not what was counted", "7", "29"),
)  # fmt: skip

FINDINGS: dict[str, Finding] = {code: Finding(*rest) for code, *rest in _ROWS}
UNKNOWN = Finding("set", "something is wrong", "5", "18")


def finding(code: str) -> Finding:
    """Return what is known of a code; a code from elsewhere counts as an error of its set."""
    return FINDINGS.get(code, UNKNOWN)
