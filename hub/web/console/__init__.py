"""The console: what people see of the hub, page by page."""

from hub.web.console import connections, deliveries, incidents, messages, orders, overview
from hub.web.console.shared import console

__all__ = ["connections", "console", "deliveries", "incidents", "messages", "orders", "overview"]
