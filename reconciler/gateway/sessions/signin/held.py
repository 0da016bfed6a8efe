"""One agent who is signed in by this run: kept alive, called, and signed out in the end.

Rules of this file: of everything that is sent for the agent (keep-alive, the run's own calls, signing out) one thing at
a time is in flight (retcode 000-007); the lock of the agent sees to it. What is sent carries the newest Guid there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reconciler.gateway.protocol.verdict import Acknowledged, Transient, Unanswered, Verdict
from reconciler.gateway.sessions.signin.messages import build_keep_alive, build_sign_out
from reconciler.gateway.sessions.signin.replies import WRONG_WAY_OF_EVENTS, is_gone, renew_session
from reconciler.gateway.sessions.signin.wire import Wire
from reconciler.gateway.statuses import NOT_KNOWN
from reconciler.model.session import Session
from reconciler.model.sign_in_settings import KeepAlive

_SOON = 5.0
"""Seconds after which a keep-alive that came to nothing is tried again, at most."""
_FIRST_WAIT = 0.25
"""Seconds before signing out is tried a second time; each further wait is twice the one before."""
_PATIENCE = 1.0
"""Seconds that a call waits for a keep-alive in flight. A poll takes ten, and an interrupted run has seven in all."""
_GIVEN_UP = Unanswered(message="given up, since something else was to be sent for the agent")


class HeldAgent:
    """An agent who is signed in, from the sign-in to the sign-out."""

    def __init__(self, session: Session, wire: Wire) -> None:
        """Begin to keep `session` alive; inside the event loop."""
        self._session = session
        self._wire = wire
        self._alone = asyncio.Lock()
        self._sign_of_life: asyncio.Timeout | None = None
        self._keeper = asyncio.create_task(self._keep())
        self.trouble = ""
        """Why signing out failed, the last time it did."""

    @property
    def session(self) -> Session:
        """The session, with the newest Guid."""
        return self._session

    @asynccontextmanager
    async def calling(self) -> AsyncIterator[Session]:
        """Yield the session for a call; nothing else is sent for the agent until it is over."""
        async with self._alone_within(_PATIENCE):
            yield self._session

    async def sign_out(self, *, attempts: int, patience: float) -> bool:
        """Sign the agent out and return whether the gateway said that they are.

        Args:
            attempts: how often to try, at most; for good refusals it is once.
            patience: seconds to wait for a keep-alive in flight, before it is cut off.
        """
        async with self._alone_within(patience):
            await self.abandon()  # it sleeps, or waits for the lock
            for failures in range(attempts):
                if failures:
                    await asyncio.sleep(_FIRST_WAIT * 2 ** (failures - 1))
                verdict, _ = await self._wire.ask(build_sign_out(self._wire.url, self._session))
                if is_gone(verdict):
                    return True
                self.trouble = verdict.message.replace(NOT_KNOWN, "whether the agent is signed out now is not known")
                if not isinstance(verdict, Transient | Unanswered):
                    break
        return False

    async def abandon(self) -> None:
        """Keep the agent alive no longer; the gateway signs them out after two minutes."""
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)

    @asynccontextmanager
    async def _alone_within(self, patience: float) -> AsyncIterator[None]:
        """Let nothing else be sent meanwhile; a keep-alive that is in flight or next gets so many seconds to end."""
        if self._sign_of_life is not None and not self._sign_of_life.expired():
            self._sign_of_life.reschedule(asyncio.get_running_loop().time() + patience)
        async with self._alone:
            yield

    async def _keep(self) -> None:
        how, pause = self._wire.keep_alive, self._wire.every
        while True:
            await asyncio.sleep(pause)
            verdict = await self._show_life(how)
            if isinstance(verdict, Acknowledged):
                pause = self._wire.every
            elif is_gone(verdict):
                return  # somebody else's sign-in, or the gateway, has ended the session: the next call will tell
            elif verdict.retcode == WRONG_WAY_OF_EVENTS and how is KeepAlive.POLL:
                how, pause = KeepAlive.HANDSHAKE, 0.0
            else:
                pause = min(_SOON, self._wire.every)

    async def _show_life(self, how: KeepAlive) -> Verdict:
        ask = self._wire.wait if how is KeepAlive.POLL else self._wire.ask
        try:
            async with asyncio.timeout(None) as self._sign_of_life, self._alone:
                verdict, reply = await ask(build_keep_alive(self._wire.url, self._session, how))
                if isinstance(verdict, Acknowledged) and reply is not None:
                    self._session = renew_session(self._session, reply, self._wire.mode)
                return verdict
        except TimeoutError:
            return _GIVEN_UP
        finally:
            self._sign_of_life = None
