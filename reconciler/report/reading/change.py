"""One change of a saved plan read back, and held against itself.

What a reviewer reads are the edits; what is sent are the values. A file in which the two tell different stories is
refused here, since its fingerprint, which covers the values only, would not notice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import assert_never

from reconciler.model.agent import AgentId, parse_agent_id
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Source
from reconciler.model.plan import Action, Change, Edit, EditKind, Forget, Reason, Reassert, Reset, Set
from reconciler.report.reading.values import (
    ContradictionError,
    Fields,
    MisreadError,
    keyed,
    listed,
    optional,
    shown,
    text,
    whole,
    word_of,
)
from reconciler.values import Struct

_REASONS: Mapping[Action, tuple[Reason, ...]] = {
    Action.SET: (Reason.NEW, Reason.CHANGED, Reason.KEY_SPELLING),
    Action.REASSERT: (Reason.IN_DOUBT, Reason.NEW_SESSION, Reason.OLDER_THAN, Reason.REQUESTED),
    Action.FORGET: (Reason.NOT_DESIRED,),
    Action.RESET: (Reason.NOT_DESIRED,),
}
_DIFFERING = (Reason.NEW, Reason.CHANGED)
_FIELDS = ("total", *(f"channels.{channel.label}" for channel in Channel))
"""Every number an edit can be about, in the order edits are listed."""
_CHANNELS = {channel.code: channel for channel in Channel}
_LONGEST_ID = 20

_action, _reason, _kind = word_of(Action), word_of(Reason), word_of(EditKind)
_field = keyed({name: name for name in _FIELDS})


class Deed(Struct, frozen=True):
    """What is done with an agent, whoever it is."""

    build: Callable[..., Change]
    """Takes the agent, the team, the edits and the source."""
    edits: tuple[Edit, ...]


class ChangeReader:
    """Reads the entries of `changes`. A thousand agents often share one deed, so each distinct one is read once."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._seen: dict[str, Deed] = {}

    def __call__(self, value: object) -> Change:
        """Return the change that `value` describes."""
        fields = Fields(value)
        agent = fields.take("agent", agent_id)
        team = fields.take("team", optional(text))
        place = fields.take("source", optional(source))
        # By its text: True == 1 and 1.0 == 1 as keys of a cache as elsewhere, and their texts differ.
        key = repr(fields.remaining())
        known = self._seen.get(key)
        if known is None:
            known = self._seen[key] = deed(fields)
        return known.build(agent=agent, team=team, edits=known.edits, source=place)


def agent_id(value: object) -> AgentId:
    """Read an agent id."""
    words = text(value)
    if len(words) > _LONGEST_ID:
        raise ValueError(f"{shown(words)} is not an agent id")
    return parse_agent_id(words)


def deed(fields: Fields) -> Deed:
    """Read what is left of an entry without its agent, team and source, and hold it against itself."""
    action = fields.take("action", _action)
    reason = fields.take("reason", _reason)
    before = fields.take("before", optional(concurrency))
    after = fields.take("after", optional(concurrency))
    edits = fields.take("edits", listed(_edit))
    fields.finish()
    build = partial(_of_action(action, before, after), reason=reason)
    if reason not in _REASONS[action]:
        raise MisreadError(f"{action} is never done because of {reason}", ".reason")
    if (before is None) is not (reason is Reason.NEW):
        raise MisreadError(f"does not fit the reason {reason}", ".before")
    _require_told(reason, before, after, edits)
    return Deed(build, edits)


def _of_action(action: Action, before: Concurrency | None, after: Concurrency | None) -> Callable[..., Change]:
    match action, before, after:
        case Action.SET, _, Concurrency():
            return partial(Set, before=before, after=after)
        case Action.REASSERT, Concurrency(), Concurrency() if before == after:
            return partial(Reassert, before=before, after=after)
        case Action.RESET, Concurrency(), Concurrency():
            return partial(Reset, before=before, after=after)
        case Action.FORGET, Concurrency(), None:
            return partial(Forget, before=before)
        case _:
            raise MisreadError(f"{action} does not fit this before and after", ".action")


def _require_told(
    reason: Reason, before: Concurrency | None, after: Concurrency | None, edits: tuple[Edit, ...]
) -> None:
    """Refuse edits that are not the difference of the values."""
    old, new = _numbers(before), _numbers(after)
    # A channel closed earlier and not sent again is no edit: nothing happens to it.
    old = {name: number for name, number in old.items() if number > 0 or name in new}
    differing = [name for name in _FIELDS if old.get(name) != new.get(name)] if after is not None else []
    told = [(edit.field, edit.before, edit.after) for edit in edits]
    if told != [(name, old.get(name), new.get(name)) for name in differing] or not all(map(_fits, edits)):
        raise ContradictionError("they do not tell the difference of before and after", ".edits")
    if bool(edits) is not (reason in _DIFFERING) and reason is not Reason.NOT_DESIRED:
        raise ContradictionError(f"they do not fit the reason {reason}", ".edits")


def _fits(edit: Edit) -> bool:
    match edit.kind:
        case EditKind.ADDED:
            return edit.before is None
        case EditKind.OMITTED:
            return edit.after is None
        case EditKind.CLOSED:
            return edit.field != "total" and edit.before is not None and edit.after == 0
        case EditKind.CHANGED:
            return edit.before is not None and edit.after is not None
        case _:
            assert_never(edit.kind)


def _numbers(value: Concurrency | None) -> dict[str, int]:
    if value is None:
        return {}
    return {"total": value.total, **{f"channels.{channel.label}": sessions for channel, sessions in value.channels}}


def _edit(value: object) -> Edit:
    fields = Fields(value)
    edit = Edit(
        field=fields.take("field", _field),
        kind=fields.take("kind", _kind),
        before=fields.take("before", optional(whole)),
        after=fields.take("after", optional(whole)),
        cause=fields.take("cause", optional(source)),
    )
    fields.finish()
    return edit


def source(value: object) -> Source:
    """Read a place in a file."""
    fields = Fields(value)
    place = Source(fields.take("path", text), fields.take("line", _line))
    fields.finish()
    return place


def _line(value: object) -> int:
    if whole(value) < 1:
        raise ValueError("lines are counted from 1")
    return whole(value)


def concurrency(value: object) -> Concurrency:
    """Read the numbers of an agent."""
    fields = Fields(value)
    total = fields.take("total", whole)
    channels = fields.take("channels", _channels)
    fields.finish()
    return Concurrency.of(total, channels)


def _channels(value: object) -> dict[Channel, int]:
    fields = Fields(value)
    channels = {channel: fields.take(code, whole) for code, channel in _CHANNELS.items() if code in fields.remaining()}
    fields.finish()
    if not channels:
        raise MisreadError("it names no channel")
    return channels
