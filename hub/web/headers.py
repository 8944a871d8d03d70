"""What every answer says to the browser: a strict policy with a nonce, no guessing, no framing, no caching of pages."""

from __future__ import annotations

import secrets

from flask import Flask, Response, g, request

STATIC_SECONDS = 3600
ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"),
)
STAY = ("Strict-Transport-Security", "max-age=31536000")
_MACHINE = (
    *ALWAYS,
    (
        "Content-Security-Policy",
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("Cache-Control", "no-store"),
)


def nonce() -> str:
    """Return this request's nonce; scripts without it do not run."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def set_up_headers(app: Flask) -> None:
    """Add the headers to every answer of the application."""
    app.after_request(_add)


def policy() -> str:
    """Return the content security policy of this answer."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce()}'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def machine_headers(*, is_secure: bool) -> tuple[tuple[str, str], ...]:
    """Return the same for an answer that no browser shows: no nonce, because there is nothing to run."""
    return (*_MACHINE, STAY) if is_secure else _MACHINE


def _add(response: Response) -> Response:
    headers = response.headers
    for name, value in ALWAYS:
        headers.setdefault(name, value)
    headers.setdefault("Content-Security-Policy", policy())
    if request.is_secure:
        headers.setdefault(*STAY)
    if request.endpoint == "static_files.static" and response.status_code == 200:
        headers["Cache-Control"] = f"public, max-age={STATIC_SECONDS}"
    else:
        headers["Cache-Control"] = "no-store"
    return response
