"""The order service of `wsdl/orders.wsdl`, in memory and without a SOAP library: the two ends are not the same code.

It checks the password and the schema, makes a new order of every call, and can be told to refuse or to be down.
"""

from __future__ import annotations

import threading
from base64 import b64encode
from pathlib import Path

from lxml import etree

from hub.testing.serve import Answer, Call, Routes

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ORDERS = "urn:example:order-service:1"
SCHEMA = Path(__file__).parent / "wsdl" / "orders.xsd"
USER, PASSWORD = "hub", "demo-soap-password"


class OrderService(Routes):
    """A WSGI app that takes calls at `/soap`."""

    def __init__(self, *, user: str = USER, password: str = PASSWORD) -> None:
        super().__init__()
        self.placed: list[tuple[str, str]] = []
        """(our key, their number), one for every order that was made."""
        self.requests: list[bytes] = []
        """The payload of every call that was read."""
        self.unknown_skus: frozenset[str] = frozenset()
        self.down = False
        self._authorization = "Basic " + b64encode(f"{user}:{password}".encode()).decode()
        self._schema = etree.XMLSchema(etree.parse(str(SCHEMA)))
        self._lock = threading.Lock()
        self.add("POST", "/soap", self._called)

    def _called(self, call: Call) -> Answer:
        if self.down:
            return Answer(status=503, body=b"down", content_type="text/plain")
        if call.headers.get("authorization") != self._authorization:
            return Answer(status=401, body=b"unauthorized", content_type="text/plain")
        payload = _payload(call.body)
        if payload is None:
            return _fault("Client", "Malformed", "this is no SOAP envelope")
        self.requests.append(etree.tostring(payload))
        if not self._schema.validate(payload):
            return _fault("Client", "Invalid", str(self._schema.error_log)[:500])
        if etree.QName(payload).localname == "PlaceOrder":
            return self._place(payload)
        return self._find(_text(payload, "Key"))

    def _place(self, payload: etree._Element) -> Answer:
        skus = [str(each.text) for each in payload.iter(f"{{{ORDERS}}}Sku")]
        unknown = sorted(self.unknown_skus.intersection(skus))
        if unknown:
            return _fault("Client", "UnknownSku", f"unknown SKU {', '.join(unknown)}")
        with self._lock:
            number = f"SO-{len(self.placed) + 1:05}"
            self.placed.append((_text(payload, "Key"), number))
        return _answer("PlaceOrderResponse", OrderNumber=number, Status="OK")

    def _find(self, key: str) -> Answer:
        number = next((number for known, number in self.placed if known == key), "")
        return _answer("FindOrderResponse", OrderNumber=number, Status="OK") if number else _answer("FindOrderResponse")


def _payload(body: bytes) -> etree._Element | None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        found = etree.fromstring(body, parser).find(f"{{{SOAP}}}Body")
    except etree.XMLSyntaxError:
        return None
    return found[0] if found is not None and len(found) else None


def _text(payload: etree._Element, name: str) -> str:
    return str(payload.findtext(f"{{{ORDERS}}}{name}"))


def _answer(name: str, **fields: str) -> Answer:
    made = etree.Element(f"{{{ORDERS}}}{name}", nsmap={"o": ORDERS})
    for field, value in fields.items():
        etree.SubElement(made, f"{{{ORDERS}}}{field}").text = value
    return _enveloped(made, 200)


def _fault(code: str, detail: str, text: str) -> Answer:
    made = etree.Element(f"{{{SOAP}}}Fault", nsmap={"e": SOAP})
    etree.SubElement(made, "faultcode").text = f"e:{code}"
    etree.SubElement(made, "faultstring").text = text
    inner = etree.SubElement(etree.SubElement(made, "detail"), f"{{{ORDERS}}}OrderFault")
    etree.SubElement(inner, f"{{{ORDERS}}}Code").text = detail
    etree.SubElement(inner, f"{{{ORDERS}}}Text").text = text
    return _enveloped(made, 500)


def _enveloped(payload: etree._Element, status: int) -> Answer:
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"e": SOAP})
    etree.SubElement(envelope, f"{{{SOAP}}}Body").append(payload)
    body = etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
    return Answer(status=status, body=body, content_type="text/xml; charset=utf-8")
