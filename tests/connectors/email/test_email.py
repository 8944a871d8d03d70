"""Mails against a mail server in this process: what is written, to whom, and what happens when it goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.email import MailAccount, Settings
from connectors.email.render import parse, render
from connectors.email.simulator import Mailbox, mailbox
from hub.sdk import InDoubt, Kit, Outgoing, Paused, Receipt, Rejected, RetryLater

pytest_plugins = ["hub.testing.pytest_plugin"]
SAMPLES = Path(__file__).parents[3] / "mappings/email/samples"


@pytest.fixture
def box() -> Iterator[tuple[Mailbox, int]]:
    with mailbox() as running:
        yield running


def account(port: int, kit: Kit, **settings: Any) -> MailAccount:
    given: dict[str, Any] = {"brand": "Sample Shop", "sender": "Sample Shop <orders@shop.example>", **settings}
    return MailAccount(Settings(host="127.0.0.1", port=port, starttls=False, **given), kit)


def mail(tree: Any = None, *, key: str = "d-1", kind: str = "order_accepted", **more: Any) -> Outgoing:
    given = json.loads((SAMPLES / "accepted.json").read_text()) if tree is None else tree
    return Outgoing(key=key, kind=kind, body=json.dumps({**given, **more}).encode(), content_type="application/json")


def text_of(box: Mailbox, key: str = "d-1") -> str:
    body = box.mails[f"<{key}@shop.example>"].get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def test_an_accepted_order_is_told_in_the_buyers_language(box: tuple[Mailbox, int], hub_kit: Kit) -> None:
    receipt = account(box[1], hub_kit).push(mail())

    assert receipt == Receipt(reference="<d-1@shop.example>")
    sent = box[0].mails["<d-1@shop.example>"]
    assert sent["Subject"] == "Ihre Bestellung W-1001"
    assert sent["From"] == "Sample Shop <orders@shop.example>"
    assert box[0].recipients == {"<d-1@shop.example>": ["jo@customer.example"]}
    assert text_of(box[0]) == (
        "Guten Tag Jo Sample,\n\n"
        "vielen Dank für Ihre Bestellung W-1001. Wir haben notiert:\n\n"
        "  2 x Widget\n"
        "  1 x PANEL-A3\n\n"
        "Summe: 149.50 EUR\n\n"
        "Wir melden uns, sobald die Ware unterwegs ist.\n\n"
        "Sample Shop\n"
    )


def test_a_shipment_is_told_with_its_parcels(box: tuple[Mailbox, int], hub_kit: Kit) -> None:
    tree = json.loads((SAMPLES / "dispatched.json").read_text())

    account(box[1], hub_kit).push(mail(tree, kind="notification"))

    assert box[0].mails["<d-1@shop.example>"]["Subject"] == "Your order W-1001 is on its way"
    assert "Parcel CX0000000101 https://track.carrier.example/CX0000000101\n" in text_of(box[0])


def test_a_language_that_is_not_there_falls_back_to_the_accounts(box: tuple[Mailbox, int], hub_kit: Kit) -> None:
    account(box[1], hub_kit, language="de").push(mail(language="fi"))
    account(box[1], hub_kit).push(mail(language="fi", key="d-2"))

    assert box[0].mails["<d-1@shop.example>"]["Subject"] == "Ihre Bestellung W-1001"
    assert box[0].mails["<d-2@shop.example>"]["Subject"] == "Your order W-1001"


def test_own_templates_come_first(box: tuple[Mailbox, int], hub_kit: Kit, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/order_accepted.de.toml").write_text(
        'subject = "Danke, ${name}"\ntext = "${brand}: ${lines}"\n[each]\nlines = "${sku}"\n'
    )

    account(box[1], hub_kit, templates="shop").push(mail())

    assert box[0].mails["<d-1@shop.example>"]["Subject"] == "Danke, Jo Sample"
    assert text_of(box[0]) == "Sample Shop: WIDGET-001\nPANEL-A3\n"


def test_a_mail_that_is_sent_twice_has_one_id(box: tuple[Mailbox, int], hub_kit: Kit) -> None:
    sender = account(box[1], hub_kit)

    receipts = [sender.push(mail()), sender.push(mail())]

    assert [receipt.reference for receipt in receipts] == ["<d-1@shop.example>"] * 2
    assert (len(box[0].mails), box[0].repeats) == (1, 1)


def test_a_line_that_breaks_after_the_text_leaves_doubt(box: tuple[Mailbox, int], hub_kit: Kit) -> None:
    box[0].hangs_up = True

    with pytest.raises(InDoubt):
        account(box[1], hub_kit).push(mail())

    assert len(box[0].mails) == 1


def test_who_has_opted_out_gets_nothing(box: tuple[Mailbox, int], hub_kit: Kit) -> None:
    receipt = account(box[1], hub_kit).push(mail(opt_out=True))

    assert (receipt.reference, receipt.body) == ("", b"not sent: the recipient has opted out")
    assert box[0].mails == {}


def test_in_a_trial_every_mail_goes_to_one_address(box: tuple[Mailbox, int], hub_kit: Kit) -> None:
    account(box[1], hub_kit, redirect_to="trial@shop.example").push(mail())

    assert box[0].recipients == {"<d-1@shop.example>": ["trial@shop.example"]}


def test_an_unknown_recipient_is_final_and_a_full_box_is_tried_later(box: tuple[Mailbox, int], hub_kit: Kit) -> None:
    box[0].refuse = {"gone@customer.example": "550 no such box", "full@customer.example": "452 full"}
    sender = account(box[1], hub_kit)

    with pytest.raises(Rejected, match="550 no such box"):
        sender.push(mail(to="gone@customer.example"))
    with pytest.raises(RetryLater, match="452 full"):
        sender.push(mail(to=["full@customer.example"]))


def test_without_an_address_it_is_said_what_is_missing(hub_kit: Kit) -> None:
    with pytest.raises(Rejected, match="the mapping must fill `to`"):
        account(9, hub_kit).push(mail(to=[]))


def test_a_server_that_is_not_there_is_tried_later(hub_kit: Kit) -> None:
    with pytest.raises(RetryLater):
        account(9, hub_kit).push(mail())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"template": "order_lost"}, "there is no template order_lost.de.toml"),
        ({"template": "../../secret"}, "is not the name of a template"),
    ],
)
def test_a_template_that_cannot_be_is_refused(hub_kit: Kit, more: dict[str, str], said: str) -> None:
    with pytest.raises(Rejected, match=said):
        account(9, hub_kit).push(mail(**more))


def test_a_language_cannot_lead_to_another_folder(box: tuple[Mailbox, int], hub_kit: Kit) -> None:
    account(box[1], hub_kit).push(mail(language="../x"))

    assert box[0].mails["<d-1@shop.example>"]["Subject"] == "Your order W-1001"


def test_a_broken_template_pauses_the_account(hub_kit: Kit, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/order_accepted.de.toml").write_text('subject = "x"\n')

    with pytest.raises(Paused, match="needs subject and text"):
        account(9, hub_kit, templates="shop").push(mail())


@pytest.mark.parametrize("body", [b"ISA*00", b"[1]"])
def test_what_is_not_one_json_object_is_refused(hub_kit: Kit, body: bytes) -> None:
    with pytest.raises(Rejected):
        account(9, hub_kit).push(Outgoing(key="d-1", kind="notification", body=body))


def test_a_subject_is_one_line() -> None:
    letter = render(parse(b'subject = "For ${name}"\ntext = "x"'), {"name": "Jo\r\nBcc: all@shop.example"})

    assert letter.subject == "For Jo Bcc: all@shop.example"


def test_values_are_escaped_in_html_and_only_there() -> None:
    template = parse(b'subject = "s"\ntext = "${lines}"\nhtml = "<p>${lines}</p>"\n[each]\nlines = "${name}"')

    letter = render(template, {"lines": [{"name": "<b>A</b>"}, {"name": "B & C"}]})

    assert letter.text == "<b>A</b>\nB & C"
    assert letter.html == "<p>&lt;b&gt;A&lt;/b&gt;<br>\nB &amp; C</p>"


def test_a_missing_value_is_named_unless_it_has_a_default() -> None:
    with pytest.raises(Rejected, match="wants 'name'"):
        render(parse(b'subject = "Dear ${name}"\ntext = "x"'), {})

    letter = render(parse(b'subject = "Dear ${name}"\ntext = "x"\n[defaults]\nname = "customer"'), {})
    assert letter.subject == "Dear customer"


def test_a_dollar_sign_is_written_twice() -> None:
    assert render(parse(b'subject = "5 $$"\ntext = "x"'), {}).subject == "5 $"
    with pytest.raises(Rejected, match=r"write \$\$"):
        render(parse(b'subject = "5 $"\ntext = "x"'), {})
