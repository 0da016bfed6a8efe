"""What a probe says it will send, before it sends anything. Pure.

Rules of this file: every body that `script` can lead to stands here, as it goes over the wire, with the answer that
leads to it; a test walks all ways of the script against it. Of the session nothing is known yet, and nothing is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from reconciler.gateway import build_request
from reconciler.model.desired import Desired
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.probe import ProbeScript, ScriptedBranch, ScriptedMessage
from reconciler.model.session import Session
from reconciler.probing.restoring import RESTORING_ATTEMPTS
from reconciler.probing.script import BAD_MESSAGE, LONGEST
from reconciler.probing.subject import Subject
from reconciler.probing.trials import (
    TOO_HIGH,
    Kind,
    Message,
    body_of,
    channel_to_leave_out,
    channel_to_raise,
    other_key,
)


def announce(
    subject: Subject, desired: Desired, *, pause: float | None, interval: float, signs_in: bool = False
) -> ProbeScript:
    """Return the script of a probe with `subject`.

    Args:
        subject: the agent and its numbers.
        desired: the environment, for its site.
        pause: seconds somebody may look at the agent with a channel left out; `None`: none is left out.
        interval: seconds between two calls at the least.
        signs_in: the session source signs the agent in.
    """
    gateway = desired.site.gateway
    request = build_request(
        gateway.url, Session(agent=subject.agent, guid="hidden"), subject.values, subject.configured
    )
    partial = pause is not None and channel_to_leave_out(subject.values) is not None
    shortest_way_out = 0 if partial else 1
    return ProbeScript(
        site=desired.site.name,
        agent=subject.agent,
        url=gateway.url,
        method=request.method,
        path=urlsplit(request.url).path,
        source="recorded" if subject.recorded else "desired",
        in_doubt=subject.in_doubt,
        protected=subject.protected,
        insecure=gateway.insecure,
        signs_in=signs_in,
        messages=tuple(_messages(subject, partial=partial)),
        branches=tuple(_branches(subject.configured, partial=partial)),
        at_most=LONGEST + 1 - shortest_way_out,
        restoring_attempts=RESTORING_ATTEMPTS,
        seconds=(LONGEST - shortest_way_out) * interval,
        pause=pause if partial else None,
    )


def letter_of(message: Message, configured: CallnumsKey) -> str:
    """Return the short name of a message in a probe that began with the spelling `configured`."""
    return _LETTERS[message.kind, message.key is configured]


_LETTERS = {
    (Kind.PLAIN, True): "A",
    (Kind.HIGH, True): "B",
    (Kind.BOTH, False): "C",
    (Kind.BOTH_HIGH, False): "D",
    (Kind.PLAIN, False): "E",
    (Kind.HIGH, False): "F",
    (Kind.PARTIAL, True): "G",
    (Kind.PARTIAL, False): "H",
}
"""By kind, and whether it is about the spelling the probe began with."""


def _messages(subject: Subject, *, partial: bool) -> Iterator[ScriptedMessage]:
    for (kind, is_configured), letter in _LETTERS.items():
        if kind is Kind.PARTIAL and not partial:
            continue
        key = subject.configured if is_configured else other_key(subject.configured)
        message = Message(kind=kind, key=key)
        body = body_of(message, subject.values).decode("ascii")
        yield ScriptedMessage(letter=letter, body=body, purpose=_purpose(message, subject))


def _purpose(message: Message, subject: Subject) -> str:
    own = "the recorded numbers" if subject.recorded else "the desired numbers"
    key, other = message.key.value, other_key(message.key).value
    raised = f"{TOO_HIGH} for {channel_to_raise(subject.values).label}, which is never valid"
    match message.kind:
        case Kind.PLAIN:
            return f"{own}, spelt {key}"
        case Kind.HIGH:
            return f"{own}, spelt {key}, but {raised}: refused by a gateway that reads {key}"
        case Kind.BOTH:
            return f"{own} under both spellings"
        case Kind.BOTH_HIGH:
            return f"{own} as {other}; as {key} too, but {raised}: refused by a gateway that reads {key}"
        case Kind.PARTIAL:
            left_out = channel_to_leave_out(subject.values)
            assert left_out is not None  # noqa: S101 - it is announced only then
            return f"{own}, spelt {key}, without {left_out.label}"


def _branches(configured: CallnumsKey, *, partial: bool) -> Iterator[ScriptedBranch]:
    key, other = configured.value, other_key(configured).value
    yield _branch(0, "", "A")
    yield _branch(1, "A is acknowledged", "AB")
    yield _branch(2, "B is refused", "ABA", f"{key} is read, and B changed nothing")
    yield _branch(2, "B is acknowledged", "C", f"{key} is not read, or nobody checks numbers")
    yield _branch(3, "C is acknowledged", "D")
    yield _branch(4, "D is refused", "C", "D changed nothing")
    yield _branch(5, "C is acknowledged", "D")
    yield _branch(6, "D is refused", "E", f"{other} is read, and D changed nothing")
    yield _branch(7, "E is refused", "A")
    yield _branch(6, "D is acknowledged", "A")
    yield _branch(5, "C is refused", "A")
    yield _branch(4, "D is acknowledged", "A")
    yield _branch(3, "C is refused", "A")
    yield _branch(1, f"A is refused as {BAD_MESSAGE}", "EEF", f"{key} is not read, and A changed nothing")
    yield _branch(2, "F is refused", "EFE", f"{other} is read, and F changed nothing")
    yield _branch(2, "F is acknowledged", "A", "to see A refused once more")
    yield _branch(3, "A is refused again", "E")
    either = ("A or E",)
    yield ScriptedBranch(depth=0, condition="the session has cookies", letters=either, note="without the cookies")
    yield ScriptedBranch(depth=1, condition="that is not acknowledged", letters=either, note="with them")
    if partial:
        yield ScriptedBranch(depth=0, condition="with --pause", letters=("G or H",), note="then somebody looks")
    last = "anything but A or E was sent last, whatever happened"
    yield ScriptedBranch(depth=0, condition=last, letters=either, note="the agent gets its own numbers back")


def _branch(depth: int, condition: str, letters: str, note: str = "") -> ScriptedBranch:
    return ScriptedBranch(depth=depth, condition=condition, letters=tuple(letters), note=note)
