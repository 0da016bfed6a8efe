"""One change of a saved plan read back, and held against itself.

What a reviewer reads are the edits; what is sent are the values. A file in which the two tell different stories is
refused here, since its fingerprint, which covers the values only, would not notice.
"""

from __future__ import annotations

import re
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
    Members,
    MisreadError,
    keyed,
    listed,
    optional,
    parse_json,
    shown,
    text,
    whole,
    word_of,
)

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
_AGENT = '"agent": "'
_PLACE = re.compile(r'\{"path": ("(?:[^"\\]|\\.)*"), "line": ([1-9][0-9]{0,8})\}', re.ASCII)

_action, _reason, _kind = word_of(Action), word_of(Reason), word_of(EditKind)
_field = keyed({name: name for name in _FIELDS})

_Build = Callable[..., Change]


class ChangeReader:
    """Reads the entries of `changes`. A thousand agents often share one deed, so each distinct one is read once."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._seen: dict[str, _Build] = {}
        self._paths: dict[str, str] = {}

    def __call__(self, value: object) -> Change:
        """Return the change that `value` describes."""
        if isinstance(value, Members):
            return self._of_text(value)
        fields = Fields(value)
        agent = fields.take("agent", agent_id)
        source = fields.take("source", optional(_source))
        # By its text: True == 1 and 1.0 == 1 as keys of a cache as elsewhere, and their texts differ.
        return self._build(repr(fields.remaining()), fields)(agent=agent, source=source)

    def _of_text(self, members: Members) -> Change:
        agent, rest = split_agent(members)
        shared, _, source = rest.rpartition(', "source": ')
        return self._build(shared, Members(shared))(agent=agent, source=self._source(source))

    def _build(self, key: str, value: Members | Fields) -> _Build:
        build = self._seen.get(key)
        if build is None:
            build = self._seen[key] = _deed(value if isinstance(value, Fields) else Fields(value))
        return build

    def _source(self, words: str) -> Source | None:
        match = _PLACE.fullmatch(words)
        if match is None:
            return optional(_source)(parse_json(words.encode()))
        path = self._paths.get(match[1])
        if path is None:
            path = self._paths[match[1]] = text(parse_json(match[1].encode()))
        return Source(path, int(match[2]))


def split_agent(members: Members) -> tuple[AgentId, str]:
    """Return the agent with whom an entry begins, as all of ours do, and the text of its other members."""
    name, _, rest = members.partition('", ')
    if not name.startswith(_AGENT):
        raise MisreadError("begins with another field", ".agent")
    return parse_agent_id(name.removeprefix(_AGENT)), rest


def agent_id(value: object) -> AgentId:
    """Read an agent id."""
    words = text(value)
    if len(words) > _LONGEST_ID:
        raise ValueError(f"{shown(words)} is not an agent id")
    return parse_agent_id(words)


def _deed(fields: Fields) -> _Build:
    team = fields.take("team", optional(text))
    action = fields.take("action", _action)
    reason = fields.take("reason", _reason)
    before = fields.take("before", optional(concurrency))
    after = fields.take("after", optional(concurrency))
    edits = fields.take("edits", listed(_edit))
    fields.finish()
    build = partial(_of_action(action, before, after), team=team, reason=reason, edits=edits)
    if reason not in _REASONS[action]:
        raise MisreadError(f"{action} is never done because of {reason}", ".reason")
    if (before is None) is not (reason is Reason.NEW):
        raise MisreadError(f"does not fit the reason {reason}", ".before")
    _require_told(reason, before, after, edits)
    return build


def _of_action(action: Action, before: Concurrency | None, after: Concurrency | None) -> _Build:
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
        cause=fields.take("cause", optional(_source)),
    )
    fields.finish()
    return edit


def _source(value: object) -> Source:
    fields = Fields(value)
    source = Source(fields.take("path", text), fields.take("line", _line))
    fields.finish()
    return source


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
