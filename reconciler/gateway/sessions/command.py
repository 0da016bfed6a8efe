"""Sessions from a program: agent ids on its standard input, sessions on its standard output, a JSON line each.

Rules of this file: no shell; one deadline over the whole exchange; bounded output; reading and writing at once, so
that no full pipe can hold either side; whatever goes wrong, the program's whole process group is killed and every
pipe closed before the error leaves. Its output is secret and never shown. Of what it wrote on standard error the end
is shown, without the lines that may hold a secret; of its arguments nothing, since they may hold one too.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path

from reconciler.errors import SessionSourceError
from reconciler.gateway.sessions.fields import FIELDS
from reconciler.gateway.sessions.parsing import parse_lines
from reconciler.gateway.sessions.pipes import MAX_OUTPUT, Pipes
from reconciler.gateway.sessions.source import SessionSource
from reconciler.model.agent import AgentId
from reconciler.model.last_words import last_words
from reconciler.model.printable import printable
from reconciler.model.session import Session
from reconciler.model.session_settings import CommandSessions

_GRACE = 5.0  # seconds for a killed program to be gone; only one that hangs in the kernel needs them


class CommandSource(SessionSource):
    """Runs a program for each batch of agents."""

    def __init__(self, settings: CommandSessions, *, root: Path, environ: Mapping[str, str]) -> None:
        """Remember what to run, where, and with which environment variables."""
        self._settings = settings
        self._root = root
        self._environ = environ
        # The program's name only: arguments may be secrets.
        self._origin = f"session command {printable(settings.command[0], limit=200)}"

    async def fetch(self, agents: Sequence[AgentId]) -> Mapping[AgentId, Session]:
        """Return the sessions of `agents` that the program knows of."""
        if not agents:
            return {}
        output = await self._run(_question(agents))
        sessions = parse_lines(output, origin=f"the output of {self._origin}")
        return {agent: sessions[agent] for agent in agents if agent in sessions}

    async def _run(self, question: bytes) -> bytes:
        pipes = Pipes()
        try:
            transport = await _undisturbed(self._start(pipes))
            async with asyncio.timeout(self._settings.timeout):
                pipes.ask(question)
                await pipes.settled
        except TimeoutError:
            raise self._late(pipes) from None
        finally:
            await _end(pipes)
        return self._judge(pipes, transport.get_returncode())

    async def _start(self, pipes: Pipes) -> asyncio.SubprocessTransport:
        try:
            transport, _ = await asyncio.get_running_loop().subprocess_exec(
                lambda: pipes,
                *self._settings.command,
                cwd=self._root,
                env=dict(self._environ),
                start_new_session=True,  # its own process group, so that it can be killed with all it started
            )
        except (OSError, ValueError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else "its words cannot be passed to a program"
            raise SessionSourceError(
                f"{self._origin} cannot be started: {reason}",
                hint="sessions.command lists the program, then its arguments; it runs in the environment's directory",
            ) from exc
        return transport

    def _late(self, pipes: Pipes) -> SessionSourceError:
        seconds = f"{self._settings.timeout:g} s"
        state = (
            "left something running that holds its output open" if pipes.exited and not pipes.ended else "did not end"
        )
        return SessionSourceError(
            f"{self._origin} {state} within {seconds}{last_words(pipes.complaint, pipes.output, harmless=FIELDS)}",
            hint="make it faster, or raise sessions.timeout",
        )

    def _judge(self, pipes: Pipes, status: int | None) -> bytes:
        said = last_words(pipes.complaint, pipes.output, harmless=FIELDS)
        if pipes.overflowed:
            raise SessionSourceError(f"{self._origin} wrote more than {MAX_OUTPUT // 1024 // 1024} MiB{said}")
        if status != 0:
            raise SessionSourceError(
                f"{self._origin} {_ending(status)}{said}",
                hint="it must end with exit code 0, also when an agent is not signed in: leave that agent out",
            )
        return bytes(pipes.output)


def _question(agents: Sequence[AgentId]) -> bytes:
    ids = dict.fromkeys(agents)
    return "".join(json.dumps({"agentId": str(agent)}, separators=(",", ":")) + "\n" for agent in ids).encode("ascii")


def _ending(status: int | None) -> str:
    if status is not None and status < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-status).name}"
    return f"ended with exit code {status}"


async def _undisturbed(start: Coroutine[None, None, asyncio.SubprocessTransport]) -> asyncio.SubprocessTransport:
    # Starting takes milliseconds. Cancelled in its midst, the event loop would kill the program alone and then wait
    # for whatever it has started; so the start is let finish, and the whole group killed by `_end`.
    starting = asyncio.ensure_future(start)
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.gather(starting, return_exceptions=True)
        raise


async def _end(pipes: Pipes) -> None:
    transport = pipes.transport
    if transport is None:  # it never started
        return
    if not pipes.ended:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(transport.get_pid(), signal.SIGKILL)
    try:
        # First, since closing would reap it in the place of the event loop, which then warns of an unknown child.
        await asyncio.wait({pipes.dead}, timeout=_GRACE)
    finally:
        pipes.drop()
    await asyncio.wait({pipes.gone}, timeout=_GRACE)
