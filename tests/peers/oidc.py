"""oidc-provider, an OpenID provider that nobody here wrote, and a person who signs in at it."""

from __future__ import annotations

import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from pathlib import Path
from typing import IO
from urllib.parse import urlencode

import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / ".peers" / "oidc" / "node_modules" / "oidc-provider" / "lib" / "index.js"
START = Path(__file__).parent / "oidc_provider.mjs"
_FORM = re.compile(r'<form[^>]*action="([^"]+)"')
_PROMPT = re.compile(r'name="prompt" value="([^"]+)"')


@dataclass(frozen=True)
class OidcPeer:
    """A provider that runs."""

    issuer: str
    back: str

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.issuer.rpartition(":")[2])

    def sign_in(self, address: str, name: str) -> str:
        """Open the address that the hub leads to, sign in, consent, and return the address that leads back."""
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()), _Stop(self.back))
        form: dict[str, str] | None = None
        for _ in range(6):
            data = urlencode(form).encode() if form is not None else None
            try:
                with opener.open(address, data, timeout=10) as answer:
                    page = answer.read().decode()
            except _Back as found:
                return found.address
            action, prompt = _FORM.search(page), _PROMPT.search(page)
            assert action is not None, page
            assert prompt is not None, page
            address, form = action[1], {"prompt": prompt[1], "login": name, "password": "any"}
        raise AssertionError("the provider asked six times")


class _Back(Exception):
    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


class _Stop(urllib.request.HTTPRedirectHandler):
    """Follows what leads on within the provider, and stops where it leads back to the hub."""

    def __init__(self, back: str) -> None:
        self._back = back

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        if newurl.startswith(self._back):
            raise _Back(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@contextmanager
def oidc_peer(back: str, port: int = 0) -> Iterator[OidcPeer]:
    """Run a provider with fresh keys that knows the hub as `hub`."""
    if not LIBRARY.exists():
        pytest.skip("there is no .peers/oidc; `make peers` builds it")
    command = ["node", str(START), str(LIBRARY), str(port), back]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            issuer = process.stdout.readline().strip()
            assert issuer, "oidc-provider ended before it listened"
            yield OidcPeer(issuer, back)
        finally:
            process.terminate()
            process.wait(timeout=10)
