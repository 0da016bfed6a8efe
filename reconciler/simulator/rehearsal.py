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
from pathlib import Path
from typing import Any, NoReturn

from reconciler.errors import InputError
from reconciler.simulator.authority import Authority
from reconciler.simulator.control import Control
from reconciler.simulator.faults import parse_fault
from reconciler.simulator.gateway import Gateway
from reconciler.simulator.rules import ChannelMode, Rules, Spelling
from reconciler.simulator.server import RunningServer, serve
from reconciler.simulator.session_files import read_passwords, read_sessions, write_sessions
from reconciler.simulator.sessions import Keeper, parse_agent
from reconciler.simulator.staging import Stage
from reconciler.values import Struct, field, repr_without

Announce = Callable[[Mapping[str, object]], None]

_KEEPING = 0.2
"""Seconds between two looks at whether the sessions file has to be written."""


class RehearsalSettings(Struct, frozen=True, kw_only=True):
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
    scenarios: tuple[str, ...] = ()
    """In the notation of `scenario`; what a scenario sets wins over the settings here."""
    node: str | None = None
    """Name of this node of a cluster."""
    session_cookies: Mapping[str, str] = field(default_factory=dict)
    """Written beside each Guid in `sessions_out`, for a front that wants them."""
    passwords_in: Path | None = None
    """A JSON object from agents to their passwords; any will do for the others."""

    __repr__ = repr_without("session_cookies")

    def rules(self) -> Rules:
        """Return the rules among these settings.

        Raises:
            InputError: a setting has no such value, or the passwords cannot be read.
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
            node=self.node,
            session_cookies=self.session_cookies,
            passwords=read_passwords(self.passwords_in) if self.passwords_in is not None else {},
        )


def _make_stage(settings: RehearsalSettings) -> tuple[Gateway, Stage]:
    faults = [parse_fault(text) for text in settings.faults]
    gateway = Gateway(settings.rules(), clock=time.monotonic, tokens=secrets.token_hex, faults=faults)
    stage = Stage(gateway)
    stage.play(settings.scenarios)
    _sign_in(gateway, settings)
    return gateway, stage


def _sign_in(gateway: Gateway, settings: RehearsalSettings) -> None:
    known = read_sessions(settings.sessions_in) if settings.sessions_in is not None else ()
    for session in known:
        gateway.admit(session)
    for agent in sorted(set(settings.agents) - {session.agent for session in known}):
        if parse_agent(str(agent)) is None:
            raise InputError(f"agent {agent} cannot be signed in", hint="agent ids are 101 to 999999")
        gateway.sign_in(agent)


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


class _SessionsFile:
    """Keeps the sessions of desks in a file: nobody but a caller knows a caller's."""

    def __init__(self, path: Path, gateway: Gateway) -> None:
        self._path = path
        self._gateway = gateway
        self._written: int | None = None

    def keep(self) -> None:
        """Write the file if a session has changed."""
        revision = self._gateway.revision()
        if revision != self._written:
            desks = [session for session in self._gateway.sessions() if session.keeper is Keeper.DESK]
            write_sessions(self._path, desks)
            self._written = revision

    async def keep_up(self) -> NoReturn:
        """Keep the file up to date with calls and with time, until cancelled."""
        while True:
            await asyncio.sleep(_KEEPING)
            self.keep()


async def _until_over(stop: asyncio.Event, file: _SessionsFile | None) -> None:
    """Keep the file until `stop` is set.

    Raises:
        InputError: the file cannot be written any more.
    """
    tasks: list[asyncio.Task[Any]] = [asyncio.create_task(stop.wait())]
    if file is not None:
        tasks.append(asyncio.create_task(file.keep_up()))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _rehearse(settings: RehearsalSettings, gateway: Gateway, stage: Stage, announce: Announce) -> None:
    authority = Authority()
    stop = asyncio.Event()
    file = _SessionsFile(settings.sessions_out, gateway) if settings.sessions_out is not None else None
    on_sessions = file.keep if file is not None else lambda: None
    control = Control(gateway, on_sessions=on_sessions, stage=stage) if settings.control else None
    with _signals(stop):
        async with serve(
            gateway, authority=authority, host=settings.host, port=settings.port, control=control
        ) as server:
            # Files before the announcement: who waits for it may read them at once.
            if settings.ca_out is not None:
                authority.write_certificate(settings.ca_out)
            if file is not None:
                file.keep()
            announce(_announcement(server, settings))
            await _until_over(stop, file)


def run(settings: RehearsalSettings, *, announce: Announce) -> None:
    """Rehearse until SIGINT or SIGTERM, then return. Must be called in the main thread.

    Args:
        settings: what to serve, and where.
        announce: told once where the server listens, when it does.

    Raises:
        InputError: a setting, a file or the address cannot be used.
    """
    gateway, stage = _make_stage(settings)
    asyncio.run(_rehearse(settings, gateway, stage, announce))
