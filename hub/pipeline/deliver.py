"""Hand bytes to the connection, a window at a time, and say for each what became of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from time import monotonic

from hub.domain.errors import HubError, InDoubt
from hub.domain.message import Outgoing, Receipt
from hub.pipeline.services import Opened
from hub.ports import Push

log = logging.getLogger(__name__)
SLOW = 0.005
Result = Receipt | HubError


def deliver(opened: Opened, push: Push, window: Sequence[tuple[Outgoing, bool]]) -> list[Result]:
    """Send a window. (out, doubted): a doubted one is looked up first where the capability says `find`, and not sent
    at all where it says `ask`: a person decides."""
    results: list[Result | None] = [None] * len(window)
    for at, (out, doubted) in enumerate(window):
        if doubted and push.on_doubt == "find":
            results[at] = _found(opened, out)
        elif doubted and push.on_doubt == "ask":
            results[at] = InDoubt(f"{opened.name} may have taken it when an earlier attempt was cut off")
    left = [at for at, result in enumerate(results) if result is None]
    sent = _send(opened, push, [window[at][0] for at in left])
    for at, result in zip(left, sent, strict=True):
        results[at] = result
    return [result for result in results if result is not None]


def _found(opened: Opened, out: Outgoing) -> Result | None:
    """Look before sending again; a look-up that fails leaves the doubt as it is."""
    try:
        receipt: Receipt | None = opened.instance.find(out)
        return receipt
    except HubError as error:
        return InDoubt(f"still in doubt: the look-up failed: {error}")


def _send(opened: Opened, push: Push, outs: Sequence[Outgoing]) -> list[Result]:
    if push.batch > 1 and len(outs) > 1:
        return _send_many(opened, push, outs)
    results: list[Result] = []
    for at, out in enumerate(outs):
        begun = monotonic()
        results.append(_send_one(opened, out))
        if push.parallel > 1 and monotonic() - begun > SLOW:
            # Waiting for their side is what threads are good for; a fast one is served quicker by this thread alone.
            return results + list(_pool(push.parallel).map(lambda each: _send_one(opened, each), outs[at + 1 :]))
    return results


def _send_one(opened: Opened, out: Outgoing) -> Result:
    try:
        receipt: Receipt = opened.instance.push(out)
        return receipt
    except HubError as error:
        return error
    except Exception as error:
        log.exception("connector %s failed in push", opened.connector.name)
        return InDoubt(f"connector {opened.connector.name} failed while sending: {type(error).__name__}: {error}")


def _send_many(opened: Opened, push: Push, outs: Sequence[Outgoing]) -> list[Result]:
    results: list[Result] = []
    for start in range(0, len(outs), push.batch):
        part = outs[start : start + push.batch]
        try:
            results += opened.instance.push_many(part)
        except HubError as error:
            results += [error] * len(part)
    return results


@lru_cache(maxsize=8)
def _pool(size: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=size, thread_name_prefix="deliver")
