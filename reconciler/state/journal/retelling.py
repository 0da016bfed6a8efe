"""A journal retold as what became of whom, and a change by hand put into the words of a journal.

Rules of this file: pure. A journal of the past is told without the state it was begun from, so only what its own
entries say of one another can be checked: an answer needs its intent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import assert_never

from reconciler.errors import JournalError, StateError
from reconciler.model.agent import AgentId
from reconciler.model.past import Ending, Event, PastEvent, PastRun
from reconciler.model.state import AgentRecord, RecordStatus, State
from reconciler.state.journal.entries import (
    Acknowledged,
    Deferred,
    Entry,
    Forgotten,
    Intended,
    NotApplied,
    NotDue,
    Noted,
    Written,
)
from reconciler.state.journal.history import LEFT_OUT
from reconciler.state.journal.lines import Journal
from reconciler.state.journal.run_journal import RunJournal
from reconciler.values import Struct, field


class _Open(Struct):
    """The intents that have no outcome yet, in order."""

    intents: dict[AgentId, Intended] = field(default_factory=dict)

    def close(self, agent: AgentId) -> Intended:
        if agent not in self.intents:
            raise ValueError(f"agent {agent} has no open intent")
        return self.intents.pop(agent)


def retell(journal: Journal, ending: Ending) -> PastRun:
    """Return what the run of `journal` did.

    Raises:
        JournalError: an entry cannot have happened where it stands.
    """
    opened, events = _Open(), list[PastEvent]()
    for offset, entry in journal.entries:
        try:
            events.extend(_events(entry, opened))
        except ValueError as error:
            raise JournalError(f"{journal.name}:{offset}: the journal is damaged: {error}", hint=LEFT_OUT) from None
    doubts = [
        PastEvent(agent=agent, event=Event.IN_DOUBT, at=intent.at, record=_record_of(intent))
        for agent, intent in opened.intents.items()
    ]
    run = journal.run
    return PastRun(
        run=run.run,
        started_at=run.started_at,
        ending=ending,
        site=run.site,
        lineage=run.lineage,
        serial=run.serial,
        operation=run.operation,
        who=run.who,
        url=run.url,
        events=(*events, *doubts),
    )


def _events(entry: Entry, opened: _Open) -> Iterator[PastEvent]:
    match entry:
        case Intended(agent=agent):
            opened.intents.pop(agent, None)
            opened.intents[agent] = entry
        case Acknowledged(agent=agent, at=at, keep=keep):
            sent = _record_of(opened.close(agent))
            record = sent.amended(acknowledged_at=at, session=entry.session, status=RecordStatus.ACKNOWLEDGED)
            yield PastEvent(agent=agent, event=Event.APPLIED, at=at, retcode="0", record=record, kept=keep)
        case NotApplied(agent=agent, at=at, retcode=retcode):
            event, intent = Event.NOT_APPLIED if at is None else Event.FAILED, opened.close(agent)
            yield PastEvent(agent=agent, event=event, at=at or intent.at, retcode=retcode, record=_record_of(intent))
        case Deferred(agent=agent, at=at, retcode=retcode):
            withdrawn = opened.intents.pop(agent, None)
            intended = None if withdrawn is None else _record_of(withdrawn)
            yield PastEvent(agent=agent, event=Event.DEFERRED, at=at, retcode=retcode, record=intended)
        case _:
            yield from _without_a_call(entry, opened)


def _without_a_call(entry: NotDue | Forgotten | Noted | Written, opened: _Open) -> Iterator[PastEvent]:
    match entry:
        case NotDue(agent=agent):
            yield PastEvent(agent=agent, event=Event.NOT_DUE)
        case Forgotten(agent=agent):
            opened.intents.pop(agent, None)
            yield PastEvent(agent=agent, event=Event.FORGOTTEN)
        case Noted(agent=agent):
            yield PastEvent(agent=agent, event=Event.NOTED)
        case Written(agent=agent, record=record):
            yield PastEvent(agent=agent, event=Event.RECORDED, record=record)
        case _:
            assert_never(entry)


def _record_of(intent: Intended) -> AgentRecord:
    return AgentRecord.of(
        concurrency=intent.concurrency,
        callnums_key=intent.callnums_key,
        acknowledged_at=None,
        team=intent.team,
        protected=intent.protected,
        status=RecordStatus.IN_DOUBT,
    )


def differences(before: State, after: State) -> Iterator[Entry]:
    """Yield what a change by hand did, agent by agent: records put there, records dropped, waits ended.

    A wait that is put there is not told: no entry says so without a call.
    """
    for agent in sorted({*before.agents, *after.agents}):
        record = after.agents.get(agent)
        if record is None:
            yield Forgotten(agent=agent)
        elif record != before.agents.get(agent):
            yield Written(agent=agent, record=record)
    for agent in _gone(before.pending, after.pending):
        if agent not in before.agents or agent in after.agents:  # a record takes its wait along
            yield NotDue(agent=agent)


def _gone(before: Mapping[AgentId, object], after: Mapping[AgentId, object]) -> list[AgentId]:
    return [agent for agent in before if agent not in after]


def past_runs(journal: RunJournal) -> tuple[tuple[PastRun, ...], tuple[StateError, ...]]:
    """Return what can be told of the runs of a state, the oldest first, and why the rest cannot."""
    # The run under way first: when it ends meanwhile, it is found in the history too, and there it is told apart.
    flaws: list[StateError] = []
    under_way = None
    try:
        under_way = journal.read()
    except StateError as error:
        flaws.append(error)
    remains, unread = journal.history.read()
    flaws.extend(unread)
    found = [(each.journal, each.ending) for each in remains]
    if under_way is not None and all(past.run != under_way.run for past, _ in found):
        found.append((under_way, Ending.NOT_ENDED))
    runs: list[PastRun] = []
    for past, ending in found:
        try:
            runs.append(retell(past, ending))
        except StateError as error:
            flaws.append(error)
    return tuple(runs), tuple(flaws)
