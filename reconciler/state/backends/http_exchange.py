"""One request to a state server and its reply: with an end in time and size, and repeated while that can help.

Rules of this file: only the state's home of httpx. Redirects are not followed, since they would carry the credentials
elsewhere. Every request of the protocol may be repeated: it reads, or says what is to be the case afterwards.
"""

from __future__ import annotations

import base64
import hashlib
import ssl
import time
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus

import httpx

from reconciler import __version__
from reconciler.errors import StateError, StateUnansweredError
from reconciler.model.printable import printable
from reconciler.state.files import MAX_READ
from reconciler.state.haste import Haste
from reconciler.values import Struct, replace

_TROUBLE = frozenset({429, 500, 502, 503, 504})
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 10.0
_CLOSED_DOOR = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class Reply(Struct, frozen=True, kw_only=True):
    """What the server said."""

    status: int
    body: bytes
    again: bool = False
    """Whether an earlier try of the same request may have been done: it had no answer, or one that told of trouble."""

    @property
    def unsure(self) -> bool:
        """Whether what was asked may have been done all the same, at this try or at an earlier one."""
        return self.again or self.status in _TROUBLE

    def refused(self, what: str) -> StateError:
        """Return the error for a status that is not what was asked for."""
        hint = "look at the address of the state and at its server"
        if self.status in _CLOSED_DOOR:
            hint = "look at state.username and state.password, and at the rights they have"
        return StateError(f"{what}: the server answered {self.status}{_phrase(self.status)}", hint=hint)


class Exchange:
    """A client of one server."""

    def __init__(
        self,
        client: httpx.Client,
        *,
        timeout: float,
        retries: int,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Take the client, the seconds one request may take in all, and how often it is repeated."""
        self._client = client
        self._timeout = timeout
        self._retries = retries
        self._sleep = sleep

    def send(
        self,
        method: str,
        url: str,
        *,
        what: str,
        body: bytes | None = None,
        parameters: Mapping[str, str] | None = None,
        writing: bool = False,
    ) -> Reply:
        """Send a request and return the reply, whatever its status.

        Args:
            method: such as GET.
            url: where to.
            what: what it means if there is no reply, for the error's text.
            body: JSON.
            parameters: to be added to the query.
            writing: whether no reply leaves it open if something was written.

        Raises:
            StateUnansweredError: no reply came to a request that writes, and that may have arrived.
            StateError: no reply came.
        """
        request = self._client.build_request(
            method, httpx.URL(url).copy_merge_params(parameters or {}), content=body, headers=_headers(body)
        )
        arrived = False
        for tries_left in range(self._retries, -1, -1):
            wait = min(_FIRST_WAIT * 2 ** (self._retries - tries_left), _LONGEST_WAIT)
            try:
                # In haste: a server may send a head drop by drop, and httpx counts from drop to drop.
                reply = Haste(self._timeout).do(partial(self._once, request))
            except (httpx.HTTPError, TimeoutError) as error:
                arrived |= not isinstance(error, httpx.ConnectError)
                if tries_left == 0:
                    raise _no_reply(what, error, writing=writing and arrived) from None
            else:
                arrived = True
                if reply.status not in _TROUBLE or tries_left == 0:
                    return replace(reply, again=tries_left < self._retries)
            self._sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _once(self, request: httpx.Request) -> Reply:
        response = self._client.send(request, stream=True)
        try:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MAX_READ:
                    raise httpx.DecodingError(f"the reply is larger than {MAX_READ // 1024**3} GiB", request=request)
        finally:
            response.close()
        return Reply(status=response.status_code, body=bytes(body))


def open_exchange(
    *, login: tuple[str, str] | None, authorities: bytes | None, timeout: float, retries: int
) -> Exchange:
    """Return a client; nothing is connected yet.

    Args:
        login: user name and password, if the server wants them.
        authorities: PEM of the authorities to trust; `None` means the machine's own.
        timeout: seconds one request may take in all.
        retries: how often a request is repeated that met a server in trouble.
    """
    trust = _trust(authorities)
    headers = {"User-Agent": f"reconciler/{__version__}"}
    if login is not None:
        token = base64.b64encode(":".join(login).encode()).decode("ascii")
        headers["Authorization"] = f"Basic {token}"
    client = httpx.Client(verify=trust, headers=headers, timeout=timeout, follow_redirects=False)
    return Exchange(client, timeout=timeout, retries=retries)


def _trust(authorities: bytes | None) -> ssl.SSLContext:
    if authorities is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cadata=authorities.decode("ascii", "replace"))
    except ssl.SSLError:
        raise StateError(
            "state.ca_file holds no certificate", hint="it must be a PEM file of the authorities to trust"
        ) from None


def _headers(body: bytes | None) -> dict[str, str]:
    if body is None:
        return {}
    digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode("ascii")
    return {"Content-Type": "application/json", "Content-MD5": digest}


def _no_reply(what: str, error: Exception, *, writing: bool) -> StateError:
    words = "no reply in time" if isinstance(error, TimeoutError | httpx.TimeoutException) else _said(error)
    kind = StateUnansweredError if writing else StateError
    return kind(f"{what}: {words}", hint="look at the network, and at the server and its certificate")


def _said(error: Exception) -> str:
    return printable(str(error), limit=200) or type(error).__name__


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""
