"""A client that also tells what a verdict leaves out: how long a reply took, its cookies' names, its further fields.

Rules of this file: one call at a time; of a cookie only the name is ever kept; what a server sent is looked through for
secrets, escaped and cut before it leaves.
"""

from __future__ import annotations

import json
import time
from typing import Any

from reconciler.gateway.client import GatewayClient
from reconciler.gateway.failures import Failure
from reconciler.gateway.protocol import Reply, Request, Verdict
from reconciler.model.printable import printable
from reconciler.values import Struct

MAX_EXTRAS = 8
_MAX_NAME = 60
_MAX_VALUE = 120
_KNOWN = frozenset({"retcode", "message"})
_WITHHELD = "(withheld: it repeats a session's secret)"


class Observation(Struct, frozen=True, kw_only=True):
    """A call, seen closely."""

    verdict: Verdict
    seconds: float
    cookie_names: tuple[str, ...] = ()
    """Of the cookies that the reply set; sorted."""
    extras: tuple[str, ...] = ()
    """Fields of the reply's JSON beyond `retcode` and `message`, as `name=value`."""


class GatewayWitness(GatewayClient):
    """Sends one call at a time, and watches."""

    _last: Reply | Failure | None = None

    async def observe(self, request: Request) -> Observation:
        """Send `request` once and return what it came to, with all that was seen."""
        self._last = None
        started = time.monotonic()
        verdict = await self.call(request)
        seconds = time.monotonic() - started
        return self._told(verdict, seconds, self._last)

    def _told(self, verdict: Verdict, seconds: float, reply: Reply | Failure | None) -> Observation:
        if not isinstance(reply, Reply):
            return Observation(verdict=verdict, seconds=seconds)
        cookies = _cookies(reply)
        self._secrets.add(cookies.values())
        return Observation(
            verdict=verdict,
            seconds=seconds,
            cookie_names=tuple(sorted({self._safe(name, _MAX_NAME) for name in cookies})),
            extras=tuple(f"{self._safe(k, _MAX_NAME)}={self._safe(v, _MAX_VALUE)}" for k, v in _extras(reply)),
        )

    async def _exchange(self, request: Request) -> Reply | Failure:
        self._last = await super()._exchange(request)
        return self._last

    def _safe(self, text: str, limit: int) -> str:
        shown = printable(text, limit=limit)
        return _WITHHELD if self._secrets.are_in(text) or self._secrets.are_in(shown) else shown


def _cookies(reply: Reply) -> dict[str, str]:
    """Return the value of each cookie by its name; what has no name is none."""
    pairs = (header.partition(";")[0].partition("=") for header in reply.set_cookies)
    return {name.strip(): value.strip(' "') for name, equals, value in pairs if equals and name.strip()}


def _extras(reply: Reply) -> list[tuple[str, str]]:
    try:
        document: Any = json.loads(reply.body)
    except (ValueError, RecursionError):
        return []
    if not isinstance(document, dict):
        return []
    return [(name, json.dumps(document[name])) for name in sorted(document) if name not in _KNOWN][:MAX_EXTRAS]
