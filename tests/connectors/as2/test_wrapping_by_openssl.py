"""What we send is opened and verified by `openssl cms`, in every combination that AS2 allows."""

from __future__ import annotations

import base64
import hashlib
import itertools
import zlib

import pytest
from asn1crypto import cms

from connectors.as2 import mime
from connectors.as2.wrapping import Means, Payload, Step, wrap

from .conftest import OpenSsl, certificate, identity

EDI = b"ISA*00*          *00*          *ZZ*NORTH          *ZZ*HUB            ~\nGS*PO~\n\x00\xff\r\xe9" * 40
ORDERS: list[tuple[Step, ...]] = [
    ("sign",),
    ("encrypt",),
    ("compress",),
    ("sign", "encrypt"),
    ("compress", "sign"),
    ("sign", "compress"),
    ("compress", "encrypt"),
    ("compress", "sign", "encrypt"),
    ("sign", "compress", "encrypt"),
]
CIPHERS = [f"aes{bits}-{mode}" for bits in (128, 192, 256) for mode in ("cbc", "gcm")]
DIGESTS = ["sha256", "sha384", "sha512"]
ENCODINGS = ["binary", "base64"]


def payload(encoding: str = "binary", body: bytes = EDI) -> Payload:
    return Payload(body=body, content_type="application/edi-x12", name="850.edi", key="d-1", encoding=encoding)  # type: ignore[arg-type]


def means(cipher: str = "aes256-cbc", digest: str = "sha256", transport: str = "pkcs1") -> Means:
    return Means(
        identity=identity("hub"),
        certificates=[certificate("north")],
        cipher=cipher,
        digest=digest,
        transport=transport,  # type: ignore[arg-type]
    )


def opened(openssl: OpenSsl, raw: bytes) -> bytes:
    """Open every layer with openssl, and with zlib, which Debian's openssl lacks; return the innermost entity."""
    while True:
        entity = mime.read(raw)
        kind = entity.media.parameters.get("smime-type", entity.media.value)
        if kind in ("enveloped-data", "authenveloped-data"):
            raw = openssl.decrypt(entity.content, "north")
        elif kind == "compressed-data":
            info = cms.ContentInfo.load(entity.content)
            assert info["content_type"].native == "compressed_data"
            raw = zlib.decompress(info["content"]["encap_content_info"]["content"].native)
        elif kind == "multipart/signed":
            raw = openssl.verify(raw, "hub")
        else:
            return raw


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("steps", ORDERS, ids="-".join)
def test_every_order_is_opened(openssl: OpenSsl, steps: tuple[Step, ...], encoding: str) -> None:
    entity = mime.read(opened(openssl, wrap(payload(encoding), steps, means()).entity.raw))

    assert entity.field("Content-Type") == "application/edi-x12"
    assert entity.field("Content-Disposition") == 'attachment; filename="850.edi"'
    assert (base64.b64decode(entity.body) if encoding == "base64" else entity.body) == EDI


@pytest.mark.parametrize(("cipher", "digest"), list(itertools.product(CIPHERS, DIGESTS)))
def test_every_algorithm_is_opened(openssl: OpenSsl, cipher: str, digest: str) -> None:
    wrapped = wrap(payload(), ("compress", "sign", "encrypt"), means(cipher, digest))

    assert mime.read(opened(openssl, wrapped.entity.raw)).body == EDI


@pytest.mark.parametrize("cipher", ["aes128-cbc", "aes256-gcm"])
def test_oaep_is_opened(openssl: OpenSsl, cipher: str) -> None:
    wrapped = wrap(payload(), ("sign", "encrypt"), means(cipher, transport="oaep"))

    assert mime.read(opened(openssl, wrapped.entity.raw)).body == EDI
    shown = openssl.cms(wrapped.entity.body, "-cmsout", "-print", "-inform", "DER")
    assert b"rsaesOaep" in shown


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 4096])
def test_every_length_is_opened(openssl: OpenSsl, size: int) -> None:
    body = b"x" * size

    assert mime.read(opened(openssl, wrap(payload(body=body), ("sign", "encrypt"), means()).entity.raw)).body == body


def test_each_of_several_receivers_opens_it(openssl: OpenSsl) -> None:
    both = Means(certificates=[certificate("north"), certificate("north-next")])

    sealed = wrap(payload(), ("encrypt",), both).entity.body

    assert openssl.decrypt(sealed, "north") == openssl.decrypt(sealed, "north-next")


def test_openssl_reads_the_mime_that_we_write(openssl: OpenSsl) -> None:
    text = EDI.replace(b"\r", b"").replace(b"\x00", b"").replace(b"\n", b"\r\n")
    raw = wrap(payload(body=text), ("sign",), means()).entity.raw

    assert openssl.cms(raw, "-verify", "-inform", "SMIME", *openssl.trusted("hub")).endswith(text)
    changed = raw.replace(b"NORTH", b"SOUTH", 1)
    assert openssl.run(changed, "-verify", "-inform", "SMIME", *openssl.trusted("hub")).returncode != 0


def test_the_same_message_is_signed_the_same_way_twice() -> None:
    first, second = (wrap(payload(), ("compress", "sign"), means()).entity.raw for _ in range(2))

    assert first == second


@pytest.mark.parametrize(
    ("steps", "covered"),
    [
        ((), "body"),
        (("compress",), "entity"),
        (("encrypt",), "entity"),
        (("compress", "encrypt"), "entity"),
        (("sign",), "signed"),
        (("compress", "sign", "encrypt"), "signed"),
        (("sign", "compress", "encrypt"), "signed"),
    ],
)
def test_the_mic_is_over_what_rfc_4130_says(openssl: OpenSsl, steps: tuple[Step, ...], covered: str) -> None:
    fields = b"Content-Type: application/edi-x12\r\nContent-Transfer-Encoding: binary\r\n"
    whole = fields + b'Content-Disposition: attachment; filename="850.edi"\r\n\r\n' + EDI
    wrapped = wrap(payload(), steps, means())
    expected = {"body": EDI, "entity": whole}.get(covered)
    if expected is None:
        raw = wrapped.entity.raw
        while (entity := mime.read(raw)).media.value != "multipart/signed":
            sealed = entity.media.parameters["smime-type"] == "enveloped-data"
            raw = openssl.decrypt(entity.content, "north") if sealed else unpacked(entity.content)
        expected = openssl.verify(raw, "hub")

    assert wrapped.mic("sha256") == hashlib.sha256(expected).digest()
    assert wrapped.mic("sha512") == hashlib.sha512(expected).digest()


def unpacked(der: bytes) -> bytes:
    content: bytes = cms.ContentInfo.load(der)["content"]["encap_content_info"]["content"].native
    return zlib.decompress(content)
