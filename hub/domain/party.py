"""Who is concerned, and where they are."""

from __future__ import annotations

from typing import Literal

import msgspec

PartyKind = Literal["customer", "supplier", "trading_partner", "carrier", "self"]
PiiMode = Literal["full", "hash_only", "absent"]


class Identifier(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One name a party is known by in a scheme: GLN, DUNS, VAT, ISA, UNB, EAS, customer_no."""

    scheme: str
    value: str


class Party(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person or company in a role of a document."""

    name: str = ""
    kind: PartyKind = "customer"
    gln: str = ""
    identifiers: tuple[Identifier, ...] = ()
    email: str = ""
    phone: str = ""
    contact: str = ""
    language: str = ""
    vat: str = ""
    pii_mode: PiiMode = "full"
    address: Address | None = None
    """Where the party is registered; goods and invoices go to the addresses of the document."""


class Address(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A postal address; `country` is ISO 3166-1 alpha-2, `region` the part after the country in ISO 3166-2."""

    name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    line3: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    phone: str = ""
    email: str = ""
    gln: str = ""
    latitude: float | None = None
    longitude: float | None = None
