"""The floor: the rehearsal gateway's core without a network, what goes over the wire to it, and a book of all that.

Rules of this file: the gateway is the real core of the rehearsal gateway; the wire beneath the real client is a
transport whose steps (connect, send, receive) are operations of the `World`. Half of a request is none, and an answer
that nobody receives has been given all the same. Nothing here depends on a clock or on chance.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Self

import httpx
from crash.world import World
from support.calls import make_gateway

from reconciler.gateway import SessionSource
from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.session import Absent, Session
from reconciler.simulator import Gateway, parse_fault
from reconciler.simulator.exchange import Call, Reply
from reconciler.simulator.gateway import Visit
from reconciler.simulator.reference import MEDIA_TYPES

Values = tuple[int, tuple[tuple[int, int], ...]]
"""The total, and the channels by code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One whole call as the gateway saw it."""

    agent: int
    values: Values
    taken: bool
    """Whether it changed the agent, whatever was answered."""
    acknowledged: bool
    """Whether the answer was retcode "0"; it may have been lost on its way."""


def values_of(concurrency: Concurrency) -> Values:
    """Return values as `Arrived` has them."""
    return concurrency.total, tuple(sorted((int(channel), number) for channel, number in concurrency.channels))


@dataclass
class Floor:
    """A gateway, who is at their desk, and every call that ever arrived."""

    gateway: Gateway
    book: list[Arrived] = field(default_factory=list)
    unknown: set[int] = field(default_factory=set)
    """Who is signed in and not known to the source of sessions."""
    answering: list[Visit] = field(default_factory=list)
    """Calls that have arrived and whose answer is still under way."""

    @classmethod
    def of(cls, *agents: int) -> Self:
        return cls(make_gateway(agents=agents))

    def copy(self) -> Self:
        gateway, answering = deepcopy((self.gateway, self.answering))
        return replace(self, gateway=gateway, answering=answering, book=list(self.book), unknown=set(self.unknown))

    def arrange(self, *faults: str, absent: Iterable[int] = (), unskilled: Iterable[int] = ()) -> None:
        """Script faults, send people home, and take skill queues away."""
        self.gateway.faults.add([parse_fault(text) for text in faults])
        for agent in absent:
            self.gateway.sign_out(agent)
        for agent in unskilled:
            self.gateway.set_skills(agent, ())

    def heal(self, agents: Iterable[int]) -> None:
        """Everything works, and these are at their desks."""
        self.gateway.faults.clear()
        self.unknown.clear()
        here = {session.agent for session in self.gateway.sessions() if not session.lost}
        for agent in agents:
            self.gateway.set_skills(agent, MEDIA_TYPES)
            if agent not in here:
                self.gateway.sign_in(agent)

    def calls(self, since: int = 0) -> Counter[int]:
        """How often each agent was called, from a place in the book on."""
        return Counter(each.agent for each in self.book[since:])

    def live(self, agent: int) -> Values | None:
        setting = self.gateway.live(agent)
        return None if setting is None else (setting.total, tuple(setting.channels.items()))

    def arrive(self, call: Call) -> Visit:
        agent, values = _said(call)
        before = self.gateway.live(agent)
        visit = self.gateway.arrive(call)
        after = self.gateway.live(agent)
        acknowledged = visit.reply is not None and _retcode(visit.reply) == "0"
        taken = after is not None and after is not before
        self.book.append(Arrived(agent=agent, values=values, taken=taken, acknowledged=acknowledged))
        self.answering.append(visit)
        return visit

    def leave(self, visit: Visit) -> None:
        self.answering = [each for each in self.answering if each is not visit]
        self.gateway.leave(visit)

    def hang_up(self) -> None:
        """The process that called is gone, and its connections with it."""
        for visit in tuple(self.answering):
            self.leave(visit)


def _said(call: Call) -> tuple[int, Values]:
    """Return whom a call is for, and the values in it."""
    document = json.loads(call.body)
    rows = ((row["mediaType"], row["callNums"]) for row in document["agentMediaCallNums"])
    return int(call.path.split("/")[-2]), (document["totalCallNum"], tuple(sorted(rows)))


def _retcode(reply: Reply) -> str | None:
    try:
        return str(json.loads(reply.body)["retcode"])
    except (ValueError, KeyError):
        return None


class Wire(httpx.AsyncBaseTransport):
    """What lies between the client and the gateway."""

    def __init__(self, floor: Floor, world: World, *, witness: Callable[[int, Values], None]) -> None:
        """Lie there; `witness` sees whom a call is for, and its values, just before its first byte leaves."""
        self._floor = floor
        self._world = world
        self._witness = witness

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        trace = request.extensions["trace"]
        await trace("connection.connect_tcp.started", {})
        self._world.do("connect", lambda: None, refuse=_raise_as(httpx.ConnectError))
        await asyncio.sleep(0)
        await trace("http11.send_request_headers.started", {})
        call = _call_of(request, await request.aread())
        self._witness(*_said(call))
        visit = self._world.do("send", lambda: self._floor.arrive(call), refuse=_raise_as(httpx.WriteError))
        try:
            await asyncio.sleep(0)
            if visit.reply is None:
                self._world.do("receive", lambda: None)
                raise ConnectionResetError
            reply = visit.reply
            self._world.do("receive", lambda: None, refuse=_raise_as(httpx.ReadError))
        finally:
            self._floor.leave(visit)
        headers = {"Content-Type": reply.content_type, **reply.headers}
        return httpx.Response(reply.status, headers=headers, stream=_Body(reply.body))


class _Body(httpx.AsyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body


class _raise_as:  # noqa: N801 - read as a verb where it stands
    """Tells of a refusal by the system as the library beneath the client does."""

    def __init__(self, kind: type[httpx.NetworkError]) -> None:
        self._kind = kind

    def __call__(self, refusal: OSError) -> None:
        raise self._kind(str(refusal)) from refusal


def _call_of(request: httpx.Request, body: bytes) -> Call:
    return Call(
        method=request.method,
        path=request.url.raw_path.decode().partition("?")[0],
        content_type=request.headers.get("Content-Type"),
        guid=request.headers.get("Guid"),
        cookie=request.headers.get("Cookie", ""),
        body=body,
    )


class Desks(SessionSource):
    """Whoever is signed in has a session; one that is read again has another Guid."""

    def __init__(self, floor: Floor, world: World) -> None:
        self._floor = floor
        self._world = world
        self._read: set[int] = set()

    async def fetch(self, agents: Sequence[AgentId]) -> Mapping[AgentId, Session | Absent]:
        return self._world.do("fetch", lambda: self._sessions(agents))

    def _sessions(self, agents: Sequence[AgentId]) -> Mapping[AgentId, Session | Absent]:
        here = {session.agent for session in self._floor.gateway.sessions()}
        for agent in self._read & set(agents) & here:
            self._floor.gateway.rotate(agent)
        self._read.update(agents)
        return {
            AgentId(session.agent): Session(agent=AgentId(session.agent), guid=session.guid, key=session.key)
            for session in self._floor.gateway.sessions()
            if session.agent in agents and session.agent not in self._floor.unknown
        }
