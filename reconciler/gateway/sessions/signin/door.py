"""Signing in: one agent after another, few tries, and nobody after a wrong password.

| answer                                  | what is done                                                              |
|-----------------------------------------|---------------------------------------------------------------------------|
| "0" with a Guid                         | the agent is held                                                         |
| "0" without one                         | nobody can sign this agent out: the run ends, before the next is left so  |
| 100-002, already signed in              | left alone; with force, signed in by force once                           |
| 100-004, wrong user or password         | never again: the run ends, and nobody else is tried                       |
| trouble that may pass, or no answer     | tried again after a wait, three times in all                              |
| the site's settings are wrong (TLS, …)  | the source as a whole has failed                                          |
| anything else                           | the agent is absent; after ten in a row with the same answer the run ends |

Rules of this file: whether somebody is signed in is true at every moment of `Tally`, for whoever waits here may be
cancelled at any; the request itself goes on then, and its answer is still taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from reconciler.errors import SessionSourceError
from reconciler.gateway.protocol.secrecy import MIN_SECRET
from reconciler.gateway.protocol.verdict import Acknowledged, Misconfigured, Transient, Unanswered, Verdict
from reconciler.gateway.retcodes import REPLIES, lookup
from reconciler.gateway.sessions.signin.credentials import Credential
from reconciler.gateway.sessions.signin.messages import build_sign_in
from reconciler.gateway.sessions.signin.remarks import Tally
from reconciler.gateway.sessions.signin.replies import ALREADY_SIGNED_IN, WRONG_PASSWORD, begin_session, sign_in_table
from reconciler.gateway.sessions.signin.wire import Wire
from reconciler.gateway.statuses import NOT_KNOWN
from reconciler.model.agent import AgentId
from reconciler.model.session import Absent, Session

_ATTEMPTS = 3
_FIRST_WAIT = 0.5
"""Seconds before the second attempt; twice as long before the third."""
_SAME_IN_A_ROW = 10
"""Agents with one and the same answer, after which no other agent is tried."""
_NO_GUID = "signed in, but the answer has no Set-GUID header that can be used: look at what stands before the gateway"
_HINT = "correct sessions.credentials or the site, then apply again; --breaker has no say here"


class Door:
    """Where agents are signed in."""

    def __init__(
        self, wire: Wire, *, force: bool, key: Callable[[], str], tally: Tally, on_session: Callable[[Session], None]
    ) -> None:
        """Begin with nobody tried.

        Args:
            wire: to the gateway.
            force: sign in by force whoever is signed in already.
            key: names a sign-in of this moment, for the state.
            tally: told what becomes of each agent.
            on_session: told each session that begins, at once.
        """
        self._wire = wire
        self._force = force
        self._key = key
        self._tally = tally
        self._on_session = on_session
        self._turn = asyncio.Lock()
        self._closed: str | None = None
        self._refusal = ""
        self._refused_in_a_row = 0
        self._under_way: set[asyncio.Task[Verdict]] = set()
        self._next_slot = 0.0

    async def enter(self, agent: AgentId, credential: Credential) -> Absent | None:
        """Sign `agent` in; return `None` when that has begun a session, else why it has not.

        Raises:
            SessionSourceError: the site's settings are wrong, or an answer before this one forbids any further try.
        """
        async with self._turn:
            if self._closed is not None:
                raise SessionSourceError(self._closed, hint=_HINT)
            verdict = await self._try(agent, credential)
            if isinstance(verdict, Misconfigured):
                raise SessionSourceError(f"signing in: {verdict.message}", hint="nobody can be signed in before")
            if isinstance(verdict, Acknowledged) and agent not in self._tally.doubtful:
                self._refused_in_a_row = 0
                return None
            return self._absent(agent, verdict, _told(verdict, credential))

    async def settle(self) -> None:
        """Wait for the answers of requests that are under way."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def shut(self) -> None:
        """Cut off what is still under way; the agents concerned stay doubtful."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _try(self, agent: AgentId, credential: Credential) -> Verdict:
        failures, by_force = 0, False
        while True:
            await self._slot()
            verdict = await self._undisturbed(agent, credential, by_force=by_force)
            if verdict.retcode == ALREADY_SIGNED_IN and self._force and not by_force:
                by_force = True
                continue
            failures += 1
            if failures == _ATTEMPTS or not _may_pass(verdict):
                return verdict
            wish = verdict.retry_after if isinstance(verdict, Transient) else None
            await asyncio.sleep(max(_FIRST_WAIT * 2 ** (failures - 1), wish or 0.0))

    async def _slot(self) -> None:
        now = asyncio.get_running_loop().time()
        slot = max(self._next_slot, now)
        self._next_slot = slot + self._wire.spacing
        await asyncio.sleep(slot - now)

    async def _undisturbed(self, agent: AgentId, credential: Credential, *, by_force: bool) -> Verdict:
        task = asyncio.create_task(self._request(agent, credential, by_force=by_force))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def _request(self, agent: AgentId, credential: Credential, *, by_force: bool) -> Verdict:
        was_doubtful = agent in self._tally.doubtful
        self._tally.doubtful.add(agent)
        verdict, reply = await self._wire.enter(build_sign_in(self._wire.url, agent, credential, by_force=by_force))
        session = None
        if isinstance(verdict, Acknowledged) and reply is not None:
            session = begin_session(agent, reply, key=self._key())
        if session is not None:
            self._tally.begin(agent, by_force=by_force)
            self._on_session(session)
        elif not (was_doubtful or _leaves_doubt(verdict)):
            self._tally.doubtful.discard(agent)
        return verdict

    def _absent(self, agent: AgentId, verdict: Verdict, message: str) -> Absent:
        if isinstance(verdict, Acknowledged) or verdict.retcode == WRONG_PASSWORD:
            self._closed = f"agent {agent}: {message}"
        elif verdict.retcode != ALREADY_SIGNED_IN:
            refusal = verdict.retcode or message
            self._refused_in_a_row = self._refused_in_a_row + 1 if refusal == self._refusal else 1
            self._refusal = refusal
            if self._refused_in_a_row == _SAME_IN_A_ROW:
                message = f"{_SAME_IN_A_ROW} agents in a row could not be signed in: {message}"
                self._closed = message
        retcode = None if isinstance(verdict, Acknowledged) else verdict.retcode
        return Absent(retcode=retcode, message=message, ends_run=self._closed is not None)


def _may_pass(verdict: Verdict) -> bool:
    return isinstance(verdict, Transient | Unanswered) and verdict.retcode != WRONG_PASSWORD


def _leaves_doubt(verdict: Verdict) -> bool:
    match verdict:
        case Unanswered() | Acknowledged():  # acknowledged without a Guid: signed in, and nobody can sign out
            return True
        case Transient(sent_maybe=maybe):
            return maybe
        case _:
            return False


def _told(verdict: Verdict, credential: Credential) -> str:
    """Return the words on `verdict`; a password too short to be looked for in them costs the gateway's own."""
    if isinstance(verdict, Acknowledged):
        return _NO_GUID
    secret = credential.password
    if secret and len(secret) < MIN_SECRET and secret.casefold() in verdict.message.casefold():
        words = lookup(verdict.retcode, sign_in_table(REPLIES)).sentence if verdict.retcode else "no usable answer"
    else:
        words = verdict.message.replace(NOT_KNOWN, "whether the agent is signed in now is not known")
    return f"signing in: {words}"
