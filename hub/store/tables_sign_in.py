"""The tables of signing in beyond a password: second factors, single sign-on, and steps that are half done."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, PrimaryKeyConstraint, Table, Text

from hub.store.tables import metadata, number, string

totp_secrets = Table(
    "totp_secrets",
    metadata,
    Column("user_id", Text, primary_key=True),
    number("version"),
    string("key_id"),
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    number("created_us"),
    number("confirmed_us", null=True),
    number("last_step"),
)
"""One authenticator app per user. `last_step` is the newest time step whose code was taken: none is taken twice."""

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("code_hash", Text, primary_key=True),
    string("user_id"),
    number("created_us"),
    number("used_us", null=True),
)
Index("recovery_codes_user", recovery_codes.c.user_id)

passkeys = Table(
    "passkeys",
    metadata,
    Column("id", Text, primary_key=True),
    string("user_id"),
    string("name"),
    Column("public_key", LargeBinary, nullable=False),
    number("sign_count"),
    number("created_us"),
    number("used_us", null=True),
)
"""`id` is the credential id in base64url; `public_key` is in COSE form."""
Index("passkeys_user", passkeys.c.user_id)

identities = Table(
    "identities",
    metadata,
    string("issuer"),
    string("subject"),
    string("user_id"),
    number("made_user"),
    number("created_us"),
    number("used_us", null=True),
    PrimaryKeyConstraint("issuer", "subject"),
)
"""Who an OpenID provider's subject is here. `made_user` is 1 where the account came by signing in, not by an admin."""
Index("identities_user", identities.c.user_id)

sign_in_steps = Table(
    "sign_in_steps",
    metadata,
    Column("token_hash", Text, primary_key=True),
    string("kind"),
    string("user_id"),
    string("value"),
    number("expires_us"),
)
"""What one request left for the next: a password that was right, a challenge, a state. Each is used up once."""
Index("sign_in_steps_expires", sign_in_steps.c.expires_us)
