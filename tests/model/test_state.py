from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fleets import EARLIER, NOW, concurrency, desired, desireds, record, state, states, waiting

from reconciler.model.agent import AgentId
from reconciler.model.desired import Desired, Source
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.state import AgentRecord, Holding, Pending, RecordStatus, State, empty_state
from reconciler.values import astuple, replace


@given(some=states, data=st.data())
def test_a_state_is_sorted_by_agent_whatever_order_the_records_come_in(some: State, data: st.DataObject) -> None:
    shuffled = dict(data.draw(st.permutations(list(some.agents.items()))))
    assert sorted(some.agents) == list(some.with_agents(shuffled).agents)


@given(some=desireds, data=st.data())
def test_an_environment_is_sorted_by_agent_whatever_order_they_come_in(some: Desired, data: st.DataObject) -> None:
    shuffled = dict(data.draw(st.permutations(list(some.agents.items()))))
    assert sorted(some.agents) == list(Desired(site=some.site, agents=shuffled).agents)


def test_a_state_keeps_its_records_when_the_caller_s_mapping_changes() -> None:
    mine = {AgentId(1001): record()}
    kept = state().with_agents(mine)
    mine.clear()
    assert list(kept.agents) == [1001]


def test_other_records_leave_lineage_serial_and_site_alone() -> None:
    old = state({1001: concurrency()}, serial=7)
    new = old.with_agents({AgentId(1002): record()})
    assert (old.lineage, 7, old.site, [1002]) == (new.lineage, new.serial, new.site, list(new.agents))


def test_those_who_wait_are_sorted_by_agent_and_kept_when_the_callers_mapping_changes() -> None:
    mine = {AgentId(number): waiting() for number in (10_001, 999, 1001)}
    kept = replace(state(), pending=mine)
    mine.clear()
    assert list(kept.pending) == [999, 1001, 10_001]


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        pytest.param(state({1001: record()}), state({1001: record()}, serial=8), True, id="another-serial"),
        pytest.param(state({1001: record()}), state({1001: record(team="night")}), False, id="another-record"),
        pytest.param(state(), state(pending={1001: waiting()}), False, id="somebody-waits"),
        pytest.param(
            state(pending={1001: waiting()}), state(pending={1001: waiting(attempts=2)}), False, id="waits-once-more"
        ),
    ],
)
def test_the_content_of_a_state_is_everything_recorded_and_not_its_serial(
    left: State, right: State, *, same: bool
) -> None:
    assert (left.content == right.content) is same


def test_one_more_deferral_counts_and_keeps_the_first_time() -> None:
    first = waiting(retcode="100-006")
    again = first.again(at=NOW, retcode=None)
    assert again == Pending(first_deferred_at=EARLIER, last_deferred_at=NOW, attempts=2, retcode=None)
    assert first == waiting(retcode="100-006")


def test_a_state_of_which_nothing_was_written_has_serial_0_and_no_lineage() -> None:
    assert State(lineage=None, serial=0, site="demo", agents={}) == empty_state("demo")


@pytest.mark.parametrize("value", [state(), desired(), record()], ids=["state", "desired", "record"])
def test_values_are_frozen(value: Any) -> None:
    name = value.__struct_fields__[0]
    with pytest.raises(AttributeError, match="immutable"):
        setattr(value, name, None)


def test_a_source_is_written_as_editors_understand_it() -> None:
    assert str(Source("agents/east.yaml", 3)) == "agents/east.yaml:3"


@pytest.mark.parametrize(
    "sources",
    [[Source("b.yaml", 1), Source("a.yaml", 10), Source("a.yaml", 9)]],
    ids=["paths-then-line-numbers"],
)
def test_sources_sort_by_path_and_then_by_line_as_a_number(sources: list[Source]) -> None:
    assert [str(source) for source in sorted(sources)] == ["a.yaml:9", "a.yaml:10", "b.yaml:1"]


def test_a_record_says_what_its_holding_says() -> None:
    said = record(concurrency(8, sms=2), team="night", protected=True, session="login-1")
    held = Holding(concurrency=concurrency(8, sms=2), callnums_key=CallnumsKey.CAMEL, team="night", protected=True)
    assert said == AgentRecord(held, EARLIER, "login-1")
    assert [getattr(said, name) for name in Holding.__struct_fields__] == list(astuple(held))


@pytest.mark.parametrize(
    "changes",
    [
        {"team": "night", "protected": True},
        {"session": None},
        {"acknowledged_at": NOW, "status": RecordStatus.IN_DOUBT},
    ],
    ids=["its-holding-s", "its-own", "both"],
)
def test_an_amended_record_says_what_is_new_and_keeps_the_rest(changes: dict[str, Any]) -> None:
    assert record(**{"session": "login-1", **changes}) == record(session="login-1").amended(**changes)


def test_a_record_of_which_only_time_and_session_change_keeps_the_very_holding() -> None:
    said = record()
    assert said.amended(acknowledged_at=NOW, session="login-2").holding is said.holding


def test_a_holding_that_is_amended_does_not_keep_its_old_hash() -> None:
    said = record(team="east")
    assert hash(said.holding) != hash(said.amended(team="night").holding)
    assert hash(record(team="night").holding) == hash(said.amended(team="night").holding)


def test_a_record_has_no_field_that_neither_it_nor_its_holding_has() -> None:
    with pytest.raises(TypeError, match="guid"):
        record().amended(guid="x")
