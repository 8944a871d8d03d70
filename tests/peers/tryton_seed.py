"""Fill a new Tryton database with a company that sells three products; the peer's own Python runs it.

Arguments: configuration file, database, key of the REST application.
"""

from __future__ import annotations

import datetime
import sys
from decimal import Decimal

from proteus import Model, config
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, create_tax, get_accounts
from trytond.modules.account_invoice.tests.tools import set_fiscalyear_invoice_sequences

PRODUCTS = {"WIDGET-001": Decimal("12.50"), "PANEL-A3": Decimal("124.50"), "TAXED-9": Decimal("10.00")}


def seed(file: str, database: str, key: str) -> None:
    """Make company, chart of accounts, products, stock and the key of the REST application."""
    connected = config.set_trytond(f"sqlite:///{database}", config_file=file)
    currency = new("currency.currency", name="US Dollar", code="USD", numeric_code="840", rounding=Decimal("0.01"))
    currency.rates.new(date=datetime.date(2020, 1, 1), rate=Decimal(1))
    currency.save()
    for code in ("US", "DE"):
        new("country.country", name=code, code=code).save()
    party = new("party.party", name="Hub Merchant")
    party.save()
    company = new("company.company", party=party, currency=currency)
    company.save()
    user = Model.get("res.user").find([("login", "=", "admin")])[0]
    user.companies.append(company)
    user.company = Model.get("company.company")(company.id)
    user.save()
    connected._context = type(user).get_preferences(True, connected.context)
    accounts = books()
    goods(accounts)
    new("res.user.application", user=user, application="rest", key=key).save()
    application = Model.get("res.user.application").find([])[0]
    if application.state != "validated":
        application.click("validate_")


def books() -> dict[str, object]:
    """Make a chart of accounts and an open fiscal year."""
    create_chart()
    year = set_fiscalyear_invoice_sequences(create_fiscalyear())
    year.click("create_period")
    return get_accounts()


def goods(accounts: dict[str, object]) -> None:
    """Make the products, one of them with a tax of 10 %, and put 100 of each into the storage zone."""
    plain, taxed = (new("product.category", name=name, accounting=True) for name in ("Goods", "Taxed goods"))
    tax = create_tax(Decimal(".10"))
    tax.save()
    for category in (plain, taxed):
        category.account_expense, category.account_revenue = accounts["expense"], accounts["revenue"]
    taxed.customer_taxes.append(tax)  # After the accounts: setting those takes over their taxes.
    plain.save()
    taxed.save()
    unit = Model.get("product.uom").find([("name", "=", "Unit")])[0]
    for code, price in PRODUCTS.items():
        template = new("product.template", name=code, default_uom=unit, type="goods", salable=True, list_price=price)
        template.account_category = taxed if code.startswith("TAXED") else plain
        template.products[0].suffix_code = code
        template.products[0].cost_price = Decimal(5)
        template.save()
    storage = Model.get("stock.location").find([("code", "=", "STO")])[0]
    count = new("stock.inventory", location=storage)
    for product in Model.get("product.product").find([]):
        count.lines.new(product=product).quantity = 100
    count.click("confirm")


def new(model: str, **values: object) -> object:
    """Make a record that is not saved yet."""
    return Model.get(model)(**values)


if __name__ == "__main__":
    seed(*sys.argv[1:4])
