"""Every GraphQL document that is sent to a shop, in the names of the Admin API 2026-10.

Each asks for few objects at a time: a shop refuses a document that could cost more than 1,000 points.
"""

from __future__ import annotations

SHOP = """
query Shop { shop { name myshopifyDomain currencyCode } }
"""

CHANGED_ORDERS = """
query ChangedOrders($filter: String!, $first: Int!, $after: String) {
  orders(first: $first, after: $after, query: $filter, sortKey: UPDATED_AT) {
    nodes { id legacyResourceId updatedAt }
    pageInfo { hasNextPage endCursor }
  }
}
"""

_MONEY = "{ presentmentMoney { amount } }"
_ADDRESS = "{ name company address1 address2 city provinceCode zip countryCodeV2 phone }"
_TAXES = f"taxLines {{ title rate channelLiable priceSet {_MONEY} }}"
_DISCOUNTS = f"discountAllocations {{ allocatedAmountSet {_MONEY} }}"

ORDER = f"""
query Order($id: ID!, $first: Int!, $after: String) {{
  order(id: $id) {{
    id legacyResourceId name createdAt processedAt updatedAt cancelledAt test note tags poNumber sourceName
    email phone customerLocale currencyCode presentmentCurrencyCode taxesIncluded displayFinancialStatus
    paymentTerms {{ paymentTermsType }}
    totalPriceSet {{ shopMoney {{ amount }} presentmentMoney {{ amount }} }}
    originalTotalDutiesSet {_MONEY}
    originalTotalAdditionalFeesSet {_MONEY}
    customer {{ legacyResourceId displayName }}
    shippingAddress {_ADDRESS}
    billingAddress {_ADDRESS}
    {_TAXES}
    shippingLines(first: 10, includeRemovals: true) {{
      nodes {{ title code originalPriceSet {_MONEY} {_DISCOUNTS} }}
    }}
    lineItems(first: $first, after: $after) {{
      nodes {{
        id name sku quantity currentQuantity requiresShipping isGiftCard
        variant {{ legacyResourceId }}
        originalUnitPriceSet {_MONEY}
        {_DISCOUNTS}
        {_TAXES}
      }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
"""

FULFILLMENT_STATE = """
query FulfillmentState($id: ID!) {
  order(id: $id) {
    id
    fulfillmentOrders(first: 50) { nodes { id status assignedLocation { location { id } } } }
    fulfillments(first: 100) { id status trackingInfo(first: 20) { number } }
  }
}
"""

WORK_LINES = """
query WorkLines($id: ID!, $first: Int!, $after: String) {
  fulfillmentOrder(id: $id) {
    lineItems(first: $first, after: $after) {
      nodes { id remainingQuantity lineItem { id } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

SENT_LINES = """
query SentLines($id: ID!, $first: Int!, $after: String) {
  fulfillment(id: $id) {
    fulfillmentLineItems(first: $first, after: $after) {
      nodes { quantity lineItem { id } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

FULFILL = """
mutation Fulfill($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) {
    fulfillment { id status }
    userErrors { field message }
  }
}
"""

ITEMS_BY_SKU = """
query ItemsBySku($filter: String!, $first: Int!, $after: String) {
  inventoryItems(first: $first, after: $after, query: $filter) {
    nodes { id sku }
    pageInfo { hasNextPage endCursor }
  }
}
"""

SET_STOCK = """
mutation SetStock($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id }
    userErrors { code field message }
  }
}
"""

DOCUMENTS = (SHOP, CHANGED_ORDERS, ORDER, FULFILLMENT_STATE, WORK_LINES, SENT_LINES, FULFILL, ITEMS_BY_SKU, SET_STOCK)
