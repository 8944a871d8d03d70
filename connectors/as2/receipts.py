"""Their receipts: opened, believed or not, and compared with what we sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.as2 import mdn
from connectors.as2.algorithms import WEAK, digest_of
from connectors.as2.failures import Unusable
from connectors.as2.mdn import Report
from connectors.as2.mime import Entity
from connectors.as2.unwrapping import Trust, Unwrapped, unwrap
from hub.sdk import Problem

_LAYERS = frozenset({"multipart/signed", "application/pkcs7-mime", "application/x-pkcs7-mime"})


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a receipt must be to count: for which Message-ID, over which bytes, signed or not."""

    identity: str
    checked: bytes
    signed: bool
    weak: Sequence[str] = ()


def may_be_receipt(entity: Entity) -> bool:
    """Say whether an HTTP answer holds a receipt, as far as its fields show."""
    return bool(entity.body.strip()) and (entity.media.value in _LAYERS or mdn.is_receipt(entity))


def compare(entity: Entity, trust: Trust, demand: Demand) -> Problem | None:
    """Return what is wrong with a receipt, None where it proves that they have what we sent."""
    try:
        found = unwrap(entity, trust)
        report = mdn.read(found.entity)
    except Unusable as error:
        text = f"their receipt cannot be believed ({error.modifier}): {error.text}; {error.action}"
        return Problem(code="mdn_unverified", path="receipt", value=error.modifier, text=text)
    return _compared(found, report, demand)


def _compared(found: Unwrapped, report: Report, demand: Demand) -> Problem | None:
    for problem in (_refusal(found, report, demand), _stranger(report, demand), _unproven(report, demand)):
        if problem is not None:
            return problem
    return None


def _refusal(found: Unwrapped, report: Report, demand: Demand) -> Problem | None:
    if not report.is_positive:
        text = f"the partner refused it: {report.disposition}; they say: {report.words or 'nothing else'}"
        return Problem(code="mdn_refused", path="receipt", value=report.modifier or report.disposition, text=text)
    if demand.signed and found.signed is None:
        text = "their receipt is not signed; ask them for signed receipts, or set receipt_signed to false"
        return Problem(code="mdn_unsigned", path="receipt", text=text)
    return None


def _stranger(report: Report, demand: Demand) -> Problem | None:
    if report.original_id == demand.identity:
        return None
    text = f"their receipt is for message {report.original_id[:200] or 'unknown'}, not for {demand.identity}"
    return Problem(code="mdn_foreign", path="receipt", value=report.original_id[:200], text=text)


def _unproven(report: Report, demand: Demand) -> Problem | None:
    """Compare the integrity check; only where no signature is asked for may it be missing."""
    if not report.mic:
        if not demand.signed:
            return None
        text = "their receipt has no Received-Content-MIC, so it does not prove what they got"
        return Problem(code="mic_missing", path="receipt", text=text)
    if not report.digest or (report.digest in WEAK and report.digest not in demand.weak):
        text = f"their receipt's MIC is made with {report.digest or 'an unknown digest'}; ask them for SHA-256"
        return Problem(code="mic_unknown", path="receipt", value=report.digest, text=text)
    if report.mic == digest_of(demand.checked, report.digest):
        return None
    text = (
        "what they received is not what we sent (their MIC differs from ours): something between changes the message; "
        "find it, then send again"
    )
    return Problem(code="mic_mismatch", path="receipt", value=report.mic.hex(), text=text)
