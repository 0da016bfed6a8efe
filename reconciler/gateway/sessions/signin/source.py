"""The session source that signs agents in.

How it goes, for each agent in turn: sign in, busy; hand the session out, and keep it alive while the run's call waits
and goes; sign out as soon as the agent's outcome is known. What is still signed in when the run ends, for whatever
reason, is signed out then.

Rules of this file:
- agents are signed in strictly one after another, so that a wrong password is sent once and nobody after it is tried;
- a request to sign in that is under way is never cut off: its answer has the only Guid by which to sign out again;
- whoever is signed in already is at work, and is left alone, unless force was asked for twice (see `SignInAccess`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from reconciler.credentials import read_secret_document
from reconciler.errors import SessionSourceError
from reconciler.gateway.access import GatewayAccess
from reconciler.gateway.client import GatewayClient
from reconciler.gateway.rows import VerdictTable
from reconciler.gateway.sessions.signin.credentials import Credentials, origin_of, parse_credentials
from reconciler.gateway.sessions.signin.door import Door
from reconciler.gateway.sessions.signin.held import HeldAgent
from reconciler.gateway.sessions.signin.remarks import Tally, remarks
from reconciler.gateway.sessions.signin.replies import sign_in_table
from reconciler.gateway.sessions.signin.wire import Wire
from reconciler.gateway.sessions.source import SessionSource
from reconciler.model.agent import AgentId
from reconciler.model.diagnostic import Diagnostic
from reconciler.model.gateway_settings import GatewaySettings
from reconciler.model.session import Absent, Session
from reconciler.model.sign_in_settings import SignInSessions
from reconciler.values import Struct, replace

KEEP_ALIVE_EVERY = 30.0
"""Seconds; what cec_07_1204 recommends. A Guid is replaced at 60 and expires at 120."""
POLL_WAIT = 10.0
"""Seconds that the gateway holds back a poll without an event; cec_07_1274."""

_ATTEMPTS = 3
"""Requests to sign one agent out after its turn; at the end of the run the rest gets as many once more."""
_PATIENCE = 0.25
"""Seconds that signing out waits at the end of the run for a keep-alive in flight."""
_NO_CREDENTIALS = "no password and phonenum of this agent in sessions.credentials, so nobody was signed in"


class SignInAccess(Struct, frozen=True, kw_only=True):
    """What signing in needs besides the `sessions` section. To give it is to allow that agents are signed in."""

    gateway: GatewaySettings
    access: GatewayAccess
    table: VerdictTable
    """As the site has it."""
    now: Callable[[], str]
    """The time as RFC 3339 text in UTC; it names a sign-in in the state."""
    force: bool = False
    """`--force-sign-in` was given; it counts only where site.yaml says `force: true` too."""
    keep_alive_every: float = KEEP_ALIVE_EVERY
    """Seconds."""


class SignInSource(SessionSource):
    """Signs agents in, keeps them signed in for the length of a call, and signs them out."""

    most_at_once = 1
    holds_agents = True

    def __init__(
        self, settings: SignInSessions, allowed: SignInAccess, *, root: Path, environ: Mapping[str, str]
    ) -> None:
        """Remember how; nothing is read or sent yet."""
        self._settings = settings
        self._allowed = allowed
        self._root = root
        self._environ = environ
        self._credentials: Credentials | None = None
        self._held: dict[AgentId, HeldAgent] = {}
        self._tally = Tally()
        self._clients = AsyncExitStack()
        self._wire = self._open_wire()
        self._door = Door(
            self._wire,
            force=settings.force and allowed.force,
            key=lambda: f"signin-{allowed.now()}",
            tally=self._tally,
            on_session=self._hold,
        )

    def prepare(self) -> None:
        """Read the credentials.

        Raises:
            SessionSourceError: they cannot be had, or are not what they must be.
        """
        reference = self._settings.credentials
        text = read_secret_document(
            reference, root=self._root, environ=self._environ, what="sessions.credentials", raising=SessionSourceError
        )
        self._credentials = parse_credentials(text, origin=origin_of(reference))

    async def fetch(self, agents: Sequence[AgentId]) -> Mapping[AgentId, Session | Absent]:
        """Sign `agents` in, one after another; who is signed in by this run already keeps their session."""
        if self._credentials is None:
            await asyncio.to_thread(self.prepare)
        return {agent: await self._session_of(agent) for agent in agents}

    @asynccontextmanager
    async def calling(self, session: Session) -> AsyncIterator[Session]:
        """Yield the session with its newest Guid, and keep the agent alive meanwhile by the call alone."""
        held = self._held.get(session.agent)
        if held is None:
            yield session
            return
        async with held.calling() as newest:
            yield newest

    async def release(self, agent: AgentId) -> None:
        """Sign `agent` out."""
        held = self._held.get(agent)
        if held is not None:
            await self._sign_out(held, patience=POLL_WAIT + self._settings.timeout)

    async def close(self) -> None:
        """Sign out whoever is still signed in, also who is only being signed in, all at once."""
        try:
            held = tuple(self._held.values())
            await asyncio.gather(*map(self._sign_out_soon, held), self._settle(held))
        finally:
            await self._door.shut()
            await asyncio.gather(*(held.abandon() for held in self._held.values()))
            await self._clients.aclose()

    def warnings(self) -> Sequence[Diagnostic]:
        """Return who was signed in, and who may still be."""
        return remarks(self._tally)

    async def _session_of(self, agent: AgentId) -> Session | Absent:
        if agent not in self._held:
            credential = self._credentials.of(agent) if self._credentials else None
            if credential is None:
                return Absent(message=_NO_CREDENTIALS)
            absent = await self._door.enter(agent, credential)
            if absent is not None:
                return absent
        return self._held[agent].session

    def _hold(self, session: Session) -> None:
        self._held[session.agent] = HeldAgent(session, self._wire)

    async def _sign_out(self, held: HeldAgent, *, patience: float) -> None:
        agent = held.session.agent
        if await held.sign_out(attempts=_ATTEMPTS, patience=patience):
            self._tally.end(agent)
            self._held.pop(agent, None)
        else:
            self._tally.left[agent] = held.trouble

    async def _sign_out_soon(self, held: HeldAgent) -> None:
        await self._sign_out(held, patience=_PATIENCE)

    async def _settle(self, before: Sequence[HeldAgent]) -> None:
        """Sign out whoever the last request to sign in, cut off from its run, has signed in after all."""
        await self._door.settle()
        await asyncio.gather(*(self._sign_out_soon(held) for held in self._held.values() if held not in before))

    def _open_wire(self) -> Wire:
        settings, allowed = self._settings, self._allowed
        return Wire(
            url=allowed.gateway.url,
            enter=self._client(settings.timeout).ask,
            ask=self._client(settings.timeout).ask,
            wait=self._client(settings.timeout + POLL_WAIT).ask,
            mode=settings.auth_mode,
            keep_alive=settings.keep_alive,
            every=allowed.keep_alive_every,
            spacing=1.0 / allowed.gateway.requests_per_second,
        )

    def _client(self, timeout: float) -> GatewayClient:
        gateway = replace(self._allowed.gateway, timeout=timeout)
        client = GatewayClient(gateway, access=self._allowed.access, table=sign_in_table(self._allowed.table))
        self._clients.push_async_exit(client)
        return client
