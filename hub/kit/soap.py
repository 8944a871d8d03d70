"""A SOAP client whose WSDL lies on disk and whose requests go through the guarded HTTP client."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import zeep
import zeep.exceptions
from lxml import etree
from requests.structures import CaseInsensitiveDict
from zeep.helpers import serialize_object

from hub.domain.errors import HubError, InDoubt, Problem, Rejected
from hub.kit.files import read_regular
from hub.kit.http import GuardedHttp

WSDL_CAP = 5_000_000
FAULTS = frozenset({400, 500})
"""SOAP 1.1 and 1.2 send faults with these statuses."""


_client: Any = zeep.Client
_serialized: Any = serialize_object


class SoapClient:
    """The kit's `Soap`. The WSDL is read at the first call; threads may share the client."""

    def __init__(self, wsdl: str, *, service_url: str, connection: str, http: Callable[[str], GuardedHttp]) -> None:
        parts = urlsplit(service_url)
        origin = f"{parts.scheme}://{parts.netloc}"
        self._wsdl, self._url, self._name = wsdl, service_url, connection
        self._http = http(origin)
        self._lock = threading.Lock()
        self._service: Any = None

    def call(self, operation: str, /, **arguments: Any) -> Any:
        """Call one operation and return its result as plain dicts and lists, numbers with a point as Decimal.

        A fault is Rejected with its text under the code `soap_fault`; arguments that the WSDL does not know too.
        """
        service = self._opened()
        try:
            result = getattr(service, operation)(**arguments)
        except HubError:
            raise
        except zeep.exceptions.Fault as fault:
            raise Rejected([_problem(self._name, operation, fault)]) from fault
        except zeep.exceptions.DTDForbidden as error:
            raise Rejected(f"{self._name}: {operation} was answered with a DOCTYPE, which is refused") from error
        except (zeep.exceptions.TransportError, zeep.exceptions.XMLParseError) as error:
            raise InDoubt(f"{self._name}: {operation} was answered with what is not SOAP ({error})"[:500]) from error
        except (zeep.exceptions.Error, AttributeError, TypeError, ValueError) as error:
            raise Rejected(f"{self._name}: {operation} does not fit the WSDL ({error}); nothing was sent") from error
        return plain(_serialized(result, dict))

    def _opened(self) -> Any:
        with self._lock:
            if self._service is None:
                self._service = self._open()
            return self._service

    def _open(self) -> Any:
        settings = zeep.Settings(strict=True, forbid_dtd=True, forbid_external=True, forbid_entities=True)
        transport = DiskTransport(Path(self._wsdl).parent, self._http, self._name)
        try:
            client = _client(os.path.realpath(self._wsdl), transport=transport, settings=settings)
        except (zeep.exceptions.Error, etree.LxmlError) as error:
            raise Rejected(f"{self._name}: the WSDL {self._wsdl} is not usable ({error!r})") from error
        for service in client.wsdl.services.values():
            for port in service.ports.values():
                return client.create_service(port.binding.name, self._url)
        raise Rejected(f"{self._name}: the WSDL {self._wsdl} names no service")


class DiskTransport(zeep.Transport):
    """Loads WSDL and schemas from one folder only, and sends through the guarded client."""

    def __init__(self, folder: Path, http: GuardedHttp, name: str) -> None:
        # zeep's own __init__ opens a session that can reach anything, so it is not called.
        self._folder = os.path.realpath(folder)
        self._http, self._name = http, name
        self._close_session = False

    def load(self, url: str) -> bytes:
        """Return a file of the WSDL's folder; an address, or a path outside, is Rejected."""
        path = os.path.realpath(url)
        if "://" in url or url.startswith("file:") or not path.startswith(self._folder + os.sep):
            raise Rejected(f"{self._name}: the WSDL asks for {url!r}, which is outside its folder; nothing was loaded")
        return read_regular(path, cap=WSDL_CAP)

    def post(self, address: str, message: bytes, headers: Mapping[str, str]) -> SoapAnswer:
        """Send an envelope; a fault's status comes back as an answer."""
        reply = self._http.request("POST", address, body=message, headers=dict(headers), also=FAULTS)
        answer = SoapAnswer(reply.status, reply.headers, reply.body)
        if reply.status in FAULTS and b"Fault" not in reply.body:
            raise InDoubt(f"{self._name}: answered {reply.status} without a SOAP fault")
        return answer

    def get(self, address: str, params: object, headers: object) -> SoapAnswer:
        """Refuse bindings that put arguments into an address."""
        raise Rejected(f"{self._name}: the WSDL has an HTTP GET binding, which is not supported")


class SoapAnswer:
    """What zeep reads of an HTTP answer."""

    encoding = "utf-8"

    def __init__(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.status_code = status
        self.headers = CaseInsensitiveDict(headers)
        self.content = content


def plain(value: Any) -> Any:
    """Return zeep's values as JSON-like ones: no floats, no XML elements."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, etree._Element):
        return "".join(str(text) for text in value.itertext())
    return value


def _problem(name: str, operation: str, fault: Any) -> Problem:
    detail = "".join(str(text) for text in fault.detail.itertext()).strip() if fault.detail is not None else ""
    text = f"{name}: {operation} was refused: {fault.message}" + (f" ({detail[:300]})" if detail else "")
    return Problem(code="soap_fault", text=text, value=str(fault.code or ""))
