"""The ASN.1 structures of CMS (RFC 5652), from one place, and how certificates are named in them."""

from __future__ import annotations

from typing import Any

from asn1crypto import cms, core, parser, x509  # type: ignore[import-untyped]

from connectors.as2.keys import Certificate

__all__ = ["GcmParameters", "cms", "core", "identifier", "means", "parser", "words_of", "x509"]


class GcmParameters(core.Sequence):  # type: ignore[misc]
    """RFC 5084 3.2: the nonce, and how many octets the tag has (12 where it is not said)."""

    _fields = [("nonce", core.OctetString), ("tag_length", core.Integer, {"default": 12})]  # noqa: RUF012


def identifier(certificate: Certificate) -> Any:
    """Return a certificate's issuer and serial number, as signers and recipients are named."""
    return cms.IssuerAndSerialNumber(
        {"issuer": x509.Name.load(certificate.issuer), "serial_number": certificate.serial}
    )


def means(named: Any, certificate: Certificate) -> bool:
    """Say whether a SignerIdentifier or RecipientIdentifier names this certificate."""
    chosen = named.chosen
    if named.name == "subject_key_identifier":
        return bool(certificate.key_id) and bool(chosen.native == certificate.key_id)
    return bool(chosen["serial_number"].native == certificate.serial and chosen["issuer"].dump() == certificate.issuer)


def words_of(named: Any) -> str:
    """Return a SignerIdentifier or RecipientIdentifier for people."""
    chosen = named.chosen
    if named.name == "subject_key_identifier":
        return f"key {chosen.native.hex()}"
    return f"serial {chosen['serial_number'].native:x} of {chosen['issuer'].human_friendly[:120]}"
