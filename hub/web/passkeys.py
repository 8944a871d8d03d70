"""Passkeys by WebAuthn: what the browser is asked, and what its answer proves. The user is always verified."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request
from flask_babel import gettext as _
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from hub.store import passkeys, people
from hub.store.passkeys import Passkey
from hub.store.people import User
from hub.web.entering import (
    HALF,
    leave_step,
    look_at_step,
    read,
    rules,
    seconds_to_wait,
    take_step,
    too_many,
    write,
)
from hub.web.permissions import needs

passkey_sign_in = Blueprint("passkey_sign_in", __name__, url_prefix="/sign-in/passkey")
REGISTERING, ASKING = "passkey.new", "passkey"
_VERIFIED = UserVerificationRequirement.REQUIRED
# What the library raises for an answer that is not as it asks, and for one that is no answer at all.
_UNFIT = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError)


def available() -> bool:
    """Say whether passkeys can be used: they are bound to the public address, and this page was opened under it."""
    public = rules().public_url
    return bool(public) and request.host_url.rstrip("/") == public


@passkey_sign_in.post("/options")
@needs("public")
def options() -> Response:
    """Make a challenge for whoever wants to sign in, or for the one who is half signed in."""
    if not available():
        abort(403, _("Passkeys work under the hub's public address only; an admin sets it with HUB_PUBLIC_URL."))
    half = look_at_step(HALF)
    known = read(lambda db: passkeys.passkeys_of(db, half.user_id)) if half is not None else []
    made = generate_authentication_options(
        rp_id=rules().rp_id, allow_credentials=_described(known), user_verification=_VERIFIED
    )
    leave_step(ASKING, half.user_id if half is not None else "", {"challenge": bytes_to_base64url(made.challenge)})
    return Response(options_to_json(made), content_type="application/json")


def registration_options(user: User) -> Response:
    """Make a challenge for a new key of somebody who is signed in."""
    known = read(lambda db: passkeys.passkeys_of(db, user.id))
    made = generate_registration_options(
        rp_id=rules().rp_id,
        rp_name="Order hub",
        user_id=user.id.encode(),
        user_name=user.email,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
        ),
        exclude_credentials=_described(known),
    )
    leave_step(REGISTERING, user.id, {"challenge": bytes_to_base64url(made.challenge)})
    return Response(options_to_json(made), content_type="application/json")


def verified_key(user: User, credential: str) -> VerifiedRegistration | None:
    """Return the new key that a browser's answer holds, None where it does not prove what was asked."""
    step = take_step(REGISTERING)
    if step is None or step.user_id != user.id:
        return None
    try:
        return verify_registration_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(step.value["challenge"]),
            expected_rp_id=rules().rp_id,
            expected_origin=rules().public_url,
            require_user_verification=True,
        )
    except _UNFIT:
        return None


def verified_owner(credential: str, user_id: str = "") -> User | str:
    """Return whose passkey answered the challenge, or why it does not count; `user_id` says whose it must be."""
    step = take_step(ASKING)
    key = _named(credential)
    if step is None or key is None or (step.user_id or user_id or key.user_id) != key.user_id:
        return str(_("This hub does not know that passkey, or it took too long. Try again, or sign in another way."))
    user = read(lambda db: people.user_by_id(db, key.user_id))
    if user is None or user.disabled or (user_id and key.user_id != user_id):
        return str(_("This account is closed. An owner or admin can open it again."))
    wait = seconds_to_wait(user.email)
    if wait:
        return too_many(wait)
    seen = _verified(credential, key, base64url_to_bytes(step.value["challenge"]))
    if seen is None:
        return str(_("That passkey's answer does not hold. Try again, or sign in another way."))
    if not write(lambda db: passkeys.count_use(db, key, seen.new_sign_count, who=user.email)):
        return str(_("That passkey counts backwards: it may have been copied. Sign in another way and remove it."))
    return user


def _named(credential: str) -> Passkey | None:
    try:
        parsed = parse_authentication_credential_json(credential)
    except _UNFIT:
        return None
    return read(lambda db: passkeys.passkey(db, parsed.id))


def _verified(credential: str, key: Passkey, challenge: bytes) -> VerifiedAuthentication | None:
    """Verify without the counter, which is compared where it is stored: only a true signature may count there."""
    try:
        return verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=rules().rp_id,
            expected_origin=rules().public_url,
            credential_public_key=key.public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except _UNFIT:
        return None


def _described(known: list[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.id)) for each in known]
