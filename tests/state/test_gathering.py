"""Entries that share a record: fewer words, the same meaning."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from state.records import LINEAGE, NOW, WEB_CHAT_4, WEB_CHAT_9, agent_ids, concurrencies

from reconciler.errors import JournalError
from reconciler.model.agent import AgentId
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.state.journal.entries import Acknowledged, Deferred, Entry, Intended, NotApplied, RunOpened
from reconciler.state.journal.lines import frame, frame_all, read_journal
from reconciler.values import replace

RUN = RunOpened(site="demo", lineage=LINEAGE, serial=7, run="run-1", started_at=NOW)
LATER = "2026-01-31T09:30:07Z"

few_agents = st.integers(101, 104).map(AgentId)
entries = st.one_of(
    st.builds(
        Intended,
        agent=few_agents | agent_ids,
        concurrency=concurrencies,
        callnums_key=st.sampled_from(CallnumsKey),
        team=st.sampled_from([None, "ost"]),
        protected=st.booleans(),
        at=st.sampled_from([None, NOW, LATER]),
    ),
    st.builds(
        Acknowledged,
        agent=few_agents | agent_ids,
        at=st.sampled_from([NOW, LATER]),
        session=st.none() | st.just("login-1"),
        keep=st.booleans(),
    ),
    st.builds(NotApplied, agent=few_agents),
    st.builds(Deferred, agent=few_agents, at=st.just(NOW), retcode=st.none()),
)


def read(data: bytes) -> list[Entry]:
    journal = read_journal(frame(RUN) + data, name="journal")
    assert journal is not None
    return [entry for _, entry in journal.entries]


def by_agent(written: Iterable[Entry]) -> dict[int, list[Entry]]:
    found: dict[int, list[Entry]] = defaultdict(list)
    for entry in written:
        found[entry.agent].append(entry)
    return found


def intended(agent: int) -> Intended:
    return Intended(
        agent=AgentId(agent),
        concurrency=WEB_CHAT_4 if agent % 2 else WEB_CHAT_9,
        callnums_key=CallnumsKey.CAMEL,
        team="ost",
        protected=False,
        at=NOW,
    )


@given(st.lists(entries, max_size=12))
def test_every_agents_entries_come_back_in_their_order(written: list[Entry]) -> None:
    assert by_agent(read(frame_all(written))) == by_agent(written)


def test_alike_entries_share_a_record_however_they_are_mixed() -> None:
    mixed: list[Entry] = []
    for agent in range(101, 117):
        mixed += [intended(agent), Acknowledged(agent=AgentId(agent + 100), at=NOW, session=f"login-{agent}")]
    lines = frame_all(mixed).splitlines()

    assert [orjson.loads(line[18:])["kind"] for line in lines] == ["intents", "acknowledgements"]
    assert orjson.loads(lines[0][18:])["values"] == [
        [WEB_CHAT_4.total, {"51": 4}, "ost", False],
        [WEB_CHAT_9.total, {"51": 9, "52": 6}, "ost", False],
    ]


def test_what_is_alone_stays_as_it_was() -> None:
    alone: list[Entry] = [
        intended(101),
        Acknowledged(agent=AgentId(102), at=NOW, session=None),
        NotApplied(agent=AgentId(103)),
    ]

    assert frame_all(alone) == b"".join(map(frame, alone))


def test_what_differs_in_more_than_its_agent_shares_nothing() -> None:
    first = Acknowledged(agent=AgentId(101), at=NOW, session=None)
    written: list[Entry] = [
        first,
        replace(first, agent=AgentId(102), keep=False),
        replace(first, agent=AgentId(103), at=LATER),
    ]

    assert len(frame_all(written).splitlines()) == 3


def line(**fields: object) -> bytes:
    payload = orjson.dumps(fields)
    return b"%08x %08x %b\n" % (len(payload), zlib.crc32(payload), payload)


INTENTS = {
    "kind": "intents",
    "at": NOW,
    "callnums_key": "callNums",
    "values": [[6, {"51": 4}, None, False]],
    "agents": {"101": 0},
}
ACKNOWLEDGEMENTS = {"kind": "acknowledgements", "at": NOW, "keep": True, "sessions": {"101": None}}


def test_the_records_these_tests_spoil_are_good() -> None:
    assert len(read(line(**INTENTS) + line(**ACKNOWLEDGEMENTS))) == 2


@pytest.mark.parametrize(
    ("good", "spoilt"),
    [
        pytest.param(INTENTS, {"agents": {"101": 1}}, id="values-that-are-not-there"),
        pytest.param(INTENTS, {"agents": {"101": -1}}, id="values-counted-from-behind"),
        pytest.param(INTENTS, {"agents": {"101": False}}, id="a-flag-for-a-number"),
        pytest.param(INTENTS, {"agents": {}}, id="nobody"),
        pytest.param(INTENTS, {"agents": ["101"]}, id="a-list-of-agents"),
        pytest.param(INTENTS, {"agents": {"0101": 0}}, id="no-agent"),
        pytest.param(INTENTS, {"values": [[6, {"51": 4}, None]]}, id="values-cut-short"),
        pytest.param(INTENTS, {"values": [[61, {"51": 4}, None, False]]}, id="no-concurrency"),
        pytest.param(INTENTS, {"values": {}}, id="no-list-of-values"),
        pytest.param(INTENTS, {"at": "yesterday"}, id="no-time"),
        pytest.param(INTENTS, {"guid": "x"}, id="a-field-too-many"),
        pytest.param(ACKNOWLEDGEMENTS, {"at": None}, id="an-acknowledgement-at-no-time"),
        pytest.param(ACKNOWLEDGEMENTS, {"keep": 1}, id="a-number-for-a-flag"),
        pytest.param(ACKNOWLEDGEMENTS, {"sessions": {"101": 7}}, id="no-session"),
        pytest.param(ACKNOWLEDGEMENTS, {"sessions": {}}, id="nobodys-acknowledgement"),
    ],
)
def test_a_shared_record_is_read_as_strictly_as_any(good: dict[str, object], spoilt: dict[str, object]) -> None:
    with pytest.raises(JournalError, match=r"journal:\d+: the journal is damaged: "):
        read(line(**{**good, **spoilt}))
