"""The tables of configuration and of people: what admins set, and who they are."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, PrimaryKeyConstraint, Table, Text

from hub.store.tables import metadata, number, string

config_version = Table("config_version", metadata, Column("id", Text, primary_key=True), number("version"))

config_records = Table(
    "config_records",
    metadata,
    string("kind"),
    string("name"),
    string("doc"),
    string("seed_sha"),
    number("changed_us"),
    string("changed_by"),
    PrimaryKeyConstraint("kind", "name"),
)
"""Partners, connections, agreements, routes and settings. `seed_sha` is the hash of the file's version that was
applied last: where both the file and the record have moved on from it, `hub apply` stops and shows both."""

mappings = Table(
    "mappings",
    metadata,
    Column("sha256", Text, primary_key=True),
    string("name"),
    string("document"),
    string("direction"),
    string("text"),
    number("published_us"),
    string("published_by"),
)
Index("mappings_name", mappings.c.name, mappings.c.published_us)

published_mappings = Table(
    "published_mappings", metadata, Column("name", Text, primary_key=True), string("sha256"), number("published_us")
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    number("version"),
    string("key_id"),
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    number("changed_us"),
)

notes = Table(
    "notes",
    metadata,
    string("connection"),
    string("name"),
    string("value"),
    PrimaryKeyConstraint("connection", "name"),
)

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    string("email", unique=True),
    string("role"),
    string("password_hash"),
    string("partner"),
    number("created_us"),
    number("disabled_us", null=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id_hash", Text, primary_key=True),
    string("user_id"),
    number("created_us"),
    number("seen_us"),
    number("expires_us"),
)

sign_in_tokens = Table(
    "sign_in_tokens",
    metadata,
    Column("token_hash", Text, primary_key=True),
    string("user_id"),
    number("expires_us"),
    number("used_us", null=True),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("subject", Text, primary_key=True),
    number("count"),
    number("last_us"),
    number("until_us"),
)
"""Failed sign-ins per address (`address:…`) and per account (`account:…`), and until when the next is refused."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    string("name"),
    string("secret_hash"),
    string("scopes"),
    string("partner"),
    number("created_us"),
    number("expires_us", null=True),
    number("used_us", null=True),
    number("revoked_us", null=True),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    string("scope"),
    string("key"),
    string("body_sha"),
    number("status"),
    string("answer"),
    number("created_us"),
    PrimaryKeyConstraint("scope", "key"),
)

audit = Table(
    "audit",
    metadata,
    Column("no", BigInteger, primary_key=True, autoincrement=False),
    number("at_us"),
    string("who"),
    string("what"),
    string("subject"),
    string("before"),
    string("after"),
    string("previous_sha"),
    string("sha256"),
)
