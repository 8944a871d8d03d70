"""Stock as a file (STO01). Not by OF24: that resets every field of an offer that is not sent, such as its price."""

from __future__ import annotations

from connectors.mirakl.client import Marketplace
from hub.sdk import Outgoing, Receipt


def send(market: Marketplace, out: Outgoing) -> Receipt:
    """Upload the CSV; the marketplace imports it in its own time. Absolute levels, so that twice is harmless."""
    boundary = f"part-{out.key}"
    head = (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="file"; filename="stock.csv"\r\n'
        "Content-Type: text/csv; charset=utf-8\r\n\r\n"
    )
    body = head.encode() + out.body + f"\r\n--{boundary}--\r\n".encode()
    answer = market.post("/api/offers/stock/imports", body, f"multipart/form-data; boundary={boundary}")
    return Receipt(reference=str(answer["import_id"]))
