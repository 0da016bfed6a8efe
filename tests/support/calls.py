"""Calls to a rehearsal gateway as values, written from the reference and not by the client's code."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from typing import Any

from reconciler.simulator import Gateway, Rules, parse_fault
from reconciler.simulator.exchange import Call, Reply

CONTENT_TYPE = "application/json; charset=UTF-8"
REFERENCE_REQUEST = b"""{
        "totalCallNum":25,
        "agentMediaCallNums": [
                {
                    "mediaType": 51,
                    "callnums": 9
                },
                {
                    "mediaType": 52,
                    "callnums": 6
                }
            ]
    }"""
"""The example of the reference, byte for byte."""
SUCCESS = {"message": "success", "retcode": "0"}


class Clock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def make_gateway(*faults: str, agents: Iterable[int] = (1001,), clock: Clock | None = None, **rules: Any) -> Gateway:
    """Return a gateway whose tokens are countable, with these agents signed in."""
    numbers = itertools.count(1)
    gateway = Gateway(
        Rules(**rules),
        clock=clock or Clock(),
        tokens=lambda size: f"{next(numbers):0{2 * size}x}",
        faults=[parse_fault(text) for text in faults],
    )
    for agent in agents:
        gateway.sign_in(agent)
    return gateway


def path_of(agent: object) -> str:
    return f"/agentgateway/resource/mediacall/{agent}/setcallnumsbymediatype"


def guid_of(gateway: Gateway, agent: int) -> str:
    return next(session.guid for session in gateway.sessions() if session.agent == agent)


def body_of(total: object = 25, channels: dict[int, object] | None = None, *, key: str = "callNums") -> bytes:
    numbers = {51: 9, 52: 6} if channels is None else channels
    rows = [{"mediaType": code, key: number} for code, number in numbers.items()]
    return json.dumps({"totalCallNum": total, "agentMediaCallNums": rows}).encode()


def call_of(gateway: Gateway, agent: int = 1001, **pieces: Any) -> Call:
    """Return a good call for an agent that is signed in, with some of its pieces replaced."""
    good: dict[str, Any] = {"method": "POST", "path": path_of(agent), "content_type": CONTENT_TYPE, "body": body_of()}
    if "guid" not in pieces:
        good["guid"] = guid_of(gateway, agent)
    return Call(**{**good, **pieces})


def answer(gateway: Gateway, call: Call) -> Reply:
    """Let a call arrive and end; it must be answered."""
    visit = gateway.arrive(call)
    gateway.leave(visit)
    assert visit.reply is not None
    return visit.reply


def retcode(gateway: Gateway, call: Call) -> str:
    """Return the retcode of a call's answer, which must have status 200 like all of them."""
    reply = answer(gateway, call)
    assert reply.status == 200
    return str(json.loads(reply.body)["retcode"])
