"""Sessions from a broker of the site's own: one request for a batch of agents, sessions in the answer.

Rules of this file: the token goes into one header and nowhere else; no redirect is followed, no cookie kept, nothing
unpacked, no proxy of the environment used (see `gateway.connection`). One deadline holds for a batch, repetitions
included. Nothing that the broker said is repeated.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import assert_never
from urllib.parse import urlencode

from reconciler.errors import SessionSourceError
from reconciler.gateway.access import GatewayAccess
from reconciler.gateway.connection import Connection
from reconciler.gateway.failures import Failure
from reconciler.gateway.protocol import Reply
from reconciler.gateway.sessions.http_answer import read_answer
from reconciler.gateway.sessions.parsing import Sessions
from reconciler.gateway.sessions.pipes import MAX_OUTPUT
from reconciler.gateway.sessions.source import SessionSource
from reconciler.gateway.sessions.trouble import Setback, patiently, unreachable
from reconciler.model.agent import AgentId
from reconciler.model.session import Session
from reconciler.model.session_servers import HttpMethod, HttpSessions
from reconciler.values import Struct, repr_without

MOST_IN_A_URL = 400
"""Agents of one GET. Servers take a request line of 8 KiB, and an agent takes 15 bytes of it."""

_TOKEN = re.compile(r"[\x21-\x7e]+", re.ASCII)


class _Question(Struct, frozen=True, kw_only=True):
    """One request to the broker."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    __repr__ = repr_without("headers")


class HttpSource(SessionSource):
    """Asks a session broker for each batch of agents."""

    def __init__(self, settings: HttpSessions, *, token: str | None, context: ssl.SSLContext) -> None:
        """Remember whom to ask and how.

        Raises:
            SessionSourceError: the token cannot stand in a header.
        """
        if token is not None and not _TOKEN.fullmatch(token):
            raise SessionSourceError(
                f"sessions.token: {settings.token}: the secret is no bearer token",
                hint="a token is printable ASCII without blanks; give it alone, without the word Bearer",
            )
        self._settings = settings
        self._token = token
        self._access = GatewayAccess(context=context)
        self._origin = f"the session broker {settings.url}"
        if settings.method is HttpMethod.GET:
            self.most_at_once = MOST_IN_A_URL

    async def fetch(self, agents: Sequence[AgentId]) -> Mapping[AgentId, Session]:
        """Return the sessions of `agents` that the broker knows of."""
        asked = tuple(dict.fromkeys(agents))
        if not asked:
            return {}
        question = self._question(asked)

        async def ask(seconds: float) -> Sessions | Setback | SessionSourceError:
            return await self._ask(question, seconds)

        sessions = await patiently(ask, seconds=self._settings.timeout)
        return {agent: sessions[agent] for agent in asked if agent in sessions}

    def _question(self, agents: Sequence[AgentId]) -> _Question:
        url, headers = self._settings.url, () if self._token is None else (("Authorization", f"Bearer {self._token}"),)
        match self._settings.method:
            case HttpMethod.GET:
                query = urlencode([("agentId", agent) for agent in agents])
                return _Question(method="GET", url=f"{url}?{query}", headers=headers)
            case HttpMethod.POST:
                body = json.dumps({"agentIds": [str(agent) for agent in agents]}).encode("ascii")
                return _Question(
                    method="POST", url=url, headers=(*headers, ("Content-Type", "application/json")), body=body
                )
            case _:
                assert_never(self._settings.method)

    async def _ask(self, question: _Question, seconds: float) -> Sessions | Setback | SessionSourceError:
        connection = Connection(self._access, timeout=seconds, max_body=MAX_OUTPUT)
        try:
            result = await connection.exchange(question)
        finally:
            await connection.close()
        match result:
            case Reply():
                return read_answer(result, origin=self._origin, with_token=self._token is not None, now=_utc_now())
            case Failure():
                return unreachable(result, self._origin, timeout=self._settings.timeout)
            case _:
                assert_never(result)


def _utc_now() -> datetime:
    return datetime.now(UTC)
