"""SFTP: files in and out of a partner's SSH server. Any syntax, any document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from connectors.sftp.client import Account, SftpFiles
from hub.sdk import Connector, FileExchange, FileSettings, Kit, Push, Secret, hookimpl


@dataclass(frozen=True, kw_only=True)
class Settings(FileSettings):
    """What one account needs."""

    host: Annotated[str, "Their server, such as sftp.partner.example"]
    port: Annotated[int, "Its port"] = 22
    user: Annotated[str, "User name of our account there"]
    host_keys: Annotated[
        tuple[str, ...],
        "Their server's keys as they told you: SHA256:… fingerprints, or public keys (ssh-ed25519 AAAA…); old and new "
        "side by side while they change theirs",
    ]
    password: Annotated[Secret | None, "Password of that user; with private_key as well where they ask for both"] = None
    private_key: Annotated[Secret | None, "Our private key, in OpenSSH's or PEM form"] = None
    private_key_password: Annotated[Secret | None, "Password of private_key, where it has one"] = None


def opened(settings: Settings, kit: Kit) -> FileExchange:
    """Return one account: every call of it is a session of its own."""
    account = Account(
        user=settings.user,
        host_keys=settings.host_keys,
        password=settings.password,
        private_key=settings.private_key,
        private_key_password=settings.private_key_password,
        deadline=settings.deadline,
    )
    endpoint = kit.endpoint(settings.host, settings.port)
    return kit.files(settings, lambda: SftpFiles(endpoint, account, kit.connection))


@hookimpl
def hub_connectors() -> Iterator[Connector]:
    """Declare SFTP."""
    yield Connector(
        name="sftp",
        title="SFTP (files on an SSH server)",
        settings=Settings,
        open=opened,
        pulls=("*",),
        pushes={"*": Push(on_doubt="find", batch=8)},
        roles=("document transport",),
    )
