"""A whole rehearsal: gateway, certificate, sessions file and server, until a signal ends it.

Rules of this file: it only puts the pieces of this room together; it prints nothing (the caller announces) and turns
signals into an orderly end. Clock and randomness of the real world enter the room here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.errors import InputError
from reconciler.simulator.authority import Authority
from reconciler.simulator.control import Control
from reconciler.simulator.faults import parse_fault
from reconciler.simulator.gateway import Gateway
from reconciler.simulator.rules import ChannelMode, Rules, Spelling
from reconciler.simulator.server import RunningServer, serve
from reconciler.simulator.session_files import read_sessions, write_sessions
from reconciler.simulator.sessions import parse_agent

Announce = Callable[[Mapping[str, object]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalSettings:
    """What `reconciler simulate` was asked for."""

    host: str = "127.0.0.1"
    port: int = 8043
    """0: any free port; the announcement says which."""
    agents: tuple[int, ...] = ()
    """Signed in at the start, with new Guids."""
    sessions_out: Path | None = None
    """Where the sessions are kept for the client to read; rewritten whenever one changes."""
    sessions_in: Path | None = None
    """Sessions that are known from elsewhere: their Guids and cookies are accepted."""
    ca_out: Path | None = None
    """Where the CA certificate is written."""
    callnums_key: str = "callNums"
    spelling: str = Spelling.STRICT
    channel_mode: str = ChannelMode.MERGE
    guid_ttl: float | None = None
    latency: float = 0.0
    control: bool = False
    """Whether `/rehearsal/` is served."""
    faults: tuple[str, ...] = ()
    """In the notation of `faults`."""
    skills: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """Media types whose skill queue an agent has; an agent that is not listed has all twelve."""

    def rules(self) -> Rules:
        """Return the rules among these settings.

        Raises:
            InputError: a setting has no such value.
        """
        try:
            spelling, channel_mode = Spelling(self.spelling), ChannelMode(self.channel_mode)
        except ValueError as exc:
            values = ", ".join([*Spelling, *ChannelMode])
            raise InputError(f"the rehearsal gateway knows no such mode: {exc}", hint=f"modes are {values}") from exc
        return Rules(
            callnums_key=self.callnums_key,
            spelling=spelling,
            channel_mode=channel_mode,
            guid_ttl=self.guid_ttl,
            latency=self.latency,
            skills=self.skills,
        )


def _make_gateway(settings: RehearsalSettings) -> Gateway:
    faults = [parse_fault(text) for text in settings.faults]
    gateway = Gateway(settings.rules(), clock=time.monotonic, tokens=secrets.token_hex, faults=faults)
    known = read_sessions(settings.sessions_in) if settings.sessions_in is not None else ()
    for session in known:
        gateway.admit(session)
    for agent in sorted(set(settings.agents) - {session.agent for session in known}):
        if parse_agent(str(agent)) is None:
            raise InputError(f"agent {agent} cannot be signed in", hint="agent ids are 101 to 999999")
        gateway.sign_in(agent)
    return gateway


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    caught = (signal.SIGINT, signal.SIGTERM)
    for number in caught:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


def _announcement(server: RunningServer, settings: RehearsalSettings) -> dict[str, object]:
    return {
        "url": server.url,
        "host": server.host,
        "port": server.port,
        "ca_file": str(settings.ca_out) if settings.ca_out is not None else None,
        "sessions_file": str(settings.sessions_out) if settings.sessions_out is not None else None,
        "pid": os.getpid(),
    }


async def _rehearse(settings: RehearsalSettings, gateway: Gateway, announce: Announce) -> None:
    authority = Authority()
    stop = asyncio.Event()

    def keep_sessions() -> None:
        if settings.sessions_out is not None:
            write_sessions(settings.sessions_out, gateway.sessions())

    control = Control(gateway, on_sessions=keep_sessions) if settings.control else None
    with _signals(stop):
        async with serve(
            gateway, authority=authority, host=settings.host, port=settings.port, control=control
        ) as server:
            # Files before the announcement: who waits for it may read them at once.
            if settings.ca_out is not None:
                authority.write_certificate(settings.ca_out)
            keep_sessions()
            announce(_announcement(server, settings))
            await stop.wait()


def run(settings: RehearsalSettings, *, announce: Announce) -> None:
    """Rehearse until SIGINT or SIGTERM, then return. Must be called in the main thread.

    Args:
        settings: what to serve, and where.
        announce: told once where the server listens, when it does.

    Raises:
        InputError: a setting, a file or the address cannot be used.
    """
    asyncio.run(_rehearse(settings, _make_gateway(settings), announce))
