"""The experiment's pieces as values: which messages there are, and what became of each call. Pure.

A number of sessions above 60 is outside the documented range, so a gateway that reads it must refuse it. `HIGH`
messages carry one such number in one channel; every other number in every message is the agent's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum, StrEnum, auto

from reconciler.model.channel import Channel
from reconciler.model.concurrency import MAX_CHANNEL, Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.values import Struct

TOO_HIGH = MAX_CHANNEL + 1
"""Refused by whoever reads it. The least of its kind: should nobody check, the total still bounds it."""


class Kind(Enum):
    """What a message is for."""

    PLAIN = auto()
    """The agent's own numbers under one spelling: what an apply would send."""
    HIGH = auto()
    """The same, but for one number that is too high."""
    BOTH = auto()
    """The agent's own numbers under both spellings: whichever is read, they are what is read."""
    BOTH_HIGH = auto()
    """The same, but for one number under `key` that is too high; under the other spelling all are the agent's own."""
    PARTIAL = auto()
    """The agent's own numbers without one channel."""


class Message(Struct, frozen=True, kw_only=True):
    """One body, as an idea."""

    kind: Kind
    key: CallnumsKey
    """The spelling it is about."""


class Step(Struct, frozen=True, kw_only=True):
    """A message to be sent once."""

    message: Message
    cookies: bool = True
    """`False` leaves the session's cookies at home: whether they are missed is the question."""


class Answer(StrEnum):
    """What a call came to, as far as an experiment can use it."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    NOT_SIGNED_IN = "not signed in"
    SESSION_REFUSED = "session refused"
    FAILED = "failed"
    """It failed before the gateway can have taken it."""
    NO_ANSWER = "no answer"
    """It may have been taken."""
    STOPPED = "stopped"
    """Nothing was sent, since the run was told to stop."""


class Trial(Struct, frozen=True, kw_only=True):
    """A step, and its answer."""

    step: Step
    answer: Answer
    retcode: str | None = None
    overlapping: bool = False
    """Another message may have been at work still when this one was sent: which of the two took effect last is open."""


def body_of(message: Message, values: Concurrency) -> bytes:
    """Return the body of `message` for an agent with these numbers, in the form of `gateway.build_request`."""
    odd = channel_to_raise(values)
    left_out = channel_to_leave_out(values) if message.kind is Kind.PARTIAL else None
    rows = [
        {"mediaType": int(channel), **_numbers(message, number, odd=channel is odd)}
        for channel, number in values.channels
        if channel is not left_out
    ]
    return json.dumps({"totalCallNum": values.total, "agentMediaCallNums": rows}).encode("ascii")


def _numbers(message: Message, number: int, *, odd: bool) -> Mapping[str, int]:
    key, other = message.key.value, other_key(message.key).value
    match message.kind:
        case Kind.PLAIN | Kind.PARTIAL:
            return {key: number}
        case Kind.HIGH:
            return {key: TOO_HIGH if odd else number}
        case Kind.BOTH:
            return {other: number, key: number}
        case Kind.BOTH_HIGH:
            return {other: number, key: TOO_HIGH if odd else number}


def other_key(key: CallnumsKey) -> CallnumsKey:
    """Return the other spelling."""
    return CallnumsKey.LOWER if key is CallnumsKey.CAMEL else CallnumsKey.CAMEL


def channel_to_raise(values: Concurrency) -> Channel:
    """Return the channel whose number is made too high: the one with most sessions, who would feel it least."""
    return max(values.channels, key=lambda pair: (pair[1], -pair[0]))[0]


def channel_to_leave_out(values: Concurrency) -> Channel | None:
    """Return the channel that `PARTIAL` leaves out: the one with fewest sessions above 0.

    `None` when leaving one out would show nothing: with no other channel, or none that is open.
    """
    opened = [(number, channel) for channel, number in values.channels if number > 0]
    return min(opened)[1] if opened and len(values.channels) > 1 else None
