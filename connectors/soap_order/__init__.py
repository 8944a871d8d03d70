"""SOAP: a generic order sink. The mapping writes the operation's arguments; the WSDL lies on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from hub.sdk import Connector, Kit, Outgoing, Problem, Push, Receipt, Rejected, RetryLater, Secret, hookimpl

EXAMPLE = Path(__file__).parent / "wsdl" / "orders.wsdl"
FAULT = "soap_fault"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one service needs. Fields of arguments and answers are paths with points: `Header.Status`."""

    service_url: Annotated[str, "Address of the service; the one in the WSDL is not used"]
    wsdl: Annotated[
        str, "File of the WSDL below the hub's folders; empty: the example that comes with the connector"
    ] = ""
    operation: Annotated[str, "Operation that takes an order"] = "PlaceOrder"
    arguments: Annotated[dict[str, Any], "Arguments that every call carries, such as an account number"] = field(
        default_factory=dict
    )
    username: Annotated[str, "User name; empty: none"] = ""
    password: Annotated[Secret | None, "Password that belongs to the user name"] = None
    user_path: Annotated[str, "Argument that carries the user name; empty: HTTP basic authentication"] = ""
    password_path: Annotated[str, "Argument that carries the password, where user_path is set"] = ""
    key_field: Annotated[str, "Argument that carries our key; empty: the operation has no place for one"] = "Key"
    reference_field: Annotated[str, "Field of the answer that holds their number"] = "OrderNumber"
    status_field: Annotated[str, "Field of the answer that says whether it was taken; empty: no fault means yes"] = ""
    accepted: Annotated[tuple[str, ...], "Values of the status field that mean: taken"] = ("OK",)
    text_field: Annotated[str, "Field of the answer that says why it was not taken"] = "Text"
    busy_faults: Annotated[tuple[str, ...], "Codes or words of faults that mean: not taken, try again later"] = ()
    deadline: Annotated[int, "Seconds that one call may take in all"] = 30


@dataclass(frozen=True, kw_only=True)
class FindSettings(Settings):
    """What a service needs that can be asked for an order by our key."""

    find_operation: Annotated[str, "Operation that looks an order up by our key"]
    find_key_field: Annotated[str, "Argument of the look-up that carries our key"] = "Key"
    find_reference_field: Annotated[str, "Field of its answer that holds their number; empty: not found"] = (
        "OrderNumber"
    )
    absent_faults: Annotated[tuple[str, ...], "Codes or words of faults that mean: there is no such order"] = (
        "NotFound",
    )
    looks_first: Annotated[bool, "Look before every order: safe where they may fail after having taken one"] = True


class SoapOrder:
    """One open service that cannot be asked what it has."""

    def __init__(self, settings: Settings, kit: Kit) -> None:
        self.settings = settings
        basic = None
        if settings.username and settings.password is not None and not settings.user_path:
            basic = (settings.username, settings.password)
        wsdl = kit.path(settings.wsdl) if settings.wsdl else str(EXAMPLE)
        self.soap = kit.soap(wsdl, service_url=settings.service_url, basic=basic, deadline=settings.deadline)

    def push(self, out: Outgoing) -> Receipt:
        """Call the operation with the document as its arguments; a fault or a bad status is Rejected."""
        arguments = json.loads(out.body, parse_float=Decimal)
        if self.settings.key_field:
            arguments = _with(arguments, self.settings.key_field, out.key)
        answer = self._called(self.settings.operation, arguments)
        self._require_accepted(answer)
        return _receipt(answer, self.settings.reference_field)

    def _called(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        try:
            return self.soap.call(operation, **self._signed({**self.settings.arguments, **arguments}))
        except Rejected as error:
            if _names(error, self.settings.busy_faults):
                raise RetryLater(str(error)) from error
            raise

    def _signed(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Add user name and password where the service wants them as arguments."""
        settings = self.settings
        if settings.user_path:
            arguments = _with(arguments, settings.user_path, settings.username)
        if settings.password_path and settings.password is not None:
            arguments = _with(arguments, settings.password_path, settings.password.reveal())
        return arguments

    def _require_accepted(self, answer: Any) -> None:
        if not self.settings.status_field:
            return
        status = str(_field(answer, self.settings.status_field) or "")
        if status not in self.settings.accepted:
            said = _field(answer, self.settings.text_field) if self.settings.text_field else ""
            text = f"{self.settings.operation} was answered with {self.settings.status_field} {status!r}: {said or ''}"
            raise Rejected([Problem(code="soap_status", text=text.rstrip(": "), value=status)])


class FindingSoapOrder(SoapOrder):
    """One open service that can be asked for an order by our key."""

    def __init__(self, settings: FindSettings, kit: Kit) -> None:
        super().__init__(settings, kit)
        self.looking = settings

    def check(self) -> None:
        """Look for an order that cannot be there: shows a wrong address, password or WSDL."""
        self._found("connection-check")

    def push(self, out: Outgoing) -> Receipt:
        """Place the order, unless a look shows that it is there already."""
        found = self.find(out) if self.looking.looks_first else None
        return found or super().push(out)

    def find(self, out: Outgoing) -> Receipt | None:
        """Return the receipt of the order with our key; None where they say that there is none."""
        return self._found(out.key)

    def _found(self, key: str) -> Receipt | None:
        try:
            answer = self._called(self.looking.find_operation, _with({}, self.looking.find_key_field, key))
        except Rejected as error:
            if _names(error, self.looking.absent_faults):
                return None
            raise
        receipt = _receipt(answer, self.looking.find_reference_field)
        return receipt if receipt.reference else None


def _with(arguments: Mapping[str, Any], path: str, value: str) -> dict[str, Any]:
    """Return the arguments with one more value at a path."""
    first, _, rest = path.partition(".")
    inner = arguments.get(first)
    return {**arguments, first: _with(inner if isinstance(inner, Mapping) else {}, rest, value) if rest else value}


def _field(answer: Any, path: str) -> Any:
    """Return the value at a path; an answer of one field comes as that field's value alone."""
    if not isinstance(answer, (Mapping, list)):
        return answer
    for name in path.split("."):
        if isinstance(answer, list):
            answer = answer[0] if answer else None
        answer = answer.get(name) if isinstance(answer, Mapping) else None
    return answer


def _names(error: Rejected, faults: tuple[str, ...]) -> bool:
    """Say whether a fault is one of those: its code is equal, or its text has the word."""
    first = error.problems[0] if error.problems else None
    return (
        first is not None and first.code == FAULT and any(each == first.value or each in first.text for each in faults)
    )


def _receipt(answer: Any, path: str) -> Receipt:
    body = json.dumps(answer, default=str).encode()
    reference = _field(answer, path)
    return Receipt(reference="" if reference is None else str(reference), body=body, content_type="application/json")


@hookimpl
def hub_connectors() -> Iterator[Connector]:
    """Declare the generic SOAP order sink: with a look-up by our key, and without."""
    yield Connector(
        name="soap_order",
        title="SOAP order service (a doubt is for a person)",
        settings=Settings,
        open=SoapOrder,
        pushes={"order": Push(on_doubt="ask"), "purchase_order": Push(on_doubt="ask")},
        roles=("order sink",),
    )
    yield Connector(
        name="soap_order_find",
        title="SOAP order service (orders can be looked up by our key)",
        settings=FindSettings,
        open=FindingSoapOrder,
        pushes={"order": Push(on_doubt="find"), "purchase_order": Push(on_doubt="find")},
        roles=("order sink",),
    )
