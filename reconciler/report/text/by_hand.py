"""Changes of the state by hand, as text and as counts: exactly what would be recorded or dropped, and what follows.

Rules of this file: agents of whom the same is to be said are one line, and nobody is left out. What the gateway has is
not known here and not claimed; that nothing is sent is said each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter

from reconciler.model.agent import AgentId, summarise_agents
from reconciler.model.by_hand import Adoption, Removal
from reconciler.model.printable import printable
from reconciler.model.state import AgentRecord, RecordStatus, State
from reconciler.report.change_words import whole_words
from reconciler.report.layout import agent_lines, counted, hang, named_agents, paint
from reconciler.report.style import Role, Style

_ALL = 1_000_000
"""More ranges than there are agents: nobody is left out."""
_INSTEAD = "in place of"


def removal_summary(removal: Removal, saved: State) -> dict[str, object]:
    """Return the counts of what was dropped."""
    return {
        "lineage": saved.lineage,
        "serial": saved.serial,
        "dropped": len(removal.records),
        "in_doubt": len(removal.in_doubt),
        "protected": len(removal.protected),
        "desired": len(removal.desired),
        "waits_ended": len(removal.waiting),
    }


def adoption_summary(adoption: Adoption, saved: State) -> dict[str, object]:
    """Return the counts of what was recorded."""
    return {
        "lineage": saved.lineage,
        "serial": saved.serial,
        "adopted": len(adoption.records),
        "replaced": len(adoption.before),
        "protected": len(adoption.protected),
        "recorded_before": len(adoption.recorded),
        "same": len(adoption.same),
        "waits_ended": len(adoption.waiting),
    }


def removal_text(removal: Removal, *, style: Style) -> str:
    """Return what is to be dropped, and what follows from it."""
    lines = [style(Role.HEADING, f"To be dropped from the state of site {_site(removal.state)}:")]
    for words, agents in _groups((agent, _record_words(record)) for agent, record in removal.records.items()):
        lines += _group("- ", agents, words, Role.REMOVED, style)
    alone = [agent for agent in removal.waiting if agent not in removal.records]
    lines += _group("- ", alone, ["no record; a change waits"], Role.REMOVED, style) if alone else []
    return "".join(f"{line}\n" for line in [*lines, "", *_after_removal(removal, style)])


def adoption_text(adoption: Adoption, *, style: Style) -> str:
    """Return what is to be recorded, in place of what, and what follows from it."""
    lines = [style(Role.HEADING, f"To be recorded as acknowledged in the state of site {_site(adoption.state)}:")]
    spelling = {str(record.callnums_key) for record in adoption.records.values()}
    lines += [f"  sent with the key {key}" for key in sorted(spelling)]
    before = adoption.before
    said = ((agent, _adopted_words(record, before.get(agent))) for agent, record in adoption.records.items())
    for words, agents in _groups(said):
        role, mark = (Role.CHANGED, "~ ") if agents[0] in before else (Role.ADDED, "+ ")
        cut = words.index(_INSTEAD) if _INSTEAD in words else len(words)
        lines += _group(mark, agents, words[:cut], role, style, instead=words[cut + 1 :])
    return "".join(f"{line}\n" for line in [*lines, "", *_after_adoption(adoption, style)])


def _site(state: State) -> str:
    return f"{printable(state.site, limit=60)} (serial {state.serial})"


def _record_words(record: AgentRecord) -> list[str]:
    marks = [
        *([f"team {printable(record.team, limit=60)}"] if record.team is not None else []),
        *(["protected"] if record.protected else []),
        *(["in doubt"] if record.status is RecordStatus.IN_DOUBT else []),
    ]
    return [*whole_words(record.concurrency), *marks]


def _adopted_words(record: AgentRecord, before: AgentRecord | None) -> list[str]:
    words = _record_words(record)
    if before is None:
        return words
    key = [] if before.callnums_key is record.callnums_key else [f"key {before.callnums_key}"]
    return [*words, _INSTEAD, *_record_words(before), *key]


def _groups(said: Iterable[tuple[AgentId, list[str]]]) -> list[tuple[list[str], list[AgentId]]]:
    """Return the agents of whom the same is said, larger groups first, then by first agent."""
    members: dict[tuple[str, ...], list[AgentId]] = {}
    for agent, words in sorted(said, key=itemgetter(0)):
        members.setdefault(tuple(words), []).append(agent)
    groups = sorted(members.items(), key=lambda item: (-len(item[1]), item[1][0]))
    return [(list(words), agents) for words, agents in groups]


def _group(
    mark: str, agents: Sequence[AgentId], words: Sequence[str], role: Role, style: Style, *, instead: Sequence[str] = ()
) -> list[str]:
    head, under = f"  {mark}{named_agents(agents)}: ", "    in place of "
    lines = paint(hang(head, words, indent=len(head)), role, style)
    lines += hang(under, instead, indent=len(under)) if instead else []
    return [*lines, *agent_lines(agents, indent=4, style=style, shown=_ALL)]


def _after_removal(removal: Removal, style: Style) -> list[str]:
    agents = [*removal.records, *(agent for agent in removal.waiting if agent not in removal.records)]
    gone = [agent for agent in agents if agent not in removal.desired]
    lines = ["Nothing is sent: the gateway keeps what it has."]
    if removal.desired:
        lines += _sentence("desired still", sorted(removal.desired), "the next plan shows them as new")
    if gone:
        lines += _sentence("not desired", gone, "no plan will name them any more, whatever they have")
    if removal.in_doubt:
        doubt = _sentence("in doubt", removal.in_doubt, "that their last call has no known answer is forgotten too")
        lines += paint(doubt, Role.WARNING, style)
    if removal.waiting:
        lines += _sentence("waiting", sorted(removal.waiting), "since when they wait is forgotten")
    return lines


def _after_adoption(adoption: Adoption, style: Style) -> list[str]:
    loud = (
        "NOTHING IS SENT. That the gateway has these values is your word, not its answer: the state cannot be told "
        "from one it acknowledged, and no plan will send them again unless it is asked to (--reassert)."
    )
    lines = paint(hang("", loud.split(" "), indent=0, separator=" "), Role.WARNING, style)
    for channel, agents in adoption.left_open.items():
        told = _sentence(f"with {channel.label} open as recorded, and not desired", agents, "no plan will close it")
        lines += paint(told, Role.WARNING, style)
    if adoption.recorded:
        lines += _sentence("recorded with something else", adoption.recorded, "left as recorded (--replace)")
    if adoption.same:
        lines += _sentence("recorded just so", adoption.same, "nothing to adopt")
    if adoption.waiting:
        lines += _sentence("waiting", sorted(adoption.waiting), "nothing is due any more, so the wait ends")
    return lines


def _sentence(what: str, agents: Sequence[AgentId], consequence: str) -> list[str]:
    spans = [str(span) for span in summarise_agents(agents)]
    tail = f"{spans[-1]}; {consequence}."
    return hang(f"{counted(len(agents), 'agent')} {what}: ", [*spans[:-1], tail], indent=2)


def backup_sentence(backup: str | None, undo: str) -> str:
    """Return where what was recorded before is kept, and the command that puts it back."""
    return "" if backup is None else f"What was recorded before is kept in {backup}; to put it back: {undo}\n"
