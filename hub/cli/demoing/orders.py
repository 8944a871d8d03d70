"""The orders of the demo, as each source writes them. Invented people, invented prices that add up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

PRICES = {"WIDGET-001": "12.50", "PANEL-A3": "124.50", "LAMP-7": "39.00", "MUG-BLUE": "8.40", "DESK-90": "410.00",
          "CHAIR-12": "189.00"}  # fmt: skip
TOWNS = (
    ("Ada Sample", "1 Main Street", "Dayton", "OH", "45402"),
    ("Ben Example", "44 Lake Road", "Chicago", "IL", "60601"),
    ("Cleo Muster", "9 Hill Avenue", "Sacramento", "CA", "95814"),
    ("Dan Specimen", "310 Palm Drive", "Phoenix", "AZ", "85004"),
)
LANGUAGES = ("en", "en", "de", "en")
"""What the customers of `TOWNS` speak."""
GTINS = {"WIDGET-001": "0614141001019", "PANEL-A3": "0614141001026", "LAMP-7": "0614141001033",
         "MUG-BLUE": "0614141001040", "DESK-90": "0614141001057", "CHAIR-12": "0614141001064"}  # fmt: skip
Bought = Sequence[tuple[str, int]]


def cents(bought: Bought) -> int:
    """Return what the lines cost, in cents."""
    return sum(int(PRICES[sku].replace(".", "")) * quantity for sku, quantity in bought)


def money(amount: int) -> str:
    """Return cents as a decimal text."""
    return f"{amount // 100}.{amount % 100:02d}"


def shop_order(number: int, bought: Bought, at: datetime) -> dict[str, Any]:
    """Return an order as a Shopify-shaped shop sends it in a webhook."""
    customer = number // 4 % len(TOWNS)
    name, street, town, state, postal = TOWNS[customer]
    stamp, total = at.isoformat(timespec="seconds"), money(cents(bought))
    first, _, last = name.partition(" ")
    address = {
        "first_name": first, "last_name": last, "name": name, "address1": street, "address2": None, "city": town,
        "province": state, "province_code": state, "zip": postal, "country": "United States", "country_code": "US",
        "phone": None, "company": None,
    }  # fmt: skip
    lines = [_shop_line(number * 10 + at, sku, quantity) for at, (sku, quantity) in enumerate(bought)]
    return {
        "id": number, "admin_graphql_api_id": f"gid://shopify/Order/{number}", "name": f"#{number}",
        "order_number": number, "created_at": stamp, "processed_at": stamp, "updated_at": stamp, "cancelled_at": None,
        "currency": "USD", "presentment_currency": "USD", "email": f"{first.lower()}@customer.example",
        "financial_status": "paid", "taxes_included": False, "total_price": total, "current_total_price": total,
        "subtotal_price": total, "total_discounts": "0.00", "total_tax": "0.00", "line_items": lines,
        "total_price_set": _both(total), "current_total_price_set": _both(total),
        "shipping_address": address, "billing_address": address, "shipping_lines": [], "discount_codes": [],
        "discount_applications": [], "tax_lines": [], "note": None, "tags": "", "test": False, "po_number": None,
        "source_name": "web", "phone": None, "customer_locale": LANGUAGES[customer], "cancel_reason": None,
        "closed_at": None, "original_total_duties_set": None, "original_total_additional_fees_set": None,
        "payment_terms": None,
        "fulfillment_status": None, "note_attributes": [], "customer": {
            "id": 900_000 + number, "email": f"{first.lower()}@customer.example", "first_name": first,
            "last_name": last,
        },
    }  # fmt: skip


def _shop_line(line_id: int, sku: str, quantity: int) -> dict[str, Any]:
    return {
        "id": line_id, "admin_graphql_api_id": f"gid://shopify/LineItem/{line_id}", "sku": sku, "title": sku.title(),
        "name": sku.title(), "quantity": quantity, "current_quantity": quantity, "fulfillable_quantity": quantity,
        "price": PRICES[sku], "price_set": _both(PRICES[sku]), "total_discount": "0.00", "discount_allocations": [],
        "tax_lines": [], "requires_shipping": True, "taxable": False, "gift_card": False, "variant_id": line_id,
        "product_id": line_id, "grams": 100,
    }  # fmt: skip


def _both(amount: str) -> dict[str, Any]:
    value = {"amount": amount, "currency_code": "USD"}
    return {"shop_money": value, "presentment_money": value}


def market_order(number: int, bought: Bought, at: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an order as a Mirakl-shaped marketplace lists it, and the address it shows once the buyer has paid."""
    name, street, town, state, postal = TOWNS[number // 4 % len(TOWNS)]
    first, _, last = name.partition(" ")
    stamp, total = at.strftime("%Y-%m-%dT%H:%M:%SZ"), money(cents(bought))
    lines = [_market_line(f"M{number}-A", at, sku, quantity) for at, (sku, quantity) in enumerate(bought, 1)]
    order = {
        "order_id": f"M{number}-A", "commercial_id": f"M{number}", "order_state": "WAITING_ACCEPTANCE",
        "created_date": stamp, "last_updated_date": stamp, "currency_iso_code": "USD", "order_tax_mode": "TAX_INCLUDED",
        "price": float(total), "shipping_price": 0, "total_price": float(total), "total_commission": 0,
        "channel": {"code": "US", "label": "United States"}, "customer": {
            "customer_id": f"C-{number}", "firstname": first, "lastname": last, "locale": "en_US",
            "billing_address": None, "shipping_address": None,
        },
        "customer_notification_email": f"{first.lower()}@notification.example", "customer_debited_date": None,
        "shipping_type_code": "STD", "shipping_type_label": "Standard", "payment_workflow": "PAY_ON_ACCEPTANCE",
        "shipping_company": None, "shipping_tracking": None, "order_additional_fields": [], "order_lines": lines,
        "promotions": {"applied_promotions": [], "total_deduced_amount": 0},
    }  # fmt: skip
    address = {
        "firstname": first, "lastname": last, "street_1": street, "street_2": None, "city": town, "state": state,
        "zip_code": postal, "country": "United States", "country_iso_code": "USA", "phone": None, "company": None,
    }  # fmt: skip
    return order, address


def _market_line(order_id: str, at: int, sku: str, quantity: int) -> dict[str, Any]:
    price = float(money(cents(((sku, quantity),))))
    return {
        "order_line_id": f"{order_id}-{at}", "order_line_index": at, "order_line_state": "WAITING_ACCEPTANCE",
        "offer_id": at, "offer_sku": sku, "product_sku": sku, "product_title": sku.title(), "quantity": quantity,
        "price": price, "price_unit": float(PRICES[sku]), "shipping_price": 0, "total_price": price,
        "commission_fee": 0, "taxes": [], "shipping_taxes": [], "cancelations": [], "refunds": [], "promotions": [],
    }  # fmt: skip


def x12_orders(control: int, orders: Sequence[tuple[str, Bought]], at: datetime) -> bytes:
    """Return one interchange with an 850 for each order."""
    day, clock = at.strftime("%Y%m%d"), at.strftime("%H%M")
    out = [
        f"ISA*00*{'':10}*00*{'':10}*ZZ*{'BIGBOX':15}*ZZ*{'HARBOUR':15}*{day[2:]}*{clock}*U*00401*{control:09d}*0*P*>",
        f"GS*PO*BIGBOX*HARBOUR*{day}*{clock}*{control}*X*004010",
    ]
    for ordinal, (number, bought) in enumerate(orders, 1):
        _, street, town, state, postal = TOWNS[ordinal % len(TOWNS)]
        segments = [
            f"ST*850*{ordinal:04d}", f"BEG*00*SA*{number}**{day}", "CUR*BY*USD",
            "N1*BY*Big Box Stores*92*0001", f"N1*ST*Big Box {town}*92*{ordinal:04d}", f"N3*{street}",
            f"N4*{town}*{state}*{postal}*US",
        ]  # fmt: skip
        segments += [
            f"PO1*{line}*{quantity}*EA*{PRICES[sku]}**VP*{sku}*EN*{GTINS[sku]}"
            for line, (sku, quantity) in enumerate(bought, 1)
        ]
        segments += [f"CTT*{len(bought)}", f"AMT*TT*{money(cents(bought))}"]
        out += [*segments, f"SE*{len(segments) + 1}*{ordinal:04d}"]
    out += [f"GE*{len(orders)}*{control}", f"IEA*1*{control:09d}"]
    return ("~\n".join(out) + "~\n").encode()


def edifact_orders(control: int, orders: Sequence[tuple[str, Bought]], at: datetime) -> bytes:
    """Return one interchange with an ORDERS for each order."""
    out = [
        "UNA:+.? ",
        f"UNB+UNOC:3+4012345000009:14+0614141000005:14+{at.strftime('%y%m%d')}:{at.strftime('%H%M')}+{control}",
    ]
    for ordinal, (number, bought) in enumerate(orders, 1):
        name, street, town, state, postal = TOWNS[ordinal % len(TOWNS)]
        segments = [
            f"UNH+{ordinal}+ORDERS:D:96A:UN:EAN008", f"BGM+220+{number}+9", f"DTM+137:{at.strftime('%Y%m%d')}:102",
            "NAD+BY+K-4711::92++Kontor Grosshandel", "NAD+SU+0614141000005::9++Harbour Goods Inc.",
            f"NAD+DP+++{name}+{street}+{town}+{state}+{postal}+US", "CUX+2:USD:9",
        ]  # fmt: skip
        for line, (sku, quantity) in enumerate(bought, 1):
            segments += [
                f"LIN+{line}++{GTINS[sku]}:EN", f"PIA+1+{sku}:SA", f"QTY+21:{quantity}:PCE", f"PRI+AAA:{PRICES[sku]}",
            ]  # fmt: skip
        segments += ["UNS+S", f"MOA+86:{money(cents(bought))}", f"CNT+2:{len(bought)}"]
        out += [*segments, f"UNT+{len(segments) + 1}+{ordinal}"]
    out.append(f"UNZ+{len(orders)}+{control}")
    return ("'\n".join(out) + "'\n").encode()
