"""A procurement network that sends cXML and answers it with a Status. The connector never imports it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_SENT = re.compile(rb"<SharedSecret>([^<]*)</SharedSecret>")


def requested(payload: str, secret: str, *, payload_id: str = "1@buyer.example", identity: str = "AN1") -> bytes:
    """Return a request as they send it, with their document type and secret."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE cXML SYSTEM "http://xml.cxml.org/schemas/cXML/1.2.045/cXML.dtd">\n'
        f'<cXML payloadID="{payload_id}" timestamp="2026-11-22T10:00:00+00:00"><Header>'
        f'<From><Credential domain="NetworkId"><Identity>{identity}</Identity></Credential></From>'
        '<To><Credential domain="NetworkId"><Identity>AN2</Identity></Credential></To>'
        f'<Sender><Credential domain="NetworkId"><Identity>{identity}</Identity>'
        f"<SharedSecret>{secret}</SharedSecret></Credential></Sender></Header>"
        f"<Request>{payload}</Request></cXML>"
    ).encode()


@dataclass(kw_only=True)
class Network:
    """Takes our documents: keeps what it was sent and answers with `code`."""

    secret: str
    code: int = 200
    taken: list[bytes] = field(default_factory=list)

    def answer(self, body: bytes) -> bytes:
        """Return the cXML Response to a document."""
        found = _SENT.search(body)
        code = self.code if found and found[1].decode() == self.secret else 401
        if code < 300:
            self.taken.append(body)
        return (
            f'<cXML payloadID="9@network.example" timestamp="2026-11-22T10:00:01+00:00"><Response>'
            f'<Status code="{code}" text="said"/></Response></cXML>'
        ).encode()
