"""One request to a host and its reply: with an end in time and size, and repeated while that can help.

Rules of this file: only this room's home of httpx. Redirects are not followed, since they would carry the token
elsewhere. A host that asks to wait is waited for, as long as it names and as patience lasts. A request that makes
something new is repeated only after a reply which says that it was not done; what came of one that got no reply, the
caller finds out by looking.
"""

from __future__ import annotations

import contextlib
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import httpx

from reconciler import __version__
from reconciler.errors import InputError, ReviewHostError, UsageError
from reconciler.model.printable import printable
from reconciler.review.pace import Pace, wanted_pause
from reconciler.values import Struct, field, replace

_TIMEOUT = 30.0
_LARGEST = 256 * 1024 * 1024
_TROUBLE = frozenset({500, 502, 503, 504})
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 30.0
_MOST_TRIES = 6
_MAKES_NEW = "POST"


class Reply(Struct, frozen=True, kw_only=True):
    """What the host said."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """By their names in lower case."""
    body: bytes = b""

    @property
    def good(self) -> bool:
        """Tell whether it did what was asked."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the protocol's own numbers

    @property
    def value(self) -> Any:
        """The body as JSON; `None` if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def has_next_page(self) -> bool:
        """Tell whether a list goes on: both hosts say so in the same header."""
        return 'rel="next"' in self.headers.get("link", "")


class Request(Struct, frozen=True, kw_only=True):
    """What to ask the host."""

    method: str
    url: str
    """At the host whose token goes with it; what others have named is already quoted."""
    body: Mapping[str, object] | None = None
    repeatable: bool = True
    """It may be done twice and nothing is different: reading, replacing, removing."""


class Unanswered(ReviewHostError):  # noqa: N818 - it says what is the case, and ends nothing by itself
    """A request that makes something new got no reply: it may have been done, or not."""


class Exchange(Protocol):
    """Takes requests to a host."""

    def send(self, request: Request) -> Reply:
        """Send a request and return the reply, whatever its status.

        Raises:
            Unanswered: no reply came to a request that must not be repeated.
            ReviewHostError: no reply came.
        """
        ...


class HttpExchange:
    """Sends requests over the network."""

    def __init__(
        self,
        client: httpx.Client,
        *,
        patience: float,
        secret: str = "",
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Take the client, the seconds that may be spent waiting in all, and what no reply may hold."""
        self._client = client
        self._secret = secret
        self._clock = clock
        self._pace = Pace(patience, sleep)

    def send(self, request: Request) -> Reply:
        """Send it; see `Exchange`."""
        for attempt in range(_MOST_TRIES):
            last = attempt == _MOST_TRIES - 1
            usual = min(_FIRST_WAIT * 2**attempt, _LONGEST_WAIT)
            try:
                reply = self._once(request)
            except httpx.HTTPError as error:
                if not request.repeatable and not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                    raise _unanswered(request, _said(error)) from None
                if last or not self._pace.wait(usual):
                    raise _unreachable(request, error) from None
                continue
            pause = wanted_pause(reply.status, reply.headers, reply.body, now=self._clock())
            if pause is None and reply.status in _TROUBLE and not last:
                if not request.repeatable:
                    raise _unanswered(request, f"the host is in trouble ({reply.status})")
                pause = usual
            if pause is None or last or not self._pace.wait(pause):
                return reply
        raise AssertionError("the last try returns or raises")

    def _once(self, request: Request) -> Reply:
        content = None if request.body is None else json.dumps(request.body).encode()
        headers = {} if content is None else {"Content-Type": "application/json"}
        end = time.monotonic() + 4 * _TIMEOUT
        with self._client.stream(request.method, request.url, content=content, headers=headers) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _LARGEST:
                    raise httpx.DecodingError("the reply is larger than 256 MiB")
                if time.monotonic() > end:  # httpx counts from drop to drop
                    raise httpx.ReadTimeout("the reply does not end")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return self._without_secret(Reply(status=response.status_code, headers=headers, body=bytes(body)))

    def _without_secret(self, reply: Reply) -> Reply:
        """Return `reply`, emptied of what holds the token: a host, or a proxy, that gives it back must not show it."""
        if not self._secret:
            return reply
        headers = {name: value for name, value in reply.headers.items() if self._secret not in f"{name}: {value}"}
        body = b"" if self._secret.encode() in reply.body else reply.body
        return replace(reply, headers=headers, body=body)


@contextlib.contextmanager
def exchanging(
    *, api: str, headers: Mapping[str, str], authorities: bytes | None, patience: float, secret: str
) -> Iterator[HttpExchange]:
    """Yield an exchange; nothing is connected yet, and nothing is any more afterwards.

    Args:
        api: the address of the host's API.
        headers: what goes with every request, the token among it.
        authorities: PEM of the authorities to trust; `None` means the machine's own.
        patience: seconds that may be spent waiting in all.
        secret: the token, which is kept out of what a reply says.

    Raises:
        InputError: `authorities` holds no certificate.
        UsageError: the proxy that the environment names is none.
    """
    with _client(api, headers, _trust(authorities)) as client:
        yield HttpExchange(client, patience=patience, secret=secret)


def _client(api: str, headers: Mapping[str, str], trust: ssl.SSLContext) -> httpx.Client:
    try:
        return httpx.Client(
            verify=trust,
            headers={"User-Agent": f"reconciler/{__version__}", **headers},
            timeout=_TIMEOUT,
            follow_redirects=False,
            trust_env=api.startswith("https:"),  # a proxy would get the token of a plain request
        )
    except (ValueError, ImportError, httpx.InvalidURL):  # what they say may quote a proxy's password
        raise UsageError(
            "the environment names a proxy that cannot be used",
            hint="look at HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY; a proxy is http://HOST:PORT",
        ) from None


def _trust(authorities: bytes | None) -> ssl.SSLContext:
    if authorities is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cadata=authorities.decode("ascii", "replace"))
    except ssl.SSLError:
        raise InputError(
            "--ca-file holds no certificate", hint="it must be a PEM file of the authorities to trust"
        ) from None


def _named(request: Request) -> str:
    return printable(f"{request.method} {request.url}")


def _unanswered(request: Request, why: str) -> Unanswered:
    return Unanswered(
        f"no answer to {_named(request)}: {why}", hint="run again: what was done already is found and not done twice"
    )


def _unreachable(request: Request, error: httpx.HTTPError) -> ReviewHostError:
    return ReviewHostError(
        f"{_named(request)}: {_said(error)}",
        hint="look at the address (--api-url), the network, a proxy, and the host's certificate (--ca-file)",
    )


def _said(error: httpx.HTTPError) -> str:
    words = printable(str(error), limit=200) or type(error).__name__
    return "no reply in time" if isinstance(error, httpx.TimeoutException) and not str(error) else words
