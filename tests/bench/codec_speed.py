"""How fast the EDI codecs are on one core: tokenizing, decoding against a guide, encoding, and memory. Prints a table.

Run: python tests/bench/codec_speed.py [ORDERS]

The orders have five lines. "alike" repeats addresses and dates as one partner's file does; in "varied" every name,
street and description is another. Where pydifact or pyx12 can be imported, their tokenizing is measured beside ours.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import io
import itertools
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from hub.cli.benching import samples
from hub.codecs.edifact.codec import CODEC as EDIFACT
from hub.codecs.edifact.envelope import service_of
from hub.codecs.edifact.reader import cut_message
from hub.codecs.frames import Context
from hub.codecs.x12.codec import CODEC as X12
from hub.codecs.x12.reader import cut_set
from hub.ports import Codec, Profile

GUIDES = {"x12": "x12/850-004010", "edifact": "edifact/ORDERS-D96A"}
CODECS: dict[str, Codec] = {"x12": X12, "edifact": EDIFACT}
ENVELOPES: dict[str, dict[str, Any]] = {
    "x12": {"sender": "ZZ:US", "receiver": "01:THEM", "set": "850"},
    "edifact": {"sender": "14:0614141000012", "receiver": "14:0614141999996", "set": "ORDERS"},
}
MOMENT = {"date": "20261122", "time": "1015", "control": {"interchange": 1, "group": 1}}
WORDS = (b"Bench Store 7", b"7 Harbor Road", b"Thing")
ROUNDS = 5
MILLION = 1_000_000


def body_of(syntax: str, count: int, *, varied: bool) -> bytes:
    """Return one interchange of orders; each word that may vary gets a number of its own."""
    body: bytes = getattr(samples, syntax)(range(1, count + 1))
    if varied:
        numbers = itertools.count(1)
        body = re.sub(b"|".join(WORDS), lambda match: match[0] + b" %d" % next(numbers), body)
    return body


def parts(codec: Codec, body: bytes) -> Iterator[tuple[Any, bytes]]:
    """Yield the frames of a body with their bytes."""
    for frame in codec.frames(body, Profile()):
        yield frame, body[frame.offset : frame.offset + frame.length]


def tokenize(syntax: str, body: bytes) -> int:
    """Frame a body and split every set into elements and components, without looking at them; count the segments."""
    found = 0
    for frame, part in parts(CODECS[syntax], body):
        context = msgspec.msgpack.decode(frame.context, type=Context)
        facts = context.envelopes[0].facts
        service = service_of(facts) if syntax == "edifact" else None
        for span in context.spans:
            raw = part[span.start : span.start + span.length]
            if service is not None:
                pieces, _ = cut_message(raw, service, "", "", span.start) or ([], [])
                found += len([service.elements(piece) for piece in pieces])
            else:
                pieces, _ = cut_set(raw, facts["terminator"], facts["element"], "", span.start) or ([], [])
                found += len([piece.split(facts["element"]) for piece in pieces])
    return found


def decode(syntax: str, body: bytes) -> int:
    """Decode against the guide, one frame in memory at a time; count the sets, none of which may have problems."""
    profile = Profile(guide=GUIDES[syntax])
    found = 0
    for frame, part in parts(CODECS[syntax], body):
        sets = list(CODECS[syntax].decode(part, frame, profile))
        assert not any(each.problems for each in sets)
        found += len(sets)
    return found


def documents(syntax: str, body: bytes) -> list[list[list[Any]]]:
    """Return the sets of a body as `encode` takes them."""
    found = []
    for frame, part in parts(CODECS[syntax], body):
        for each in CODECS[syntax].decode(part, frame, Profile()):
            segments: list[tuple[int, list[Any]]] = []
            _collect(each.tree, segments)
            found.append([elements for _, elements in sorted(segments, key=lambda pair: pair[0])[1:]])
    return found


def _collect(node: Any, segments: list[tuple[int, list[Any]]]) -> None:
    segments.append((node.number, node.elements))
    for children in node.children.values():
        for child in children:
            _collect(child, segments)


def reference(syntax: str) -> tuple[str, Callable[[bytes], Any]] | None:
    """Return another library's tokenizing, where one is installed."""
    name = {"x12": "pyx12", "edifact": "pydifact"}[syntax]
    if importlib.util.find_spec(name) is None:
        return None
    if name == "pyx12":
        reader = importlib.import_module("pyx12.x12file").X12Reader
        return name, lambda body: sum(1 for _ in reader(io.StringIO(body.decode("ascii"))))
    collection = importlib.import_module("pydifact.segmentcollection").Interchange
    warnings.simplefilter("ignore")
    return name, lambda body: collection.from_str(body.decode("ascii").replace("\n", ""))


def seconds(call: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Return the processor time of one call, the best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return best


def row(name: str, size: int, orders: int, spent: float) -> None:
    """Print one line of the table."""
    print(f"{name:34}{size / spent / 1e6:>10.1f}{orders / spent:>12,.0f}{spent / orders * 1e6:>10.1f}")


def measure(syntax: str, orders: int) -> None:
    """Measure one syntax and print it."""
    codec, own = CODECS[syntax], 0.0
    for kind in ("alike", "varied"):
        body = body_of(syntax, orders, varied=kind == "varied")
        own = seconds(partial(tokenize, syntax, body))
        row(f"{syntax} tokenize, {kind}", len(body), orders, own)
        row(f"{syntax} decode and check, {kind}", len(body), orders, seconds(partial(decode, syntax, body)))
    other = reference(syntax)
    if other is not None:
        theirs = seconds(partial(other[1], body), 1)
        row(f"{syntax} {other[0]}, varied", len(body), orders, theirs)
        print(f"    tokenizing takes 1/{theirs / own:.1f} of its time")
    written = documents(syntax, body)
    envelope = {**ENVELOPES[syntax], **MOMENT}
    size = len(codec.encode(written, envelope))
    row(f"{syntax} encode, one interchange", size, orders, seconds(partial(codec.encode, written, envelope)))
    row(f"{syntax} encode, one each", size, orders, seconds(lambda: [codec.encode([one], envelope) for one in written]))


def memory() -> None:
    """Decode a file of a million segments in a process of its own and print the most memory it had."""
    with tempfile.NamedTemporaryFile(suffix=".edi") as file:
        file.write(body_of("x12", MILLION // 21, varied=False))
        file.flush()
        subprocess.run([sys.executable, __file__, "--decode", file.name], check=True)


def decode_file(name: str) -> None:
    """Decode a file and print the most memory this process had."""
    body = Path(name).read_bytes()
    start = time.process_time()
    count = decode("x12", body)
    spent = time.process_time() - start
    status = Path("/proc/self/status").read_text("ascii")  # getrusage would tell the parent's peak too
    most = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(f"a file of {len(body) / 1e6:.0f} MB, a million segments, {count:,} sets: {most:.0f} MB RSS, {spent:.1f} s")


def main() -> None:
    """Measure and print."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)  # as the hub's processes have it
    if sys.argv[1:2] == ["--decode"]:
        decode_file(sys.argv[2])
        return
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print(f"{'':34}{'MB/s':>10}{'orders/s':>12}{'us each':>10}")
    for syntax in CODECS:
        measure(syntax, orders)
    memory()


if __name__ == "__main__":
    main()
