"""E-mail: notifications to buyers and staff by SMTP, written from templates by event, brand and language."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from connectors.email.render import Letter, Template, parse, render
from hub.sdk import Connector, Kit, Outgoing, Paused, Push, Receipt, Rejected, Secret, hookimpl

TEMPLATES = Path(__file__).parent / "templates"
LARGEST_TEMPLATE = 200_000
LAST_LANGUAGE = "en"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one outgoing mail account and brand needs."""

    host: Annotated[str, "Mail server, such as smtp.shop.example"]
    port: Annotated[int, "587 (STARTTLS) or 465 (TLS at once)"] = 587
    username: Annotated[str, "User name; empty: the server asks for none"] = ""
    password: Annotated[Secret | None, "Password of that user"] = None
    starttls: Annotated[bool, "Encrypt after connecting; leave it on outside of tests"] = True
    sender: Annotated[str, "From, such as Shop <orders@shop.example>"]
    brand: Annotated[str, "What ${brand} stands for in templates"] = ""
    language: Annotated[str, "Language where the document names none, such as en or de"] = LAST_LANGUAGE
    templates: Annotated[str, "Folder with templates of your own, such as mail/shop; empty: those that come along"] = ""
    redirect_to: Annotated[str, "For trials: every mail goes to this address instead; empty: to the buyer"] = ""


class MailAccount:
    """One open account."""

    def __init__(self, settings: Settings, kit: Kit) -> None:
        self.settings, self.name = settings, kit.connection
        self.mail = kit.mail(
            settings.host,
            settings.port,
            username=settings.username,
            password=settings.password,
            starttls=settings.starttls,
        )
        self.own = kit.folder(settings.templates) if settings.templates else None

    def push(self, out: Outgoing) -> Receipt:
        """Write and hand over one mail. The Message-ID is made from our key, so that all attempts are one mail."""
        tree = _tree(out)
        if tree.get("opt_out"):
            return Receipt(body=b"not sent: the recipient has opted out")
        letter = self._letter(out, tree)
        identity = self.mail.send(
            key=out.key,
            sender=self.settings.sender,
            to=self._recipients(tree),
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
        )
        return Receipt(reference=identity)

    def _recipients(self, tree: Mapping[str, Any]) -> list[str]:
        given = tree.get("to") or []
        found = [given] if isinstance(given, str) else [str(each) for each in given if each]
        if not found:
            raise Rejected(f"{self.name}: there is no address to write to; the mapping must fill `to`")
        return [self.settings.redirect_to] if self.settings.redirect_to else found

    def _letter(self, out: Outgoing, tree: Mapping[str, Any]) -> Letter:
        name = str(tree.get("template") or out.kind)
        language = str(tree.get("language") or self.settings.language)
        values = {"brand": self.settings.brand, **{key: value for key, value in tree.items() if value is not None}}
        return render(self._template(name, language), values)

    def _template(self, name: str, language: str) -> Template:
        """Find the template: own before ours, the language asked for before the account's before English."""
        if not name.isidentifier():
            raise Rejected(f"{self.name}: {name[:80]!r} is not the name of a template")
        languages = (language.lower(), language.lower()[:2], self.settings.language, LAST_LANGUAGE)
        for file in dict.fromkeys(f"{name}.{each}.toml" for each in languages if each.replace("-", "").isalnum()):
            if (text := self._own(file) or _ours(file)) is not None:
                try:
                    return parse(text)
                except ValueError as error:
                    raise Paused(f"{self.name}: the template {file} cannot be read ({error}); mend it") from error
        raise Rejected(f"{self.name}: there is no template {name}.{language}.toml; add it, then retry")

    def _own(self, file: str) -> bytes | None:
        if self.own is None or not self.own.exists(file):
            return None
        return self.own.read(file, cap=LARGEST_TEMPLATE)


def _tree(out: Outgoing) -> Mapping[str, Any]:
    try:
        tree = json.loads(out.body, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise Rejected(f"{out.kind}: the agreement must use the codec json ({error})") from error
    if not isinstance(tree, dict):
        raise Rejected(f"{out.kind}: the mapping must write one object, not a list")
    return tree


def _ours(file: str) -> bytes | None:
    place = TEMPLATES / file
    return place.read_bytes() if place.is_file() else None


@hookimpl
def hub_connectors() -> Iterator[Connector]:
    """Declare the mail account. A mail that is sent twice cannot be taken back, so a person decides in doubt."""
    ask = Push(on_doubt="ask", parallel=2)
    yield Connector(
        name="email",
        title="E-mail (notifications by SMTP)",
        settings=Settings,
        open=MailAccount,
        pushes={"notification": ask, "*": ask},
        roles=("notification channel",),
    )
