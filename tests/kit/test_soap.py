"""SOAP with a WSDL on disk, against a scripted server."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from hub.domain.errors import InDoubt, Paused, Rejected
from hub.domain.secret import Secret
from hub.ports import Soap
from hub.testing.fakes import fake_kit
from hub.testing.scripted import Close, Say, Scripted, scripted

WSDL = """<?xml version="1.0"?>
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:orders" targetNamespace="urn:orders" name="Orders">
  {wsdl_import}
  <types><xsd:schema targetNamespace="urn:orders" elementFormDefault="qualified">
    {schema_import}
    <xsd:element name="place"><xsd:complexType><xsd:sequence>
      <xsd:element name="number" type="xsd:string"/><xsd:element name="amount" type="xsd:decimal"/>
    </xsd:sequence></xsd:complexType></xsd:element>
    <xsd:element name="placed"><xsd:complexType><xsd:sequence>
      <xsd:element name="id" type="xsd:int"/><xsd:element name="weight" type="xsd:double"/>
      <xsd:element name="line" type="xsd:string" maxOccurs="unbounded"/>
    </xsd:sequence></xsd:complexType></xsd:element>
  </xsd:schema></types>
  <message name="placeIn"><part name="parameters" element="t:place"/></message>
  <message name="placeOut"><part name="parameters" element="t:placed"/></message>
  <portType name="P"><operation name="place"><input message="t:placeIn"/><output message="t:placeOut"/></operation>
  </portType>
  <binding name="B" type="t:P"><soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="place"><soap:operation soapAction="urn:orders#place"/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation>
  </binding>
  <service name="S"><port name="Port" binding="t:B"><soap:address location="http://10.0.0.1/elsewhere"/></port></service>
</definitions>
"""
ENVELOPE = (
    '<?xml version="1.0"?>{doctype}<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    "{body}</e:Body></e:Envelope>"
)
PLACED = '<placed xmlns="urn:orders"><id>7</id><weight>1.5</weight><line>a</line><line>b</line></placed>'
FAULT = (
    "<e:Fault><faultcode>e:Client</faultcode><faultstring>Unknown number</faultstring>"
    "<detail><code>1102</code></detail></e:Fault>"
)


def say(body: str, *, status: int = 200, doctype: str = "") -> Say:
    text = ENVELOPE.format(body=body, doctype=doctype)
    return Say(status=status, body=text.encode(), headers={"Content-Type": "text/xml; charset=utf-8"})


def soap(partner: Scripted, folder: Path, *, wsdl_import: str = "", schema_import: str = "", top: str = "") -> Soap:
    wsdl = folder / "package" / "orders.wsdl"
    wsdl.parent.mkdir()
    text = WSDL.format(wsdl_import=wsdl_import, schema_import=schema_import)
    wsdl.write_text(text.replace('<?xml version="1.0"?>', f'<?xml version="1.0"?>{top}'))
    kit = fake_kit(folder)
    return kit.soap(str(wsdl), service_url=f"{partner.url}/soap/orders?v=1", basic=("ann", Secret("pw")))


def test_a_call_goes_to_the_settings_address_and_returns_plain_data(tmp_path: Path) -> None:
    with scripted(say(PLACED)) as partner:
        result = soap(partner, tmp_path).call("place", number="A-1", amount=Decimal("12.50"))

    assert result == {"id": 7, "weight": Decimal("1.5"), "line": ["a", "b"]}
    assert type(result) is dict
    call = partner.calls[0]
    assert (call.method, call.path, call.query) == ("POST", "/soap/orders", {"v": "1"})
    assert call.headers["soapaction"] == '"urn:orders#place"'
    assert call.headers["authorization"] == "Basic YW5uOnB3"
    assert b"<ns0:amount>12.50</ns0:amount>" in call.body


@pytest.mark.parametrize("status", [200, 500])
def test_a_fault_is_rejected_with_its_text(tmp_path: Path, status: int) -> None:
    with scripted(say(FAULT, status=status)) as partner, pytest.raises(Rejected, match="Unknown number") as caught:
        soap(partner, tmp_path).call("place", number="A-1", amount=1)
    assert caught.value.problems[0].code == "soap_fault"
    assert "1102" in caught.value.problems[0].text


def test_an_error_page_leaves_doubt(tmp_path: Path) -> None:
    with scripted(Say(status=500, body=b"<html>sorry</html>")) as partner, pytest.raises(InDoubt):
        soap(partner, tmp_path).call("place", number="A-1", amount=1)


def test_garbage_leaves_doubt(tmp_path: Path) -> None:
    with scripted(Say(body=b"\x00\x01 not xml")) as partner, pytest.raises(InDoubt, match="not SOAP"):
        soap(partner, tmp_path).call("place", number="A-1", amount=1)


def test_a_lost_answer_is_in_doubt(tmp_path: Path) -> None:
    with scripted(Close()) as partner, pytest.raises(InDoubt):
        soap(partner, tmp_path).call("place", number="A-1", amount=1)


def test_refused_credentials_pause(tmp_path: Path) -> None:
    with scripted(Say(status=401)) as partner, pytest.raises(Paused):
        soap(partner, tmp_path).call("place", number="A-1", amount=1)


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [("cancel", {}), ("place", {"nummer": "A-1"}), ("place", {"number": "A-1"})],
)
def test_what_the_wsdl_does_not_know_is_rejected_unsent(
    tmp_path: Path, operation: str, arguments: dict[str, str]
) -> None:
    with scripted(say(PLACED)) as partner, pytest.raises(Rejected, match="nothing was sent"):
        soap(partner, tmp_path).call(operation, **arguments)
    assert partner.calls == []


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "/etc/passwd", "../secret.xsd", "http://127.0.0.1:1/x.xsd", "https://evil.example/x.xsd"],
)
@pytest.mark.parametrize("kind", ["wsdl", "schema"])
def test_a_wsdl_that_imports_from_elsewhere_is_refused(tmp_path: Path, location: str, kind: str) -> None:
    (tmp_path / "secret.xsd").write_text('<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema"/>')
    wsdl_import = f'<import namespace="urn:x" location="{location}"/>' if kind == "wsdl" else ""
    schema_import = f'<xsd:import namespace="urn:x" schemaLocation="{location}"/>' if kind == "schema" else ""
    with scripted(say(PLACED)) as partner, pytest.raises(Rejected):
        soap(partner, tmp_path, wsdl_import=wsdl_import, schema_import=schema_import).call("place")
    assert partner.calls == []


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    with scripted(say(PLACED)) as partner:
        client = soap(partner, tmp_path, schema_import='<xsd:import namespace="urn:x" schemaLocation="x.xsd"/>')
        (tmp_path / "package" / "x.xsd").symlink_to("/etc/passwd")
        with pytest.raises(Rejected, match="outside its folder"):
            client.call("place")


def test_a_schema_beside_the_wsdl_is_loaded(tmp_path: Path) -> None:
    with scripted(say(PLACED)) as partner:
        client = soap(partner, tmp_path, schema_import='<xsd:import namespace="urn:x" schemaLocation="x.xsd"/>')
        schema = '<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x"/>'
        (tmp_path / "package" / "x.xsd").write_text(schema)
        assert client.call("place", number="A-1", amount=1)["id"] == 7


@pytest.mark.parametrize(
    "doctype", ['<!DOCTYPE a SYSTEM "file:///etc/passwd">', '<!DOCTYPE a [<!ENTITY b "c">]>', "<!DOCTYPE a>"]
)
def test_a_doctype_is_refused_in_the_wsdl_and_in_the_answer(tmp_path: Path, doctype: str) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with scripted(say(PLACED, doctype=doctype)) as partner:
        with pytest.raises(Rejected, match="DOCTYPE"):
            soap(partner, tmp_path / "one").call("place", number="A-1", amount=1)
        with pytest.raises(Rejected, match="not usable"):
            soap(partner, tmp_path / "two", top=doctype).call("place", number="A-1", amount=1)


def test_opening_reads_nothing(tmp_path: Path) -> None:
    client = fake_kit(tmp_path).soap("/nowhere/x.wsdl", service_url="https://partner.example/soap")
    with pytest.raises(Rejected, match="/nowhere/x"):
        client.call("place")
