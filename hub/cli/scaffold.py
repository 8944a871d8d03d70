"""The first files of a connector or a partner, from the templates beside this file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from hub.domain.errors import Problem, Rejected

_TEMPLATES = Path(__file__).parent / "templates"
_NAME = re.compile(r"[a-z][a-z0-9_]{1,40}")
_SYNTAXES: Mapping[str, Mapping[str, str]] = {
    "x12": {
        "order_set": "850", "order_guide": "x12/850-004010", "order_mapping": "x12/850.in", "answer": "997",
        "shipment_mapping": "x12/856.out",
        "envelope": '{ sender = "ZZ:OURID", receiver = "@id@", version = "00401", group = "004010" }',
    },
    "edifact": {
        "order_set": "ORDERS", "order_guide": "edifact/ORDERS-D96A", "order_mapping": "edifact/orders.in",
        "answer": "CONTRL", "shipment_mapping": "edifact/desadv.out",
        "envelope": '{ sender = "14:OURGLN", receiver = "@id@", message_version = "D:96A:UN" }',
    },
}  # fmt: skip
_ORDER = """{
  "number": "1001",
  "lines": [
    {
      "line_no": "1",
      "ordered": "2",
      "sku": {"seller": "MUG-1"},
      "description": "Mug",
      "unit_price": "12.00"
    }
  ],
  "external_id": "1001",
  "currency": "EUR",
  "buyer": {"name": "Ann Example", "email": "ann@example.com"},
  "ship_to": {
    "name": "Ann Example", "line1": "1 Sample Street", "city": "Sampleton", "postal_code": "10001", "country": "DE"
  },
  "totals": {"grand": "24.00"}
}
"""


def name_of(text: str) -> str:
    """Return a name that can stand in tables, addresses and file names; Rejected says what one looks like."""
    if not _NAME.fullmatch(text):
        told = f"{text!r} must be small letters, digits and _, beginning with a letter, 2 to 41 characters"
        raise Rejected([Problem(code="name", path="name", value=text, text=told)])
    return text


def connector_files(name: str) -> dict[str, str]:
    """Return file -> text of a new connector."""
    names = _names(name)
    home = {
        f"connectors/{name}/__init__.py": "__init__.py", f"connectors/{name}/simulator.py": "simulator.py",
        f"connectors/{name}/README.md": "README.md", f"mappings/{name}/order.in.toml": "order.in.toml",
        f"mappings/{name}/samples/order.json": "order.json", f"tests/connectors/{name}/test_{name}.py": "test.py",
    }  # fmt: skip
    files = {file: _filled("connector", template, names) for file, template in home.items()}
    return {**files, f"mappings/{name}/samples/order.order.json": _ORDER}


def partner_files(name: str, syntax: str, partner_id: str) -> dict[str, str]:
    """Return file -> text of a new partner who speaks EDI through a folder."""
    names = {**_SYNTAXES[syntax], **_names(name), "syntax": syntax, "id": partner_id}
    return {
        f"partners/{name}.toml": _filled("partner", "partner.toml", names),
        f"mappings/partners/{name}/order.in.toml": _filled("partner", "order.in.toml", names),
    }


def write_new(root: Path, files: Mapping[str, str] | Mapping[str, bytes]) -> list[Path]:
    """Write files that are not there yet; where one is, nothing is written and Rejected names all that are."""
    taken = [file for file in files if (root / file).exists()]
    if taken:
        raise Rejected(
            [Problem(code="taken", path=file, text="is there already; choose another name") for file in taken]
        )
    for file, text in files.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    return [root / file for file in files]


def _names(name: str) -> dict[str, str]:
    words = [word.capitalize() for word in name.split("_") if word]
    return {"name": name, "Title": " ".join(words), "Class": "".join(words)}


def _filled(folder: str, template: str, names: Mapping[str, str]) -> str:
    text = (_TEMPLATES / folder / f"{template}.txt").read_text(encoding="utf-8")
    for _ in range(2):
        for key, value in names.items():
            text = text.replace(f"@{key}@", value)
    return text
