"""Hand bytes to the connection, a window at a time, and say for each what became of it.

A connector that declares a `batch` is given lists for one call, one that declares a `window` lists that it sends side
by side; others are given one document at a time, by several threads where their side takes its time.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from time import monotonic

from hub.domain.errors import HubError, InDoubt, Rejected
from hub.domain.message import Outgoing, Receipt
from hub.pipeline.holds import rest_of
from hub.pipeline.services import Opened
from hub.ports import Push

log = logging.getLogger(__name__)
SLOW = 0.005
TOGETHER = 32
"""So many are handed to threads at once; then it is asked whether there is time for more."""
Result = Receipt | HubError


class Unknowable(InDoubt):
    """It is in doubt and looking it up is refused: only a person can find out."""


def deliver(
    opened: Opened, push: Push, window: Sequence[tuple[Outgoing, bool]], until: float, *, slow: bool = False
) -> list[Result | None]:
    """Send a window. (out, doubted): a doubted one is looked up first where the capability says `find`, and not sent
    at all where it says `ask`: a person decides.

    None stands for what was not tried: after `until` (a `time.monotonic()` instant), or after the connection paused
    or asked for time, nothing more is begun. At least one is tried. `slow` says that their side took its time lately.
    """
    results: list[Result | None] = [None] * len(window)
    unsent = []
    for at, (out, doubted) in enumerate(window):
        if doubted and push.on_doubt == "ask":
            results[at] = InDoubt(f"{opened.name} may have taken it when an earlier attempt was cut off")
        elif doubted and push.on_doubt == "find":
            if at and monotonic() > until:
                continue
            results[at] = _found(opened, out)
            unsent += [at] if results[at] is None else []
        else:
            unsent.append(at)
    for at, result in zip(unsent, _send(opened, push, [window[at][0] for at in unsent], until, slow), strict=False):
        results[at] = result
    return results


def _found(opened: Opened, out: Outgoing) -> Result | None:
    """Look before sending again; a look-up that fails leaves the doubt as it is."""
    try:
        receipt: Receipt | None = opened.instance.find(out)
        return receipt
    except Rejected as error:
        return Unknowable(f"an earlier attempt was cut off, and {opened.name} refuses to be asked about it: {error}")
    except HubError as error:
        return InDoubt(f"still in doubt: the look-up failed: {error}")
    except Exception as error:
        log.exception("connector %s failed in find", opened.connector.name)
        return InDoubt(f"still in doubt: connector {opened.connector.name} failed while looking: {_named(error)}")


def _send(opened: Opened, push: Push, outs: Sequence[Outgoing], until: float, slow: bool) -> list[Result]:
    """Return the results of as many as there was time for."""
    results: list[Result] = []
    step = max(push.batch, push.window) if len(outs) > 1 else 1
    # Waiting for their side is what threads are good for; a fast one is served quicker by this thread alone.
    has_threads = step == 1 and push.parallel > 1
    step = TOGETHER if has_threads and slow else step
    has_time = True
    while len(results) < len(outs) and has_time:
        begun = monotonic()
        part = outs[len(results) : len(results) + step]
        answered = [_send_one(opened, part[0])] if step == 1 else _send_several(opened, push, part)
        results += answered
        if any(rest_of(each) is not None for each in answered):
            break
        turns_slow = has_threads and step == 1 and monotonic() - begun > SLOW
        step = TOGETHER if turns_slow else step
        has_time = turns_slow or monotonic() <= until
    return results


def _send_several(opened: Opened, push: Push, outs: Sequence[Outgoing]) -> list[Result]:
    if push.batch > 1 or push.window > 1:
        return _send_many(opened, outs)
    return list(_pool(push.parallel).map(lambda out: _send_one(opened, out), outs))


def _send_one(opened: Opened, out: Outgoing) -> Result:
    try:
        receipt: Receipt = opened.instance.push(out)
        return receipt
    except HubError as error:
        return error
    except Exception as error:
        log.exception("connector %s failed in push", opened.connector.name)
        return InDoubt(f"connector {opened.connector.name} failed while sending: {_named(error)}")


def _send_many(opened: Opened, outs: Sequence[Outgoing]) -> list[Result]:
    try:
        results: list[Result] = list(opened.instance.push_many(outs))
    except HubError as error:
        return [error] * len(outs)
    except Exception as error:
        log.exception("connector %s failed in push_many", opened.connector.name)
        return [InDoubt(f"connector {opened.connector.name} failed while sending: {_named(error)}")] * len(outs)
    if len(results) != len(outs):
        text = f"connector {opened.connector.name} answered {len(results)} results for {len(outs)} documents"
        return [InDoubt(text)] * len(outs)
    return results


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


@lru_cache(maxsize=8)
def _pool(size: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=size, thread_name_prefix="deliver")
