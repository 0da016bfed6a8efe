"""What the golden files of each format hold, as values. A format that was ever written is read for ever."""

from __future__ import annotations

from pathlib import Path

from state.records import WEB_CHAT_4, WEB_CHAT_9

from reconciler.model.agent import AgentId
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.state import AgentRecord, OpenRun, Pending, RecordStatus, State
from reconciler.state.journal.entries import (
    Acknowledged,
    Deferred,
    Entry,
    Forgotten,
    Intended,
    NotApplied,
    NotDue,
    Noted,
    RunOpened,
    Written,
)
from reconciler.values import replace

FORMATS = Path(__file__).with_name("formats")
LINEAGE = "0b6f3d8e-4c1a-4f5e-9a77-2f1c8d9e0a11"
EVERY_CHANNEL = Concurrency.of(60, {channel: number for number, channel in enumerate(Channel)})

FULL = AgentRecord.of(
    concurrency=EVERY_CHANNEL,
    callnums_key=CallnumsKey.CAMEL,
    acknowledged_at="2026-01-31T08:00:00Z",
    session="login-1769846400",
    team="süd-ost",
    protected=True,
)
BARE = AgentRecord.of(
    concurrency=WEB_CHAT_4, callnums_key=CallnumsKey.LOWER, acknowledged_at="2024-02-29T23:59:59Z", session=None
)
DOUBTFUL = AgentRecord.of(
    concurrency=WEB_CHAT_9,
    callnums_key=CallnumsKey.CAMEL,
    acknowledged_at="2026-01-30T17:45:12Z",
    session="login-2",
    team="east",
    status=RecordStatus.IN_DOUBT,
)
NEVER = AgentRecord.of(
    concurrency=WEB_CHAT_4, callnums_key=CallnumsKey.CAMEL, acknowledged_at=None, status=RecordStatus.IN_DOUBT
)

STATE = State(
    lineage=LINEAGE,
    serial=42,
    site="demo",
    agents={
        AgentId(101): BARE,
        AgentId(1001): FULL,
        AgentId(1002): DOUBTFUL,
        AgentId(999_999): NEVER,
    },
    pending={
        AgentId(1001): Pending(
            first_deferred_at="2026-01-30T22:00:00Z",
            last_deferred_at="2026-01-31T06:00:00Z",
            attempts=3,
            retcode="100-006",
        ),
        AgentId(20_001): Pending(
            first_deferred_at="2026-01-31T06:00:00Z", last_deferred_at="2026-01-31T06:00:00Z", attempts=1
        ),
    },
    open_run=OpenRun(run="7f3e9c1a-5b2d-4c8e-8f6a-1d2e3f4a5b6c", since="2026-01-31T09:30:00Z", who="ci@runner-7"),
)

RUN = RunOpened(
    site="demo",
    lineage=LINEAGE,
    serial=42,
    run="7f3e9c1a-5b2d-4c8e-8f6a-1d2e3f4a5b6c",
    started_at="2026-01-31T09:30:00Z",
    operation="apply",
    who="ci@runner-7",
    url="https://ci.example/jobs/815",
)


def _intent(agent: int, *, at: str | None = "2026-01-31T09:30:06Z") -> Intended:
    return Intended(
        agent=AgentId(agent), concurrency=WEB_CHAT_9, callnums_key=CallnumsKey.CAMEL, team="east", protected=True, at=at
    )


AT = "2026-01-31T09:30:07Z"
ENTRIES: tuple[Entry, ...] = (
    _intent(101),
    Acknowledged(agent=AgentId(101), at=AT, session="login-9"),
    _intent(1001),
    Acknowledged(agent=AgentId(1001), at=AT, session=None, keep=False),
    _intent(1003),
    NotApplied(agent=AgentId(1003), at=AT, retcode="106-011"),
    _intent(1004, at=None),
    NotApplied(agent=AgentId(1004)),
    _intent(1005),
    Deferred(agent=AgentId(1005), at=AT, retcode="100-006"),
    Deferred(agent=AgentId(1006), at=AT, retcode=None),
    NotDue(agent=AgentId(20_001)),
    Forgotten(agent=AgentId(999_999)),
    Noted(agent=AgentId(1002), team=None, protected=False),
    Written(agent=AgentId(1007), record=DOUBTFUL),
    _intent(1008),
)

GATHERED: tuple[Entry, ...] = (
    _intent(2001),
    _intent(2002),
    replace(_intent(2003), concurrency=WEB_CHAT_4, team=None, protected=False),
    Acknowledged(agent=AgentId(2001), at=AT, session="login-2"),
    Acknowledged(agent=AgentId(2003), at=AT, session=None),
)
"""Entries that share their records."""
