"""For the simulator: an order's webhook body as the node that the GraphQL API gives for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any


def node_of(order: dict[str, Any]) -> dict[str, Any]:
    """Return every field that our documents ask of an order; instants in UTC, as the API writes them."""
    customer = order.get("customer")
    return {
        "id": f"gid://shopify/Order/{order['id']}",
        "legacyResourceId": str(order["id"]),
        "name": order["name"],
        "createdAt": _utc(order["created_at"]),
        "processedAt": _utc(order["processed_at"]),
        "updatedAt": _utc(order["updated_at"]),
        "cancelledAt": _utc(order["cancelled_at"]),
        "test": order["test"],
        "note": order["note"],
        "tags": [tag.strip() for tag in order["tags"].split(",") if tag.strip()],
        "poNumber": order["po_number"],
        "sourceName": order["source_name"],
        "email": order["email"],
        "phone": order["phone"],
        "customerLocale": order["customer_locale"],
        "currencyCode": order["currency"],
        "presentmentCurrencyCode": order["presentment_currency"],
        "taxesIncluded": order["taxes_included"],
        "displayFinancialStatus": order["financial_status"].upper(),
        "paymentTerms": None,
        "totalPriceSet": {
            "shopMoney": {"amount": order["total_price_set"]["shop_money"]["amount"]},
            **_money(order["total_price_set"]),
        },
        "originalTotalDutiesSet": None,
        "originalTotalAdditionalFeesSet": None,
        "customer": customer
        and {"legacyResourceId": str(customer["id"]), "displayName": order["billing_address"]["name"]},
        "shippingAddress": _address(order.get("shipping_address")),
        "billingAddress": _address(order.get("billing_address")),
        "taxLines": _taxes(order["tax_lines"]),
        "shippingLines": {"nodes": [_shipping(line) for line in order["shipping_lines"]]},
        "lineItems": {"nodes": [_line(line) for line in order["line_items"]]},
    }


def _line(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/LineItem/{line['id']}",
        "name": line["name"],
        "sku": line["sku"],
        "quantity": line["quantity"],
        "currentQuantity": line["current_quantity"],
        "requiresShipping": line["requires_shipping"],
        "isGiftCard": line["gift_card"],
        "variant": {"legacyResourceId": str(line["variant_id"])} if line["variant_id"] else None,
        "originalUnitPriceSet": _money(line["price_set"]),
        "discountAllocations": _discounts(line["discount_allocations"]),
        "taxLines": _taxes(line["tax_lines"]),
    }


def _shipping(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": line["title"],
        "code": line["code"],
        "originalPriceSet": _money(line["price_set"]),
        "discountAllocations": _discounts(line["discount_allocations"]),
    }


def _money(given: dict[str, Any]) -> dict[str, Any]:
    return {"presentmentMoney": {"amount": given["presentment_money"]["amount"]}}


def _discounts(given: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"allocatedAmountSet": _money(each["amount_set"])} for each in given]


def _taxes(given: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "title": each["title"],
            "rate": each["rate"],
            "channelLiable": each["channel_liable"],
            "priceSet": _money(each["price_set"]),
        }
        for each in given
    ]


def _address(given: dict[str, Any] | None) -> dict[str, Any] | None:
    return given and {
        "name": given["name"],
        "company": given["company"],
        "address1": given["address1"],
        "address2": given["address2"],
        "city": given["city"],
        "provinceCode": given["province_code"],
        "zip": given["zip"],
        "countryCodeV2": given["country_code"],
        "phone": given["phone"],
    }


def _utc(text: str | None) -> str | None:
    return text and datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
