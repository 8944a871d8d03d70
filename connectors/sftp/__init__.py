"""SFTP: files in and out of a partner's SSH server. Any syntax, any document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from connectors.sftp.client import Account, SftpFiles
from hub.sdk import Connector, FileSettings, HubError, Kit, Outgoing, Page, Push, Receipt, Secret, hookimpl


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


class Sftp:
    """One open account."""

    def __init__(self, settings: Settings, kit: Kit) -> None:
        account = Account(
            user=settings.user,
            host_keys=settings.host_keys,
            password=settings.password,
            private_key=settings.private_key,
            private_key_password=settings.private_key_password,
            deadline=settings.deadline,
        )
        endpoint = kit.endpoint(settings.host, settings.port)
        self.files = kit.files(settings, lambda: SftpFiles(endpoint, account, kit.connection))

    def check(self) -> None:
        """Prove the server, sign in and look into the folders."""
        self.files.check()

    def pull(self, kind: str, cursor: str) -> Iterator[Page]:
        """Yield what lies there, oldest first."""
        return self.files.pull(kind, cursor)

    def push(self, out: Outgoing) -> Receipt:
        """Put one document there."""
        return self.files.push(out)

    def push_many(self, outs: Sequence[Outgoing]) -> Sequence[Receipt | HubError]:
        """Put several there in one session."""
        return self.files.push_many(outs)

    def find(self, out: Outgoing) -> Receipt | None:
        """Look whether a document is there."""
        return self.files.find(out)


@hookimpl
def hub_connectors() -> Iterator[Connector]:
    """Declare SFTP."""
    yield Connector(
        name="sftp",
        title="SFTP (files on an SSH server)",
        settings=Settings,
        open=Sftp,
        pulls=("*",),
        pushes={"*": Push(on_doubt="find", batch=8)},
        roles=("document transport",),
    )
