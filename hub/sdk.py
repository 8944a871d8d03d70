"""The one door for connectors: import from here and from your vendor's library, from nowhere else."""

from __future__ import annotations

from hub.domain.errors import HubError, InDoubt, Paused, Problem, Rejected, RetryLater, TooLarge, Unverified
from hub.domain.message import Exchange, Incoming, Outgoing, Page, Receipt, Reception, Request
from hub.domain.secret import Secret
from hub.hookspecs import hookimpl
from hub.ports import (
    Connector,
    Endpoint,
    FileExchange,
    Files,
    FileSettings,
    Folder,
    Http,
    Kit,
    Mail,
    Push,
    Rate,
    RemoteFile,
    Reply,
    Soap,
)

__all__ = [
    "Connector", "Endpoint", "Exchange", "FileExchange", "FileSettings", "Files", "Folder", "Http", "HubError",
    "InDoubt", "Incoming", "Kit", "Mail", "Outgoing", "Page", "Paused", "Problem", "Push", "Rate", "Receipt",
    "Reception", "Rejected", "RemoteFile", "Reply", "Request", "RetryLater", "Secret", "Soap", "TooLarge",
    "Unverified", "hookimpl",
]  # fmt: skip
