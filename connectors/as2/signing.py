"""SignedData (RFC 5652 5): sign with RSA; verify against pinned certificates, never those that a message brings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, utils

from connectors.as2.algorithms import HASHES, check_strength, digest_of
from connectors.as2.asn1 import cms, core, identifier, means, words_of, x509
from connectors.as2.failures import Unusable, reading
from connectors.as2.keys import Certificate, Identity

MOST_SIGNERS = 8


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A signature that was verified: the bytes it covers, its digest, and whose it is."""

    content: bytes
    digest: str
    certificate: Certificate


def sign(
    content: bytes, identity: Identity, digest: str, *, detached: bool = True, at: datetime | None = None
) -> bytes:
    """Return SignedData over bytes, DER. Without `at` (the signing time) the same bytes give the same signature."""
    attributes = [
        _attribute("content_type", "data"),
        _attribute("message_digest", digest_of(content, digest)),
        *([_attribute("signing_time", cms.Time({"utc_time": core.UTCTime(at)}))] if at else []),
    ]
    signed = cms.CMSAttributes(sorted(attributes, key=lambda each: bytes(each.dump())))
    signature = identity.key.sign(signed.dump(), padding.PKCS1v15(), HASHES[digest])
    certificate = identity.certificate
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": {"issuer_and_serial_number": identifier(certificate)},
            "digest_algorithm": {"algorithm": digest, "parameters": core.Null()},
            "signed_attrs": signed,
            "signature_algorithm": {"algorithm": "rsassa_pkcs1v15", "parameters": core.Null()},
            "signature": signature,
        }
    )
    encapsulated = {"content_type": "data"} if detached else {"content_type": "data", "content": content}
    data = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [{"algorithm": digest, "parameters": core.Null()}],
            "encap_content_info": encapsulated,
            "certificates": [cms.CertificateChoices("certificate", x509.Certificate.load(certificate.der))],
            "signer_infos": [signer],
        }
    )
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": data}).dump())


def _attribute(name: str, value: Any) -> Any:
    return cms.CMSAttribute({"type": name, "values": [value]})


def verify(
    data: Any,
    detached: bytes | None,
    certificates: Sequence[Certificate],
    *,
    at: datetime,
    weak: Collection[str] = (),
    expired: bool = False,
) -> Signed:
    """Verify SignedData (asn1crypto) against pinned certificates; `detached` is the content that stands outside.

    Raises Unusable: authentication-failed where no signer is ours to trust, integrity-check-failed where the bytes
    are not those that were signed.
    """
    with reading("the signature"):
        content = detached if detached is not None else _content(data)
        signers = list(data["signer_infos"])[:MOST_SIGNERS]
        matched = [
            (each, certificate) for each in signers for certificate in certificates if means(each["sid"], certificate)
        ]
    if not matched:
        raise _stranger(signers, certificates)
    failure: Unusable | None = None
    for signer, certificate in matched:
        try:
            return _verify_one(signer, certificate, content, at=at, weak=weak, expired=expired)
        except Unusable as error:
            failure = failure or error
    assert failure is not None
    raise failure


def _content(data: Any) -> bytes:
    content = data["encap_content_info"]["content"]
    value = content.native
    if not isinstance(value, bytes):
        raise ValueError("it has no content of its own")
    return value


def _stranger(signers: Sequence[Any], certificates: Sequence[Certificate]) -> Unusable:
    with reading("the signer"):
        named = ", ".join(words_of(each["sid"]) for each in signers) or "nobody"
    known = ", ".join(str(each) for each in certificates) or "none"
    return Unusable(
        "authentication-failed",
        f"it is signed by {named}; the partner's certificates here are: {known}",
        "ask the partner for their present signing certificate and add it to their_certificates",
    )


def _verify_one(
    signer: Any, certificate: Certificate, content: bytes, *, at: datetime, weak: Collection[str], expired: bool
) -> Signed:
    with reading("the signature"):
        digest = str(signer["digest_algorithm"]["algorithm"].native)
        attributes = signer["signed_attrs"]
        has_attributes = isinstance(attributes, cms.CMSAttributes)
        signature = bytes(signer["signature"].native)
        scheme, inner = _scheme(signer["signature_algorithm"], digest)
    if digest not in HASHES or inner not in HASHES:
        raise Unusable("unsupported format", f"the signature's digest {digest} is not supported")
    for each in {digest, inner}:
        check_strength(each, weak, "the signature")
    if not expired and not certificate.is_valid(at):
        raise Unusable(
            "authentication-failed",
            f"it is signed with a certificate that is not valid today: {certificate}",
            "ask the partner for their present signing certificate and add it to their_certificates",
        )
    hashed = digest_of(content, digest)
    if has_attributes:
        _check_attributes(attributes, hashed)
    _check_signature(certificate, signature, attributes if has_attributes else None, hashed, scheme, inner)
    return Signed(content=content, digest=digest, certificate=certificate)


def _scheme(algorithm: Any, digest: str) -> tuple[padding.AsymmetricPadding, str]:
    """Return the padding, and the digest that the signature itself is made with."""
    name = algorithm["algorithm"].native
    if name == "rsassa_pkcs1v15":
        return padding.PKCS1v15(), digest
    if name == "rsassa_pss":
        facts = algorithm["parameters"]
        inner, masked = facts["hash_algorithm"]["algorithm"].native, facts["mask_gen_algorithm"]["parameters"]
        mask = HASHES.get(masked["algorithm"].native)
        salt = facts["salt_length"].native
        if mask is None or not 0 <= salt <= 512:
            raise ValueError("its PSS parameters are not supported")
        return padding.PSS(mgf=padding.MGF1(mask), salt_length=salt), str(inner)
    if str(name).endswith("_rsa"):
        return padding.PKCS1v15(), str(name).removesuffix("_rsa")
    raise ValueError(f"its algorithm {name} is not supported")


def _check_attributes(attributes: Any, hashed: bytes) -> None:
    with reading("the signature"):
        found = {each["type"].native: each["values"] for each in attributes}
        kind, stated = found.get("content_type"), found.get("message_digest")
        if kind is None or stated is None or len(stated) != 1 or kind[0].native != "data":
            raise ValueError("its signed attributes are not complete")
        matches = stated[0].native == hashed
    if not matches:
        raise Unusable(
            "integrity-check-failed",
            "the bytes are not those that were signed: something changed them on the way",
            "look for a proxy or tool between that changes line endings or re-encodes; ask the partner to send again",
        )


def _check_signature(
    certificate: Certificate,
    signature: bytes,
    attributes: Any,
    hashed: bytes,
    scheme: padding.AsymmetricPadding,
    inner: str,
) -> None:
    """Verify the RSA signature over the attributes as DER (what they came as, if it was not DER), or the content."""
    key = certificate.public_key
    tried = [hashed] if attributes is None else [digest_of(each, inner) for each in _encodings(attributes)]
    for digest in tried:
        try:
            key.verify(signature, digest, scheme, utils.Prehashed(HASHES[inner]))
            return
        except (InvalidSignature, ValueError):
            continue
    code = "integrity-check-failed" if attributes is None else "authentication-failed"
    raise Unusable(
        code,  # type: ignore[arg-type]
        f"the signature does not fit the key of {certificate}",
        "the message was changed or forged; ask the partner to send again, and to check their signing key",
    )


def _encodings(attributes: Any) -> list[bytes]:
    """Return the attributes under the tag of a SET: as they came, and written anew as DER."""
    with reading("the signature"):
        untagged = attributes.untag()
        return list(dict.fromkeys((bytes(untagged.dump()), bytes(untagged.dump(force=True)))))
