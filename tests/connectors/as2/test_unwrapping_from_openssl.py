"""What `openssl cms` signs, encrypts and nests is taken; what is damaged, weak or foreign is refused by its name."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from asn1crypto import cms

from connectors.as2 import mime
from connectors.as2.failures import Unusable
from connectors.as2.mime import Entity
from connectors.as2.packing import Caps, compress
from connectors.as2.unwrapping import Trust, Unwrapped, unwrap
from connectors.as2.wrapping import Means, Payload, wrap

from .conftest import NOW, OpenSsl, certificate, identity

PAYLOAD = b"ISA*00*\r\nGS*PO*NORTH*HUB~\r\n\x00\xff" * 30
INNER = b"Content-Type: application/edi-x12\r\nContent-Transfer-Encoding: binary\r\n\r\n" + PAYLOAD
CHANGED = ("decryption-failed", "integrity-check-failed", "unexpected-processing-error")
TRUST = Trust(ours=[identity("hub")], theirs=[certificate("north")], at=NOW)


def pkcs7(der: bytes, encoding: str = "binary", kind: str = "application/pkcs7-mime") -> Entity:
    body = base64.encodebytes(der) if encoding == "base64" else der
    return Entity([("Content-Type", kind), ("Content-Transfer-Encoding", encoding)], body)


def encrypted(openssl: OpenSsl, raw: bytes, *arguments: str) -> bytes:
    return openssl.cms(raw, "-encrypt", "-binary", "-outform", "DER", *arguments, openssl.key("hub"))


def signed(openssl: OpenSsl, raw: bytes, *arguments: str, name: str = "north") -> bytes:
    return openssl.cms(raw, "-sign", "-binary", "-outform", "DER", "-signer", openssl.key(name), *arguments)


def multipart(content: bytes, der: bytes, boundary: str = "b") -> Entity:
    fields = b"Content-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    mark = b"--" + boundary.encode()
    body = b"\r\n".join((mark, content, mark, fields + base64.encodebytes(der), mark + b"--", b""))
    return Entity([("Content-Type", f"multipart/signed; protocol=x; micalg=sha-256; boundary={boundary}")], body)


def failure(entity: Entity, trust: Trust = TRUST) -> Unusable:
    with pytest.raises(Unusable) as found:
        unwrap(entity, trust)
    return found.value


@pytest.mark.parametrize("encoding", ["binary", "base64"])
@pytest.mark.parametrize("stream", [(), ("-stream",)], ids=["der", "ber"])
@pytest.mark.parametrize("named", [(), ("-keyid",)], ids=["serial", "keyid"])
@pytest.mark.parametrize("cipher", ["-aes128", "-aes192", "-aes256", "-aes-128-gcm", "-aes-192-gcm", "-aes-256-gcm"])
def test_every_cipher_is_opened(
    openssl: OpenSsl, cipher: str, named: tuple[str, ...], stream: tuple[str, ...], encoding: str
) -> None:
    found = unwrap(pkcs7(encrypted(openssl, INNER, cipher, *named, *stream), encoding), TRUST)

    assert (found.entity.body, found.is_encrypted, found.signed) == (PAYLOAD, True, None)
    assert found.mic("sha256") == hashlib.sha256(INNER).digest()


@pytest.mark.parametrize(
    "options",
    [
        ("rsa_padding_mode:oaep",),
        ("rsa_padding_mode:oaep", "rsa_oaep_md:sha256"),
        ("rsa_padding_mode:oaep", "rsa_oaep_md:sha512", "rsa_mgf1_md:sha1"),
    ],
    ids=["sha1", "sha256", "mixed"],
)
def test_oaep_is_opened(openssl: OpenSsl, options: tuple[str, ...]) -> None:
    given = [word for option in options for word in ("-keyopt", option)]
    der = openssl.cms(INNER, "-encrypt", "-binary", "-outform", "DER", "-aes256", "-recip", openssl.key("hub"), *given)

    assert unwrap(pkcs7(der), TRUST).entity.body == PAYLOAD


@pytest.mark.parametrize("stream", [(), ("-stream",)], ids=["der", "ber"])
@pytest.mark.parametrize("attributes", [(), ("-noattr",), ("-nosmimecap", "-nocerts"), ("-keyid", "-cades")])
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_every_signature_is_verified(
    openssl: OpenSsl, digest: str, attributes: tuple[str, ...], stream: tuple[str, ...]
) -> None:
    detached = unwrap(multipart(INNER, signed(openssl, INNER, "-md", digest, *attributes, *stream)), TRUST)
    opaque = unwrap(pkcs7(signed(openssl, INNER, "-md", digest, "-nodetach", *attributes, *stream)), TRUST)

    for found in (detached, opaque):
        assert found.entity.body == PAYLOAD
        assert found.signed is not None
        assert (found.signed.digest, found.signed.certificate) == (digest, certificate("north"))
        assert found.mic("sha512") == hashlib.sha512(INNER).digest()


@pytest.mark.parametrize("salt", ["32", "64", "0"])
def test_pss_is_verified(openssl: OpenSsl, salt: str) -> None:
    options = ("-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", f"rsa_pss_saltlen:{salt}")

    assert unwrap(multipart(INNER, signed(openssl, INNER, *options)), TRUST).entity.body == PAYLOAD


def nested(openssl: OpenSsl, layers: str) -> Entity:
    """Build e.g. "cse": compressed, then signed, then encrypted; "o" is an opaque signature."""
    entity = mime.read(INNER)
    for depth, layer in enumerate(layers):
        raw = entity.raw
        if layer == "s":
            entity = multipart(raw, signed(openssl, raw), f"b{depth}")
        elif layer == "o":
            entity = pkcs7(signed(openssl, raw, "-nodetach"))
        elif layer == "c":
            entity = pkcs7(compress(raw), "base64")
        else:
            entity = pkcs7(encrypted(openssl, raw, "-aes256"), kind="application/x-pkcs7-mime; smime-type=wrong")
    return entity


@pytest.mark.parametrize(
    "layers", ["", "s", "o", "c", "e", "se", "oe", "cs", "co", "sc", "oc", "ce", "cse", "sce", "oce"]
)
def test_every_legal_nesting_is_unwrapped(openssl: OpenSsl, layers: str) -> None:
    found = unwrap(nested(openssl, layers), TRUST)

    assert found.entity.body == PAYLOAD
    assert (found.signed is not None, found.is_encrypted, found.is_compressed) == (
        "s" in layers or "o" in layers,
        "e" in layers,
        "c" in layers,
    )
    covered = PAYLOAD if not layers else INNER
    if layers.startswith(("cs", "co")):
        covered = pkcs7(compress(INNER), "base64").raw
    assert found.mic("sha256") == hashlib.sha256(covered).digest()


@pytest.mark.parametrize("layers", ["es", "eo", "ec", "ee", "ss", "so", "cc", "csc", "ses"])
def test_an_illegal_nesting_is_an_unsupported_format(openssl: OpenSsl, layers: str) -> None:
    assert failure(nested(openssl, layers)).modifier == "unsupported format"


def test_weak_algorithms_are_taken_only_where_they_are_allowed(openssl: OpenSsl) -> None:
    weak = {
        "sha1": multipart(INNER, signed(openssl, INNER, "-md", "sha1")),
        "md5": multipart(INNER, signed(openssl, INNER, "-md", "md5")),
        "3des": pkcs7(encrypted(openssl, INNER, "-des3")),
    }

    for name, entity in weak.items():
        refused = failure(entity)
        assert (refused.modifier, name in refused.text, "accept_weak" in refused.action) == (
            "unsupported format", True, True,
        )  # fmt: skip
        assert unwrap(entity, replace(TRUST, weak=(name,))).entity.body == PAYLOAD


def test_what_is_encrypted_with_anything_else_is_not_supported(openssl: OpenSsl) -> None:
    refused = failure(pkcs7(encrypted(openssl, INNER, "-camellia128")))

    assert refused.modifier == "unsupported format"


def test_old_and_new_are_valid_at_once(openssl: OpenSsl) -> None:
    trust = replace(
        TRUST,
        ours=[identity("hub-next"), identity("hub")],
        theirs=[certificate("north-next"), certificate("north")],
    )
    for ours, theirs in (("hub", "north"), ("hub-next", "north-next")):
        raw = multipart(INNER, signed(openssl, INNER, name=theirs)).raw
        der = openssl.cms(raw, "-encrypt", "-binary", "-aes128", "-outform", "DER", openssl.key(ours))

        assert unwrap(pkcs7(der), trust).entity.body == PAYLOAD


def test_one_of_several_receivers_and_signers_is_enough(openssl: OpenSsl) -> None:
    der = openssl.cms(
        multipart(INNER, signed(openssl, INNER, "-signer", openssl.key("stranger"))).raw,
        "-encrypt", "-binary", "-aes128", "-outform", "DER", openssl.key("stranger"), openssl.key("hub"),
    )  # fmt: skip

    assert unwrap(pkcs7(der), TRUST).entity.body == PAYLOAD


def test_a_stranger_is_named(openssl: OpenSsl) -> None:
    refused = failure(multipart(INNER, signed(openssl, INNER, name="stranger")))

    assert refused.modifier == "authentication-failed"
    assert f"{certificate('stranger').serial:x}" in refused.text
    assert str(certificate("north")) in refused.text
    assert "their_certificates" in refused.action


def test_a_name_that_is_borrowed_does_not_help(openssl: OpenSsl) -> None:
    der = signed(openssl, INNER, name="stranger")
    info = cms.ContentInfo.load(der)
    sid = info["content"]["signer_infos"][0]["sid"]
    sid.chosen["serial_number"] = certificate("north").serial
    sid.chosen["issuer"] = cms.Name.load(certificate("north").issuer)

    assert failure(multipart(INNER, info.dump(force=True))).modifier == "authentication-failed"


def test_what_is_encrypted_for_somebody_else_names_them_and_us(openssl: OpenSsl) -> None:
    der = openssl.cms(INNER, "-encrypt", "-binary", "-aes128", "-outform", "DER", openssl.key("stranger"))

    refused = failure(pkcs7(der))

    assert refused.modifier == "decryption-failed"
    assert f"{certificate('stranger').serial:x}" in refused.text
    assert str(certificate("hub")) in refused.text


@pytest.mark.parametrize("cipher", ["-aes128", "-aes-128-gcm"])
@pytest.mark.parametrize("place", [-1, -20, -40, 600])
def test_changed_ciphertext_is_never_taken(openssl: OpenSsl, cipher: str, place: int) -> None:
    der = bytearray(encrypted(openssl, multipart(INNER, signed(openssl, INNER)).raw, cipher))
    der[place] ^= 1

    assert failure(pkcs7(bytes(der))).modifier in CHANGED


def resealed(der: bytes, change: Callable[[bytes], bytes]) -> Entity:
    """Return an encrypted message whose encrypted bytes were changed."""
    data = cms.ContentInfo.load(der)["content"]
    info = data["encrypted_content_info"]
    again = {
        "version": "v0",
        "recipient_infos": data["recipient_infos"],
        "encrypted_content_info": {
            "content_type": "data",
            "content_encryption_algorithm": info["content_encryption_algorithm"],
            "encrypted_content": change(info["encrypted_content"].native),
        },
    }
    return pkcs7(cms.ContentInfo({"content_type": "enveloped_data", "content": cms.EnvelopedData(again)}).dump())


@pytest.mark.parametrize("inner", ["multipart", "opaque", "opaque64"])
def test_noise_is_told_in_the_same_words_whatever_its_padding(openssl: OpenSsl, inner: str) -> None:
    """Whoever appends blocks and tries every last byte learns nothing from what we say."""
    opaque = signed(openssl, INNER, "-nodetach")
    layer = {
        "multipart": multipart(INNER, signed(openssl, INNER)),
        "opaque": pkcs7(opaque),
        "opaque64": pkcs7(opaque, "base64"),
    }[inner]
    der = encrypted(openssl, layer.raw, "-aes128")
    told = set()
    for last in range(256):
        noise = bytes(15) + bytes([last])
        refused = failure(resealed(der, lambda sealed, noise=noise: sealed + noise + sealed[-16:]))  # type: ignore[misc]
        told.add((refused.modifier, re.sub(r"'.*'|\(.*\)", "", refused.text)))

    assert len(told) == 1


@pytest.mark.parametrize("size", [15, 1])
def test_half_a_block_is_refused(openssl: OpenSsl, size: int) -> None:
    der = encrypted(openssl, INNER, "-aes128")

    assert failure(resealed(der, lambda sealed: sealed[:-size])).modifier == "unsupported format"


@pytest.mark.parametrize("old", [b"GS*PO", b"edi-x12"])
def test_a_changed_byte_is_an_integrity_failure(openssl: OpenSsl, old: bytes) -> None:
    entity = multipart(INNER, signed(openssl, INNER))

    refused = failure(Entity(entity.fields, entity.body.replace(old, old[::-1], 1)))

    assert refused.modifier == "integrity-check-failed"
    assert "proxy" in refused.action


def test_line_ends_that_were_turned_on_the_way_are_turned_back(openssl: OpenSsl) -> None:
    text = b"Content-Type: application/edifact\r\n\r\nUNB+UNOC:3'\r\nUNZ'\r\n"
    entity = multipart(text, signed(openssl, text))
    unix = Entity(entity.fields, entity.body.replace(b"\r\n", b"\n"))

    found = unwrap(unix, TRUST)

    assert found.mic("sha256") == hashlib.sha256(text).digest()


def test_text_that_was_only_encrypted_is_checked_in_canonical_form(openssl: OpenSsl) -> None:
    unix = b"Content-Type: application/edifact\n\nUNB+UNOC:3'\nUNZ'\n"

    found = unwrap(pkcs7(encrypted(openssl, unix, "-aes128")), TRUST)

    assert found.entity.body == b"UNB+UNOC:3'\nUNZ'\n"
    assert found.mic("sha256") == hashlib.sha256(unix.replace(b"\n", b"\r\n")).digest()


def test_nothing_travels_beside_what_was_signed(openssl: OpenSsl) -> None:
    entity = multipart(INNER, signed(openssl, INNER))

    assert failure(Entity(entity.fields, entity.body + b"and more")).modifier == "integrity-check-failed"
    third = entity.body.replace(b"--b--", b"--b\r\n\r\nmore\r\n--b--")
    assert failure(Entity(entity.fields, third)).modifier == "unsupported format"
    cut = entity.body.replace(b"--b--", b"")
    assert failure(Entity(entity.fields, cut)).modifier == "integrity-check-failed"


def test_an_expired_certificate_authenticates_nobody_unless_it_may(openssl: OpenSsl) -> None:
    entity = multipart(INNER, signed(openssl, INNER))
    later = replace(TRUST, at=NOW + timedelta(days=366))

    assert failure(entity, later).modifier == "authentication-failed"
    assert unwrap(entity, replace(later, expired=True)).entity.body == PAYLOAD


@pytest.mark.parametrize(
    ("size", "caps", "fits"),
    [
        (3_000_000, Caps(size=2_999_999), False),
        (3_000_000, Caps(ratio=100), False),
        (3_000_000, Caps(size=3_000_100, ratio=2000), True),
        (900_000, Caps(ratio=1), True),
    ],
)
def test_a_bomb_is_not_inflated(size: int, caps: Caps, fits: bool) -> None:
    entity = pkcs7(compress(b"Content-Type: text/plain\r\n\r\n" + b"0" * size))
    trust = replace(TRUST, caps=caps)

    if fits:
        assert len(unwrap(entity, trust).entity.body) == size
    else:
        refused = failure(entity, trust)
        assert (refused.modifier, "largest_content" in refused.action) == ("decompression-failed", True)


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "none"])
def test_damaged_compression_fails_by_its_name(damage: str) -> None:
    good = zlib.compress(INNER * 50)
    packed = {"cut": good[:-9], "changed": b"y" + good[1:], "empty": b"", "none": good}[damage]
    data = {
        "version": "v0",
        "compression_algorithm": {"algorithm": "zlib"},
        "encap_content_info": {"content_type": "data", "content": packed},
    }
    entity = pkcs7(cms.ContentInfo({"content_type": "compressed_data", "content": cms.CompressedData(data)}).dump())

    if damage == "none":
        assert unwrap(entity, TRUST).is_compressed
    else:
        assert failure(entity).modifier == "decompression-failed"


@pytest.mark.parametrize("body", [b"", b"junk", b"\x30\x80" * 2000, b"\x30\x82\xff\xff", INNER])
def test_what_is_no_cms_is_an_unsupported_format(body: bytes) -> None:
    assert failure(pkcs7(body)).modifier == "unsupported format"


def test_no_damage_makes_it_raise_anything_else(openssl: OpenSsl) -> None:
    der = encrypted(openssl, multipart(INNER, signed(openssl, INNER)).raw, "-aes128")
    signature = signed(openssl, INNER, "-nodetach")
    outcomes: list[Unwrapped | str] = []
    for given in (der, signature):
        for at in range(0, min(len(given), 1500), 7):
            changed = given[:at] + bytes([given[at] ^ 0x81]) + given[at + 1 :]
            for body in (changed, given[:at]):
                try:
                    outcomes.append(unwrap(pkcs7(body), TRUST))
                except Unusable as error:
                    outcomes.append(error.modifier)

    assert all(isinstance(each, str) or each.signed is None or each.entity.body == PAYLOAD for each in outcomes)


def test_a_plain_payload_is_checked_without_its_fields() -> None:
    found = unwrap(mime.read(INNER), TRUST)

    assert found.mic("sha256") == hashlib.sha256(PAYLOAD).digest()


def test_what_we_wrap_we_unwrap() -> None:
    payload = Payload(body=PAYLOAD, content_type="application/edi-x12", name="850.edi", key="d-1")
    means = Means(identity=identity("north"), certificates=[certificate("hub")])
    wrapped = wrap(payload, ("compress", "sign", "encrypt"), means)

    found = unwrap(wrapped.entity, TRUST)

    assert (found.entity.body, mime.file_name(found.entity)) == (PAYLOAD, "850.edi")
    assert found.mic("sha384") == wrapped.mic("sha384")
