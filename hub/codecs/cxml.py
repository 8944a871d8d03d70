"""cXML 1.2: XML with a header of credentials. Who writes names them in the agreement's envelope, as in EDI.

cXML comes with a document type that names a DTD at an address. The DTD is never fetched: a declaration that does
nothing but name one is taken off before the gate, which refuses whatever else it finds of that kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from hub.codecs.frames import Context
from hub.codecs.plain import refused
from hub.codecs.plain_xml import read_xml, write_xml
from hub.codecs.xml_parties import one, text_of
from hub.domain.errors import Problem, Rejected
from hub.domain.tree import Decoded
from hub.ports import Frame, Profile

VERSION = "1.2.040"
_DTDS = {"ConfirmationRequest": "Fulfill", "ShipNoticeRequest": "Fulfill", "InvoiceDetailRequest": "InvoiceDetail"}
_NAMED_DTD = re.compile(rb"<!DOCTYPE\s+cXML\s+SYSTEM\s+(\"[^\"<>&%]*\"|'[^'<>&%]*')\s*>")
_PAYLOAD = re.compile(rb"<cXML\s[^>]*?\bpayloadID\s*=\s*(?:\"([^\"<]{1,200})\"|'([^'<]{1,200})')")
_DEPLOYED = {"test", "T"}


class Cxml:
    """The codec `cxml`: a Request, Response or Message in its envelope."""

    name = "cxml"
    content_type = "text/xml"
    control_levels = ("interchange",)
    """What numbers are taken for: the payload id, one for each document."""

    def sniff(self, head: bytes) -> bool:
        """Say whether the root is cXML."""
        return re.match(rb"\s*(<\?xml|<!DOCTYPE|<cXML)", head.removeprefix(b"\xef\xbb\xbf")) is not None and (
            b"<cXML" in head or b"<!DOCTYPE cXML" in head
        )

    def control_key(self, body: bytes) -> str:
        """Return the payload id, by which a message that comes again is known."""
        found = _PAYLOAD.search(body[:4096])
        return (found[1] or found[2]).decode("utf-8", "replace") if found else ""

    def frames(self, body: bytes, profile: Profile) -> Sequence[Frame]:
        """Return one frame."""
        return whole(body)

    def decode(self, body: bytes, frame: Frame, profile: Profile) -> Iterator[Decoded]:
        """Yield {"cXML": tree}; `set` is the name of the payload, such as OrderRequest."""
        found = read_xml(without_named_dtd(body), profile)
        if isinstance(found, Decoded):
            yield found
        elif found.name != "cXML":
            yield refused("xml_unexpected", f"the root is {found.name}, not cXML", value=found.name)
        else:
            yield _decoded(found.content)

    def encode(self, trees: Sequence[Any], envelope: Mapping[str, Any]) -> bytes:
        """Write one document from {"cXML": tree}; a tree without Header gets it from the envelope."""
        if len(trees) != 1:
            raise Rejected(f"cXML holds one document; {len(trees)} were given")
        content = trees[0].get("cXML") if isinstance(trees[0], Mapping) else None
        if not isinstance(content, Mapping) or len(trees[0]) != 1:
            raise Rejected([Problem(code="unwritable", path="cXML", text="the tree of a cXML document begins at cXML")])
        if "Header" not in content:
            content = _enveloped(content, envelope)
        dtd = _DTDS.get(_payload(content), "cXML")
        version = content.get("@version", VERSION)
        address = f"http://xml.cXML.org/schemas/cXML/{version}/{dtd}.dtd"
        if not re.fullmatch(r"[\w.:/-]+", address):
            raise Rejected([Problem(code="unwritable", path="cXML.@version", text="not a version", value=str(version))])
        return write_xml({"cXML": content}, f'<!DOCTYPE cXML SYSTEM "{address}">\n')


def without_named_dtd(body: bytes) -> bytes:
    """Blank out a document type that only names a DTD; offsets stay what they were."""
    found = _NAMED_DTD.search(body[:4096])
    return body if found is None else body[: found.start()] + b" " * len(found[0]) + body[found.end() :]


def whole(body: bytes) -> Sequence[Frame]:
    """Return a message with an envelope of its own as one frame."""
    context = msgspec.msgpack.encode(Context(offset=0, first=0, spans=[], envelopes=[]))
    return [Frame(offset=0, length=len(body), first=0, count=1, context=context)]


def _decoded(content: Any) -> Decoded:
    header, request = one(content, "Header"), _body(content)
    _forget_secrets(header)
    control = text_of(one(content, "@payloadID"))
    return Decoded(
        tree={"cXML": content},
        set=_payload(content),
        version=text_of(one(content, "@version")),
        sender=_credential(header, "From"),
        receiver=_credential(header, "To"),
        test=text_of(one(request, "@deploymentMode")) in _DEPLOYED,
        controls=(control, "", ""),
    )


def _forget_secrets(header: Any) -> None:
    """Take shared secrets out of a tree: whoever takes the message in has compared them, mappings need none."""
    credentials = one(one(header, "Sender"), "Credential"), *_all(one(header, "Sender"), "Credential")
    for credential in credentials:
        if isinstance(credential, dict):
            credential.pop("SharedSecret", None)


def _all(content: Any, name: str) -> list[Any]:
    found = content.get(name) if isinstance(content, Mapping) else None
    return found if isinstance(found, list) else []


def _body(content: Any) -> Any:
    return next((found for name in ("Request", "Response", "Message") if (found := one(content, name))), None)


def _payload(content: Any) -> str:
    """Return the name of what is asked: the first element of the Request that is no attribute and no status."""
    body = _body(content)
    names = body if isinstance(body, Mapping) else ()
    found = (name for name in names if not name.startswith(("@", "#")) and name != "Status")
    return next(found, "Response" if one(content, "Response") is not None else "")


def _credential(header: Any, role: str) -> str:
    found = one(one(header, role), "Credential")
    identity, domain = text_of(one(found, "Identity")), text_of(one(found, "@domain"))
    return f"{domain}:{identity}" if domain and identity else identity


def _enveloped(content: Mapping[str, Any], envelope: Mapping[str, Any]) -> dict[str, Any]:
    ours, theirs = _written(envelope, "sender"), _written(envelope, "receiver")
    stamp = _timestamp(envelope)
    number = dict(envelope.get("control", {})).get("interchange", "")
    marks = {
        "@payloadID": f"{re.sub(r'[^0-9]', '', stamp[:19])}.{number}@{_host(ours)}",
        "@timestamp": stamp,
        "@version": VERSION,
        "@xml:lang": "en",
    }
    header = {
        "From": {"Credential": ours},
        "To": {"Credential": theirs},
        "Sender": {"Credential": ours, "UserAgent": "order-integration-hub"},
    }
    rest = {key: value for key, value in content.items() if key not in marks}
    if envelope.get("test") and isinstance(rest.get("Request"), Mapping):
        rest["Request"] = {"@deploymentMode": "test", **rest["Request"]}
    return {**marks, **{key: content[key] for key in marks if key in content}, "Header": header, **rest}


def _written(envelope: Mapping[str, Any], who: str) -> dict[str, str]:
    domain, mark, identity = str(envelope.get(who, "")).partition(":")
    if not mark or not identity.strip():
        text = f"the envelope's {who} is a cXML credential, written as domain:identity (NetworkId:AN0100)"
        raise Rejected([Problem(code="envelope", path=f"envelope.{who}", text=text, value=str(envelope.get(who, "")))])
    return {"@domain": domain.strip(), "Identity": identity.strip()}


def _host(ours: Mapping[str, str]) -> str:
    return re.sub(r"[^\w.-]", "-", ours["Identity"])


def _timestamp(envelope: Mapping[str, Any]) -> str:
    day, time = str(envelope.get("date", "")), str(envelope.get("time", "")).ljust(6, "0")
    if not (len(day) == 8 and (day + time).isdigit()):
        raise Rejected([Problem(code="envelope", path="envelope.date", text="a date and time are needed", value=day)])
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{time[:2]}:{time[2:4]}:{time[4:6]}+00:00"


CODEC = Cxml()
