"""EnvelopedData (RFC 5652 6) and AuthEnvelopedData (RFC 5083, 5084): AES for the content, RSA for its key."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from connectors.as2.algorithms import CIPHERS, HASHES, CipherFacts, Transport, check_strength
from connectors.as2.asn1 import GcmParameters, cms, core, identifier, means, words_of
from connectors.as2.failures import Unusable, reading
from connectors.as2.keys import Certificate, Identity

BLOCK = 16
NONCE = 12
TAG = 16
SHORTEST_TAG = 12
MOST_RECIPIENTS = 50
_BY_NAME = {facts.name: facts for facts in CIPHERS.values()}
_OAEP = frozenset(HASHES) - {"md5"}
_DES3 = CipherFacts(name="tripledes_3key", key=24)


def encrypt(content: bytes, certificates: Sequence[Certificate], cipher: str, transport: Transport = "pkcs1") -> bytes:
    """Return the content closed for each of these certificates, DER."""
    facts = CIPHERS[cipher]
    key = os.urandom(facts.key)
    recipients = [_recipient(each, key, transport) for each in certificates]
    if facts.gcm:
        return _encrypt_gcm(content, facts, key, recipients)
    iv = os.urandom(BLOCK)
    encryptor = Cipher(AES(key), modes.CBC(iv)).encryptor()
    missing = BLOCK - len(content) % BLOCK
    sealed = encryptor.update(content) + encryptor.update(bytes([missing]) * missing) + encryptor.finalize()
    enveloped = cms.EnvelopedData(
        {
            "version": "v0",
            "recipient_infos": recipients,
            "encrypted_content_info": {
                "content_type": "data",
                "content_encryption_algorithm": {"algorithm": facts.name, "parameters": core.OctetString(iv)},
                "encrypted_content": sealed,
            },
        }
    )
    return bytes(cms.ContentInfo({"content_type": "enveloped_data", "content": enveloped}).dump())


def _encrypt_gcm(content: bytes, facts: CipherFacts, key: bytes, recipients: list[Any]) -> bytes:
    nonce = os.urandom(NONCE)
    sealed = AESGCM(key).encrypt(nonce, content, None)
    parameters = GcmParameters({"nonce": nonce, "tag_length": TAG})
    enveloped = cms.AuthEnvelopedData(
        {
            "version": "v0",
            "recipient_infos": recipients,
            "auth_encrypted_content_info": {
                "content_type": "data",
                "content_encryption_algorithm": {"algorithm": facts.name, "parameters": parameters},
                "encrypted_content": sealed[:-TAG],
            },
            "mac": sealed[-TAG:],
        }
    )
    return bytes(cms.ContentInfo({"content_type": "authenticated_enveloped_data", "content": enveloped}).dump())


def _recipient(certificate: Certificate, key: bytes, transport: Transport) -> Any:
    if transport == "oaep":
        scheme: padding.AsymmetricPadding = _oaep("sha256", "sha256")
        hashed = {"algorithm": "sha256"}
        algorithm = {
            "algorithm": "rsaes_oaep",
            "parameters": {
                "hash_algorithm": hashed,
                "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": hashed},
            },
        }
    else:
        scheme, algorithm = padding.PKCS1v15(), {"algorithm": "rsaes_pkcs1v15", "parameters": core.Null()}
    info = {
        "version": "v0",
        "rid": {"issuer_and_serial_number": identifier(certificate)},
        "key_encryption_algorithm": algorithm,
        "encrypted_key": certificate.public_key.encrypt(key, scheme),
    }
    return cms.RecipientInfo({"ktri": info})


def _oaep(digest: str, mask: str) -> padding.OAEP:
    return padding.OAEP(mgf=padding.MGF1(HASHES[mask]), algorithm=HASHES[digest], label=None)


class Opened:
    """What was inside. `is_sound` is False where the padding was wrong: the content is then noise and must not be used.

    It is returned all the same, so that whoever changes ciphertexts to learn from our answers is told the same thing
    (that the content makes no sense) whether the padding happened to be right or not.
    """

    __slots__ = ("content", "is_sound")

    def __init__(self, content: bytes, *, is_sound: bool) -> None:
        self.content = content
        self.is_sound = is_sound


def decrypt(data: Any, identities: Sequence[Identity], *, gcm: bool, weak: Collection[str] = ()) -> Opened:
    """Open EnvelopedData or AuthEnvelopedData (asn1crypto) with whichever of our keys it was closed for."""
    with reading("the encryption"):
        info = data["auth_encrypted_content_info" if gcm else "encrypted_content_info"]
        algorithm = info["content_encryption_algorithm"]
        name = str(algorithm["algorithm"].native)
        sealed = info["encrypted_content"].native
        if not isinstance(sealed, bytes):
            raise ValueError("the encrypted bytes are missing")
    facts = _DES3 if name == _DES3.name else _BY_NAME.get(name)
    if facts is None or facts.gcm != gcm:
        raise Unusable("unsupported format", f"it is encrypted with {name}, which is not supported; AES is")
    if facts is _DES3:
        check_strength("3des", weak, "the encryption")
    key = _content_key(data, identities, facts)
    with reading("the encryption"):
        if gcm:
            return _open_gcm(data, algorithm, key, sealed)
        iv = algorithm["parameters"].native
        cipher = Cipher(TripleDES(key), modes.CBC(iv)) if facts is _DES3 else Cipher(AES(key), modes.CBC(iv))
        if not sealed or len(sealed) % len(iv):
            raise ValueError("the encrypted bytes are no whole blocks")
        return _unpadded(cipher.decryptor().update(sealed), len(iv))


def _unpadded(content: bytes, block: int) -> Opened:
    size = content[-1]
    is_sound = 1 <= size <= block and content.endswith(bytes([size]) * size)
    return Opened(content[:-size] if is_sound else content, is_sound=is_sound)


def _open_gcm(data: Any, algorithm: Any, key: bytes, sealed: bytes) -> Opened:
    parameters = GcmParameters.load(algorithm["parameters"].dump())
    nonce, mac = parameters["nonce"].native, data["mac"].native
    if len(mac) < SHORTEST_TAG or not 8 <= len(nonce) <= 64:
        raise ValueError("its nonce or tag has a length that is not allowed")
    attributes = data["auth_attrs"]
    bound = attributes.untag().dump(force=True) if isinstance(attributes, cms.CMSAttributes) else b""
    decryptor = Cipher(AES(key), modes.GCM(nonce, mac, min_tag_length=SHORTEST_TAG)).decryptor()
    decryptor.authenticate_additional_data(bound)
    content = decryptor.update(sealed)
    try:
        decryptor.finalize()
    except InvalidTag as error:
        raise Unusable(
            "decryption-failed",
            "the encrypted bytes were changed on the way, or closed with another key than the one they name",
            "ask the partner to send again and to check which of our certificates they encrypt for",
        ) from error
    return Opened(content, is_sound=True)


def _content_key(data: Any, identities: Sequence[Identity], facts: CipherFacts) -> bytes:
    """Return the content key; a key that does not open is replaced by noise, so that no answer tells why (RFC 3218)."""
    with reading("the list of recipients"):
        recipients = list(data["recipient_infos"])[:MOST_RECIPIENTS]
        matched = [
            (each.chosen, identity)
            for each in recipients
            if each.name == "ktri"
            for identity in identities
            if means(each.chosen["rid"], identity.certificate)
        ]
    if not matched:
        raise _not_for_us(recipients, identities)
    for info, identity in matched:
        with reading("the encrypted key"):
            scheme = _key_scheme(info["key_encryption_algorithm"])
            closed = info["encrypted_key"].native
        try:
            key = identity.key.decrypt(closed, scheme)
        except ValueError:
            continue
        if len(key) == facts.key:
            return key
    return os.urandom(facts.key)


def _not_for_us(recipients: Sequence[Any], identities: Sequence[Identity]) -> Unusable:
    with reading("the list of recipients"):
        named = [
            words_of(each.chosen["rid"]) if each.name == "ktri" else f"a {each.name} recipient" for each in recipients
        ]
    ours = ", ".join(str(each.certificate) for each in identities) or "none"
    return Unusable(
        "decryption-failed",
        f"it is encrypted for {', '.join(named) or 'nobody'}; our certificates here are: {ours}",
        "send the partner our present certificate, or add the older key to this connection's our_other_key",
    )


def _key_scheme(algorithm: Any) -> padding.AsymmetricPadding:
    name = algorithm["algorithm"].native
    if name == "rsaes_pkcs1v15":
        return padding.PKCS1v15()
    if name != "rsaes_oaep":
        raise ValueError(f"its key transport {name} is not supported; RSA is")
    facts = algorithm["parameters"]
    digest = facts["hash_algorithm"]["algorithm"].native
    mask = facts["mask_gen_algorithm"]["parameters"]["algorithm"].native
    if digest not in _OAEP or mask not in _OAEP or facts["p_source_algorithm"]["parameters"].native:
        raise ValueError("its OAEP parameters are not supported")
    return _oaep(digest, mask)
