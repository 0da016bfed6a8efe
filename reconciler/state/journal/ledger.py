"""The records of a run as they change, entry by entry: the same code in memory during the run and on replay after it.

Rules of this file: an entry either happens whole or is refused with a `ValueError` and changes nothing. An agent with
an intent and no outcome is in doubt; whatever else is unknown, that is never forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from reconciler.model.agent import AgentId
from reconciler.model.state import AgentRecord, Holding, Pending, RecordStatus, State
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
from reconciler.values import replace


class Ledger:
    """A state that can be written on, one entry after the other."""

    def __init__(self, state: State) -> None:
        self._opened = state
        self._records = dict(state.agents)
        self._pending = dict(state.pending)
        self._before: dict[AgentId, AgentRecord | None] = {}
        # A run sends the same to many agents, so what they hold is made once, in doubt and then acknowledged.
        self._sent: dict[Holding, Holding] = {}
        self._acknowledged: dict[Holding, Holding] = {}

    @property
    def state(self) -> State:
        """The records as of now; lineage and serial are those the ledger was opened with."""
        return replace(self._opened, agents=self._records, pending=self._pending)

    def enter(self, entry: Entry) -> None:
        """Let `entry` happen.

        Raises:
            ValueError: it cannot happen now, such as an answer to a call that was never intended.
        """
        match entry:
            case Intended():
                self._intend(entry)
            case Acknowledged():
                self._acknowledge(entry)
            case NotApplied(agent=agent):
                self._put(agent, self._close(agent))
            case Deferred():
                self._defer(entry)
            case NotDue(agent=agent):
                self._end_wait(agent)
            case Forgotten(agent=agent):
                self._forget(agent)
            case Noted():
                self._note(entry)
            case Written():
                self._write(entry)
            case _:
                assert_never(entry)

    def leave_in_doubt(self, agent: AgentId) -> None:
        """Close the agent's intent without an outcome. Nothing is to be written: an intent alone says just that.

        Raises:
            ValueError: the agent has no open intent.
        """
        self._close(agent)

    def _intend(self, entry: Intended) -> None:
        # A second intent over an open one: the first may have been sent, so the record in doubt is what was before.
        before = self._records.get(entry.agent)
        self._before[entry.agent] = before
        holding = Holding(
            concurrency=entry.concurrency,
            callnums_key=entry.callnums_key,
            team=entry.team,
            protected=entry.protected,
            status=RecordStatus.IN_DOUBT,
        )
        at, session = (before.acknowledged_at, before.session) if before else (None, None)
        self._records[entry.agent] = AgentRecord(self._sent.setdefault(holding, holding), at, session)

    def _defer(self, entry: Deferred) -> None:
        if entry.agent in self._before:
            self._put(entry.agent, self._close(entry.agent))
        known = self._pending.get(entry.agent)
        if known is None:
            known = Pending(first_deferred_at=entry.at, last_deferred_at=entry.at, attempts=0)
        elif entry.at < known.first_deferred_at:  # by a clock that was set back since: nobody has waited since later
            known = replace(known, first_deferred_at=entry.at)
        self._pending[entry.agent] = known.again(at=entry.at, retcode=entry.retcode)

    def _end_wait(self, agent: AgentId) -> None:
        if agent not in self._pending:
            raise ValueError(f"agent {agent} has no pending change")
        del self._pending[agent]

    def _forget(self, agent: AgentId) -> None:
        self._require_record(agent)
        self._before.pop(agent, None)
        self._pending.pop(agent, None)
        del self._records[agent]

    def _acknowledge(self, entry: Acknowledged) -> None:
        self._close(entry.agent)
        self._pending.pop(entry.agent, None)
        if not entry.keep:
            del self._records[entry.agent]
            return
        sent = self._records[entry.agent].holding
        holding = self._acknowledged.get(sent)
        if holding is None:
            holding = self._acknowledged[sent] = replace(sent, status=RecordStatus.ACKNOWLEDGED)
        self._records[entry.agent] = AgentRecord(holding, entry.at, entry.session)

    def _note(self, entry: Noted) -> None:
        record = self._require_record(entry.agent)
        self._records[entry.agent] = record.amended(team=entry.team, protected=entry.protected)
        before = self._before.get(entry.agent)
        if before is not None:
            self._before[entry.agent] = before.amended(team=entry.team, protected=entry.protected)

    def _write(self, entry: Written) -> None:
        if entry.agent in self._before:
            raise ValueError(f"agent {entry.agent} has an open intent")
        self._records[entry.agent] = entry.record

    def _close(self, agent: AgentId) -> AgentRecord | None:
        if agent not in self._before:
            raise ValueError(f"agent {agent} has no open intent")
        return self._before.pop(agent)

    def _require_record(self, agent: AgentId) -> AgentRecord:
        if agent not in self._records:
            raise ValueError(f"agent {agent} has no record")
        return self._records[agent]

    def _put(self, agent: AgentId, record: AgentRecord | None) -> None:
        if record is None:
            del self._records[agent]
        else:
            self._records[agent] = record


def as_if_sent(planned: Iterable[Intended], state: State) -> State:
    """Return `state` as if all of `planned` had been sent and no answer was known."""
    ledger = Ledger(state)
    for intended in planned:
        ledger.enter(intended)
    return ledger.state
