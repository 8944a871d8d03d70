"""Messages: what crossed the wire, byte for byte, and what was made of it."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from hub.store import replay
from hub.store.inbox import messages_by_id
from hub.store.looks import messages
from hub.web.console.shared import changed, config, console, page, read, ring, who, write
from hub.web.permissions import needs
from hub.web.sessions import permitted

SHOWN_BYTES = 200_000
"""A page shows this much of a message; the rest is in the download."""
LARGEST_DOWNLOAD = 50_000_000
_HEX_WIDTH = 16
_HEX_BYTES = 4_096


@console.get("/messages")
@needs("see")
def list_messages() -> str:
    """Show messages, the newest first."""
    state, after = request.args.get("state", ""), request.args.get("after", "")
    found = read(lambda db: messages.messages(db, state=state, after=after))
    return page("messages", found=found, state_wanted=state, states=messages.UNSETTLED)


@console.get("/messages/<message_id>")
@needs("see")
def show_message(message_id: str) -> str:
    """Show one message: envelope, problems with their places, documents, and the bytes to whoever may see them."""
    found = read(lambda db: messages.message(db, message_id))
    if found is None:
        abort(404, f"there is no message {message_id}")
    head = read(lambda db: messages.head(db, message_id, SHOWN_BYTES)) if permitted("bytes") else None
    text, binary = ("", False) if head is None else readable(head)
    return page(
        "message",
        message=found,
        problems=msgspec.json.decode(found.problems) if found.problems else [],
        documents=[_with_problems(row) for row in read(lambda db: messages.documents(db, message_id))],
        work=read(lambda db: messages.work_of(db, message_id)),
        text=text,
        binary=binary,
        shown=SHOWN_BYTES,
        hidden=head is None,
    )


@console.get("/messages/<message_id>/raw")
@needs("bytes")
def download_message(message_id: str) -> Response:
    """Return the bytes as a file that no browser will interpret."""
    found = read(lambda db: messages.message(db, message_id))
    if found is None:
        abort(404, f"there is no message {message_id}")
    if found.size > LARGEST_DOWNLOAD:
        abort(413, f"{found.size:,} bytes are too much for the browser; use the command line")
    body = read(lambda db: messages_by_id(db, [message_id]))[message_id].body
    response = Response(body, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="{message_id}.bin"'
    return response


@console.post("/messages/<message_id>/replay")
@needs("deliveries")
def replay_message(message_id: str) -> Answer:
    """Take a received message in again, after what stopped it was mended."""
    me = who()
    connections = config().connections
    planned = write(lambda db: replay.replay(db, [message_id], connections, who=me))
    refused = planned[0].refused
    if refused:
        flash(_("Not replayed: %(reason)s.", reason=refused), "warn")
    else:
        flash(changed(True, _("The message is taken in again.")), "good")
        named = connections.get(planned[0].connection)
        ring({named.priority_lane if named else "document"})
    return redirect(url_for("console.show_message", message_id=message_id))


def readable(body: bytes) -> tuple[str, bool]:
    """Return bytes as text, or as a hex dump of their beginning where they are no text; and which of the two it is."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start > len(body) - 4 and error.end >= len(body) - 3:
            text = body[: error.start].decode("utf-8")
        else:
            return _hex(body[:_HEX_BYTES]), True
    if any(ord(sign) < 32 and sign not in "\t\r\n\f\x1c\x1d\x1e\x1f" for sign in text[:2000]):
        return _hex(body[:_HEX_BYTES]), True
    return text, False


def _hex(body: bytes) -> str:
    lines = []
    for at in range(0, len(body), _HEX_WIDTH):
        part = body[at : at + _HEX_WIDTH]
        signs = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{at:08x}  {part.hex(' '):<{_HEX_WIDTH * 3}} {signs}")
    return "\n".join(lines)


def _with_problems(row: Any) -> tuple[Any, list[Any]]:
    result = msgspec.json.decode(row.result) if row.result else {}
    return row, result.get("problems", []) if isinstance(result, dict) else []
