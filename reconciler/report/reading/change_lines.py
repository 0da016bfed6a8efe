"""The changes of a plan read from lines of text, what agents share of them once: the quick way of `ChangeReader`.

An entry is cut at the beginnings of its fields, which are in no string, since a quotation mark within one has a
backslash before it. What is done with an agent is read by its text; where only the lines differ from which its numbers
come, with those in the place of others. Whatever does not fit is refused, and `lines` says what happens then.
"""

from __future__ import annotations

import re

from reconciler.model.agent import AgentId, parse_agent_id
from reconciler.model.desired import Source
from reconciler.model.plan import Change
from reconciler.report.reading.change import Deed, deed, source
from reconciler.report.reading.values import Fields, Members, MisreadError, optional, parse_json, text
from reconciler.values import replace

_AGENT = '"agent": "'
# Possessive: a group that may be tried again keeps a note for each of its turns, which makes gigabytes of a long text.
_PLACE = re.compile(r'\{"path": ("[^"\\]*+(?:\\.[^"\\]*+)*+"), "line": ([1-9][0-9]{0,8})\}', re.ASCII)
_ANY_PLACE = '{"path": "", "line": 1}'


def split_agent(members: Members) -> tuple[AgentId, str]:
    """Return the agent with whom an entry begins, as all of ours do, and the text of its other members."""
    name, _, rest = members.partition('", ')
    if not name.startswith(_AGENT):
        raise MisreadError("begins with another field", ".agent")
    return parse_agent_id(name.removeprefix(_AGENT)), rest


class ChangeLines:
    """Reads the entries of `changes` as `Members`."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._deeds: dict[str, Deed] = {}
        self._shapes: dict[str, Deed] = {}
        """By their text with `_ANY_PLACE` for every place."""
        self._teams: dict[str, str | None] = {}
        self._paths: dict[str, str] = {}

    def __call__(self, members: Members) -> Change:
        """Return the change that `members` describe."""
        agent, rest = split_agent(members)
        team, _, rest = rest.partition(', "action": ')
        words, _, place = rest.rpartition(', "source": ')
        known = self._deeds.get(words)
        if known is None:
            known = self._deeds[words] = self._deed(words)
        return known.build(agent=agent, team=self._team(team), edits=known.edits, source=self._source(place))

    def _deed(self, words: str) -> Deed:
        shape = _PLACE.sub(_ANY_PLACE, words)
        known = self._shapes.get(shape)
        if known is None:
            known = self._shapes[shape] = deed(Fields(Members(f'"action": {shape}')))
        causes = list(map(self._place, _PLACE.finditer(words)))
        if len(causes) != sum(edit.cause is not None for edit in known.edits):
            raise MisreadError("has a cause that is laid out otherwise", ".edits")
        rest = iter(causes)
        edits = [edit if edit.cause is None else replace(edit, cause=next(rest)) for edit in known.edits]
        return Deed(known.build, tuple(edits))

    def _team(self, words: str) -> str | None:
        if words not in self._teams:
            fields = Fields(Members(words))
            self._teams[words] = fields.take("team", optional(text))
            fields.finish()
        return self._teams[words]

    def _source(self, words: str) -> Source | None:
        match = _PLACE.fullmatch(words)
        return optional(source)(parse_json(words.encode())) if match is None else self._place(match)

    def _place(self, match: re.Match[str]) -> Source:
        path = self._paths.get(match[1])
        if path is None:
            path = self._paths[match[1]] = text(parse_json(match[1].encode()))
        return Source(path, int(match[2]))
