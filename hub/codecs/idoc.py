"""SAP IDoc as XML: a control record (EDI_DC40) and segments, one or many IDocs in a file.

The message type (ORDERS, DESADV, INVOIC) is what EDI calls the set, the basic type (ORDERS05) its version; the
partners of the control record are sender and receiver. Source: SAP's IDoc XML format and the record EDI_DC40.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub.codecs.cxml import whole
from hub.codecs.plain import refused
from hub.codecs.plain_xml import read_xml, write_xml
from hub.codecs.xml_parties import one, text_of
from hub.domain.errors import Problem, Rejected
from hub.domain.tree import Decoded
from hub.ports import Frame, Profile

TYPES = {
    "ORDERS": "ORDERS05",
    "ORDRSP": "ORDERS05",
    "ORDCHG": "ORDERS05",
    "DESADV": "DELVRY07",
    "INVOIC": "INVOIC02",
}
"""Message type -> basic type, where an agreement names none."""
_HEAD = re.compile(rb"<(SNDPRT|SNDPRN|RCVPRN|DOCNUM)>\s*([^<>]{1,40}?)\s*</")
_SEGMENT = re.compile(r"[EZY][12]\w+|Z\w+")


class Idoc:
    """The codec `idoc`: each IDoc of a file is a document, {"IDOC": tree}."""

    name = "idoc"
    content_type = "application/xml"
    control_levels = ("interchange",)
    """What numbers are taken for: DOCNUM."""

    def sniff(self, head: bytes) -> bool:
        """Say whether an IDoc begins here."""
        return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<" and re.search(rb"<IDOC[\s>]", head) is not None

    def control_key(self, body: bytes) -> str:
        """Return sender, receiver and number of the first IDoc, from a look at its control record."""
        found: dict[bytes, bytes] = {}
        for name, value in _HEAD.findall(body[:4096]):
            found.setdefault(name, value)
        if not {b"SNDPRN", b"DOCNUM"} <= found.keys():
            return ""
        sender, receiver = found[b"SNDPRN"], found.get(b"RCVPRN", b"")
        return b"".join((sender, b">", receiver, b"/", found[b"DOCNUM"])).decode("utf-8", "replace")

    def frames(self, body: bytes, profile: Profile) -> Sequence[Frame]:
        """Return one frame."""
        return whole(body)

    def decode(self, body: bytes, frame: Frame, profile: Profile) -> Iterator[Decoded]:
        """Yield {"IDOC": tree} for every IDoc of the file; the root names the basic type."""
        found = read_xml(body, profile)
        if isinstance(found, Decoded):
            yield found
            return
        idocs = found.content.get("IDOC") if isinstance(found.content, Mapping) else None
        idocs = [found.content] if found.name == "IDOC" else idocs if isinstance(idocs, list) else [idocs]
        for ordinal, idoc in enumerate(idocs):
            control = one(idoc, "EDI_DC40")
            if isinstance(control, Mapping):
                yield _decoded(idoc, control, ordinal, found.name)
            else:
                yield refused("xml_unexpected", f"{found.name} holds no IDOC with a control record EDI_DC40")

    def encode(self, trees: Sequence[Any], envelope: Mapping[str, Any]) -> bytes:
        """Write IDocs of one type from {"IDOC": tree}; a tree without EDI_DC40 gets it from the envelope."""
        written = [_written(tree, envelope, place) for place, tree in enumerate(trees)]
        types = {str(text_of(each["EDI_DC40"].get("IDOCTYP"))) for each in written}
        if len(types) != 1:
            raise Rejected(f"a file holds IDocs of one type; here are {', '.join(sorted(types)) or 'none'}")
        return write_xml({types.pop(): {"IDOC": written}})


def _decoded(idoc: Any, control: Mapping[str, Any], ordinal: int, root: str) -> Decoded:
    def said(name: str) -> str:
        return text_of(one(control, name))

    return Decoded(
        tree={"IDOC": idoc},
        ordinal=ordinal,
        set=said("MESTYP") or root.rstrip("0123456789"),
        version=said("IDOCTYP") or root,
        sender=f"{said('SNDPRT')}:{said('SNDPRN')}" if said("SNDPRT") else said("SNDPRN"),
        receiver=f"{said('RCVPRT')}:{said('RCVPRN')}" if said("RCVPRT") else said("RCVPRN"),
        test=said("TEST") == "X",
        controls=(said("DOCNUM"), "", ""),
        facts={"extension": said("CIMTYP")},
    )


def _written(tree: Any, envelope: Mapping[str, Any], place: int) -> dict[str, Any]:
    idoc = tree.get("IDOC") if isinstance(tree, Mapping) else None
    if not isinstance(idoc, Mapping):
        raise Rejected([Problem(code="unwritable", path="IDOC", text="the tree of an IDoc begins at IDOC")])
    control = idoc.get("EDI_DC40") or _control(envelope, place)
    segments = {key: value for key, value in idoc.items() if key not in ("EDI_DC40", "@BEGIN")}
    head = {"@BEGIN": "1", "EDI_DC40": {"@SEGMENT": "1", **control}}
    return {**head, **{key: _marked(key, value) for key, value in segments.items()}}


def _marked(name: str, value: Any) -> Any:
    """Put SEGMENT="1" on every segment, as SAP writes it."""
    if isinstance(value, list):
        return [_marked(name, each) for each in value]
    if not isinstance(value, Mapping) or not _SEGMENT.fullmatch(name):
        return value
    return {"@SEGMENT": "1", **{key: _marked(key, each) for key, each in value.items()}}


def _control(envelope: Mapping[str, Any], place: int) -> dict[str, str]:
    message = str(envelope.get("set", ""))
    kind = str(envelope.get("type", "") or TYPES.get(message, ""))
    if not re.fullmatch(r"[A-Za-z]\w{0,29}", kind):
        text = f"no basic type is known for the message type {message!r}; name it as type in the envelope"
        raise Rejected([Problem(code="envelope", path="envelope.type", text=text, value=kind)])
    number = dict(envelope.get("control", {})).get("interchange", 0)
    found = {
        "TABNAM": "EDI_DC40",
        "MANDT": str(envelope.get("client", "")),
        "DOCNUM": str(int(number) + place).zfill(16),
        "DIRECT": "2",
        "TEST": "X" if envelope.get("test") else "",
        "IDOCTYP": kind,
        "CIMTYP": str(envelope.get("extension", "")),
        "MESTYP": message,
        **_party(envelope, "sender", "SND"),
        **_party(envelope, "receiver", "RCV"),
        "CREDAT": str(envelope.get("date", "")),
        "CRETIM": str(envelope.get("time", "")).ljust(6, "0"),
    }
    return {key: value for key, value in found.items() if value}


def _party(envelope: Mapping[str, Any], who: str, prefix: str) -> dict[str, str]:
    kind, mark, number = str(envelope.get(who, "")).rpartition(":")
    if not number.strip():
        text = f"the envelope's {who} is an SAP partner, written as type:number (LI:SUPPLIER7, LS:ERPCLNT100)"
        raise Rejected([Problem(code="envelope", path=f"envelope.{who}", text=text)])
    port = str(envelope.get(f"{who}_port", ""))
    return {f"{prefix}POR": port, f"{prefix}PRT": kind if mark else "LS", f"{prefix}PRN": number.strip()}


CODEC = Idoc()
