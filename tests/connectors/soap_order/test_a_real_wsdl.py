"""The WSDL of FedEx's pickup service: paths, credentials as arguments, statuses, and a request that fits its schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from connectors.soap_order import Settings, SoapOrder
from hub.sdk import Outgoing, Rejected, Secret
from hub.testing.fakes import fake_kit
from hub.testing.scripted import Say, Scripted, scripted

WSDL = Path(__file__).parents[3] / ".peers/fedex/wsdl/PickupService_v17.wsdl"
NAMESPACE = "http://fedex.com/ws/pickup/v17"
REPLY = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    '<CreatePickupReply xmlns="http://fedex.com/ws/pickup/v17"><HighestSeverity>{severity}</HighestSeverity>'
    "<Notifications><Severity>{severity}</Severity><Message>{text}</Message></Notifications>"
    "<Version><ServiceId>disp</ServiceId><Major>17</Major><Intermediate>0</Intermediate><Minor>0</Minor></Version>"
    "{more}</CreatePickupReply></e:Body></e:Envelope>"
)
PICKUP: dict[str, Any] = {
    "Version": {"ServiceId": "disp", "Major": 17, "Intermediate": 0, "Minor": 0},
    "OriginDetail": {
        "PickupLocation": {
            "Contact": {"PersonName": "Jo Sample", "PhoneNumber": "9375550100"},
            "Address": {"StreetLines": ["1 Main St", "Dock 4"], "City": "Dayton", "PostalCode": "45402"},
        },
        "ReadyTimestamp": "2026-11-23T09:00:00",
        "CompanyCloseTime": "17:00:00",
    },
    "PackageCount": 3,
    "TotalWeight": {"Units": "LB", "Value": 12.5},
    "CarrierCode": "FDXG",
}


def reply(severity: str, text: str, more: str = "") -> Say:
    body = REPLY.format(severity=severity, text=text, more=more)
    return Say(body=body.encode(), headers={"Content-Type": "text/xml"})


def pickups(far: Scripted, folder: Path) -> SoapOrder:
    if not WSDL.is_file():
        pytest.skip("there is no .peers/fedex/wsdl; it is the folder fedex/wsdl of the source package fedex 2.4.1")
    settings = Settings(
        service_url=f"{far.url}/web-services/pickup",
        wsdl=str(WSDL),
        operation="createPickup",
        arguments={"ClientDetail": {"AccountNumber": "510087000", "MeterNumber": "118000000"}},
        username="a-user-key",
        password=Secret("a-password"),
        user_path="WebAuthenticationDetail.UserCredential.Key",
        password_path="WebAuthenticationDetail.UserCredential.Password",
        key_field="TransactionDetail.CustomerTransactionId",
        reference_field="PickupConfirmationNumber",
        status_field="HighestSeverity",
        accepted=("SUCCESS", "NOTE", "WARNING"),
        text_field="Notifications.Message",
    )
    return SoapOrder(settings, fake_kit(folder, roots=(WSDL.parent,)))


def out() -> Outgoing:
    return Outgoing(key="key-1", kind="order", body=json.dumps(PICKUP).encode())


def test_a_pickup_is_asked_for_and_the_request_fits_their_schema(tmp_path: Path) -> None:
    more = "<PickupConfirmationNumber>CPU-42</PickupConfirmationNumber>"
    with scripted(reply("SUCCESS", "Success", more)) as far:
        receipt = pickups(far, tmp_path).push(out())

    assert receipt.reference == "CPU-42"
    sent = etree.fromstring(far.calls[0].body)
    payload = sent.find("{http://schemas.xmlsoap.org/soap/envelope/}Body")[0]  # type: ignore[index]
    schema = etree.parse(str(WSDL)).find(".//{http://www.w3.org/2001/XMLSchema}schema")
    assert schema is not None
    etree.XMLSchema(etree.fromstring(etree.tostring(schema))).assertValid(payload)
    names = {"f": NAMESPACE}
    assert payload.findtext(".//f:CustomerTransactionId", namespaces=names) == "key-1"
    assert payload.findtext(".//f:UserCredential/f:Password", namespaces=names) == "a-password"
    assert [each.text for each in payload.iterfind(".//f:StreetLines", names)] == ["1 Main St", "Dock 4"]
    assert "authorization" not in far.calls[0].headers


def test_an_answer_that_says_error_is_rejected_with_its_words(tmp_path: Path) -> None:
    said = reply("ERROR", "Pickup date is in the past")
    with scripted(said) as far, pytest.raises(Rejected, match="'ERROR': Pickup date is in the past"):
        pickups(far, tmp_path).push(out())
