"""FTPS: files in and out of a partner's FTP server, over TLS only. Any syntax, any document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from connectors.ftps.client import Account, FtpsFiles
from hub.sdk import Connector, FileExchange, FileSettings, Kit, Push, Secret, hookimpl


@dataclass(frozen=True, kw_only=True)
class Settings(FileSettings):
    """What one account needs."""

    host: Annotated[str, "Their server, such as ftps.partner.example; its certificate must be for this name"]
    port: Annotated[int, "Its port: 21 as a rule, 990 with mode implicit"] = 21
    mode: Annotated[
        Literal["explicit", "implicit"], "explicit: TLS is asked for (AUTH TLS) before anything else; implicit: at once"
    ] = "explicit"
    user: Annotated[str, "User name of our account there"]
    password: Annotated[Secret | None, "Password of that user"] = None
    authorities: Annotated[
        tuple[str, ...],
        "Certificates of the authorities that vouch for their server, each as PEM text or as a file below the var "
        "directory; empty: those of this machine",
    ] = ()
    fingerprints: Annotated[
        tuple[str, ...],
        "SHA-256 fingerprints of their server's own certificate, in hex; then these are believed and no authority; "
        "old and new side by side while they change theirs",
    ] = ()
    reuse_session: Annotated[
        bool, "Take up the TLS session of the control line on data lines; many servers demand it"
    ] = True
    highest_tls: Annotated[
        Literal["1.2", "1.3"], "Newest TLS that is offered; 1.2 helps where a server loses sessions with 1.3"
    ] = "1.3"


def opened(settings: Settings, kit: Kit) -> FileExchange:
    """Return one account: every call of it is a session of its own."""
    account = Account(
        user=settings.user,
        password=settings.password,
        is_implicit=settings.mode == "implicit",
        authorities=settings.authorities,
        fingerprints=settings.fingerprints,
        reuses_session=settings.reuse_session,
        highest_tls=settings.highest_tls,
        deadline=settings.deadline,
    )
    return kit.files(settings, lambda: FtpsFiles(settings.host, settings.port, account, kit))


@hookimpl
def hub_connectors() -> Iterator[Connector]:
    """Declare FTPS."""
    yield Connector(
        name="ftps",
        title="FTPS (files on an FTP server, over TLS)",
        settings=Settings,
        open=opened,
        pulls=("*",),
        pushes={"*": Push(on_doubt="find", batch=8)},
        roles=("document transport",),
    )
