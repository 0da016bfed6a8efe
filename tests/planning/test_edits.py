"""What a plan says about each number of an agent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import deepdiff
import pytest
from deepdiff import DeepDiff
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fleets import (
    Situation,
    concurrency,
    declared,
    desired,
    desired_agent,
    fleet_of,
    record,
    site,
    situations,
    state,
)

from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Declared, DesiredAgent, Source
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.plan import Change, Edit, EditKind, Reason, Set
from reconciler.model.site import OnAgentRemoval, OnChannelRemoval
from reconciler.model.state import RecordStatus
from reconciler.planning import make_plan
from reconciler.planning.edits import EditExplainer, _differing, explained

ORDER = {"total": 0} | {f"channels.{channel.label}": int(channel) for channel in Channel}


def plan_of(situation: Situation) -> tuple[Change, ...]:
    return make_plan(situation.desired, situation.state, situation.options, session_keys=situation.session_keys).changes


def only_change(wanted: Concurrency, recorded: Concurrency | None, **settings: Any) -> Change:
    records = state({} if recorded is None else {1001: recorded})
    (change,) = make_plan(desired({1001: wanted}, at=site(**settings)), records).changes
    return change


def brief(edits: tuple[Edit, ...]) -> list[tuple[str, str, int | None, int | None]]:
    return [(edit.field, str(edit.kind), edit.before, edit.after) for edit in edits]


def numbers(value: Concurrency | None) -> dict[str, int]:
    if value is None:
        return {}
    return {"total": value.total, **{f"channels.{channel.label}": n for channel, n in value.channels}}


def applied(edits: tuple[Edit, ...], to: Mapping[str, int]) -> dict[str, int]:
    """What a reader makes of `to` who follows the edits with a pencil."""
    result = dict(to)
    for edit in edits:
        assert edit.before == result.pop(edit.field, None)
        if edit.after is not None:
            result[edit.field] = edit.after
    return result


@given(situation=situations)
def test_the_edits_applied_to_what_is_recorded_give_what_is_sent(situation: Situation) -> None:
    for change in plan_of(situation):
        if change.after is not None:
            result = applied(change.edits, numbers(change.before))
            silent = {field for field, n in result.items() if n == 0 and field not in numbers(change.after)}
            assert numbers(change.after) == {field: n for field, n in result.items() if field not in silent}


@given(situation=situations)
def test_a_set_has_edits_unless_only_the_key_spelling_changes(situation: Situation) -> None:
    for change in plan_of(situation):
        if isinstance(change, Set):
            assert (change.reason is Reason.KEY_SPELLING) == (change.edits == ())


@given(situation=situations)
def test_the_edits_of_a_change_are_listed_by_total_and_then_by_channel_code(situation: Situation) -> None:
    for change in plan_of(situation):
        places = [ORDER[edit.field] for edit in change.edits]
        assert sorted(set(places)) == places


@given(situation=situations)
def test_every_edit_changes_its_number(situation: Situation) -> None:
    assert [edit for change in plan_of(situation) for edit in change.edits if edit.before == edit.after] == []


def test_the_edits_of_a_new_agent_add_every_number() -> None:
    expected = [
        ("total", "added", None, 25),
        ("channels.web_chat", "added", None, 9),
        ("channels.5g", "added", None, 0),
    ]
    assert expected == brief(only_change(concurrency(25, web_chat=9, five_g=0), None).edits)


def test_a_channel_added_before_a_recorded_one_is_listed_before_it() -> None:
    edits = only_change(concurrency(25, web_chat=9, sms=5), concurrency(25, sms=6)).edits
    assert brief(edits) == [("channels.web_chat", "added", None, 9), ("channels.sms", "changed", 6, 5)]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param(OnChannelRemoval.ZERO, ("channels.sms", "closed", 6, 0), id="zero"),
        pytest.param(OnChannelRemoval.OMIT, ("channels.sms", "omitted", 6, None), id="omit"),
    ],
)
def test_a_removed_channel_is_called(policy: OnChannelRemoval, expected: tuple[object, ...]) -> None:
    change = only_change(concurrency(25, web_chat=9), concurrency(25, web_chat=9, sms=6), on_channel_removal=policy)
    assert [expected] == brief(change.edits)


def test_a_zero_that_is_desired_is_a_change_and_not_a_closing() -> None:
    edits = only_change(concurrency(25, web_chat=0), concurrency(25, web_chat=9)).edits
    assert brief(edits) == [("channels.web_chat", "changed", 9, 0)]


@pytest.mark.parametrize("policy", OnChannelRemoval)
def test_a_channel_that_was_closed_before_and_is_not_sent_again_is_no_edit(policy: OnChannelRemoval) -> None:
    change = only_change(concurrency(25, web_chat=9), concurrency(25, sms=0), on_channel_removal=policy)
    assert brief(change.edits) == [("channels.web_chat", "added", None, 9)]


def test_a_closing_zero_that_is_sent_again_is_no_edit() -> None:
    recorded = record(concurrency(25, web_chat=9, sms=0), status=RecordStatus.IN_DOUBT)
    (change,) = make_plan(desired({1001: concurrency(25, web_chat=8)}), state({1001: recorded})).changes
    assert brief(change.edits) == [("channels.web_chat", "changed", 9, 8)]


def test_the_edits_of_a_reset_go_to_the_site_s_values_and_close_the_rest() -> None:
    at = site(on_agent_removal=OnAgentRemoval.RESET, reset=concurrency(1, web_chat=1))
    (change,) = make_plan(desired(at=at), state({1001: concurrency(25, web_chat=9, sms=6)})).changes
    expected = [("total", "changed", 25, 1), ("channels.web_chat", "changed", 9, 1), ("channels.sms", "closed", 6, 0)]
    assert expected == brief(change.edits)


def test_a_spelling_alone_has_no_edits() -> None:
    change = only_change(concurrency(25, web_chat=9), concurrency(25, web_chat=9), callnums_key=CallnumsKey.LOWER)
    assert (change.reason, change.edits) == (Reason.KEY_SPELLING, ())


def test_the_cause_of_an_edit_is_the_line_its_number_was_written_on() -> None:
    own, profile = Source("agents/east.yaml", 12), Source("profiles.yaml", 4)
    wanted = DesiredAgent(
        concurrency=concurrency(8, web_chat=4, five_g=2),
        team=None,
        protected=False,
    )
    place = Declared(source=own, origins={"total": profile, "web_chat": own, "5g": profile})
    (change,) = make_plan(
        desired({1001: wanted}, places={1001: place}), state({1001: concurrency(25, web_chat=9, five_g=1)})
    ).changes
    expected = {"total": profile, "channels.web_chat": own, "channels.5g": profile}
    assert expected == {edit.field: edit.cause for edit in change.edits}


def test_two_agents_with_one_difference_each_keep_their_own_cause() -> None:
    lines = [Source("agents/east.yaml", line) for line in (3, 4)]
    agents = fleet_of((1001, 1002), concurrency(25, web_chat=8))
    places = {
        number: Declared(source=line, origins={"web_chat": line})
        for number, line in zip((1001, 1002), lines, strict=True)
    }
    plan = make_plan(desired(agents, places=places), state(fleet_of(agents, concurrency(25, web_chat=9))))
    assert lines == [edit.cause for change in plan.changes for edit in change.edits]


def test_a_closing_has_no_cause_because_no_line_says_it() -> None:
    edits = only_change(concurrency(25, web_chat=9), concurrency(25, web_chat=9, sms=6)).edits
    assert [(edit.kind, edit.cause) for edit in edits] == [(EditKind.CLOSED, None)]


@pytest.mark.parametrize("size", [10, 1000])
def test_a_difference_is_explained_once_however_many_agents_share_it(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    explained: list[object] = []

    def counting(*sides: Any, **options: Any) -> DeepDiff:
        explained.append(sides)
        return DeepDiff(*sides, **options)

    monkeypatch.setattr(deepdiff, "DeepDiff", counting)
    middle, end = 1001 + size // 2, 1001 + size
    wanted = fleet_of(range(1001, end), concurrency(25, web_chat=9))
    recorded = {
        **fleet_of(range(1001, middle), concurrency(25, sms=6)),
        **fleet_of(range(middle, end), concurrency(20, email=1)),
    }
    plan = make_plan(desired(wanted), state(recorded))
    assert (size, 2) == (len(plan.changes), len(explained))


def test_numbers_that_only_change_need_no_deepdiff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(deepdiff, "DeepDiff")
    wanted = fleet_of(range(1001, 1011), concurrency(25, web_chat=9))
    for recorded in (fleet_of(range(1001, 1011), concurrency(24, web_chat=8)), {}):
        assert len(make_plan(desired(wanted), state(recorded)).changes) == 10


def test_a_plan_with_nothing_to_do_explains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(deepdiff, "DeepDiff")
    fleet = fleet_of(range(1001, 1011), concurrency())
    assert make_plan(desired(fleet), state(fleet)).changes == ()


def test_deepdiff_is_not_loaded_before_something_is_to_be_explained() -> None:
    code = "import sys, reconciler.planning; sys.exit('deepdiff' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_agents_who_share_values_and_origins_share_their_edits() -> None:
    shared = desired_agent(concurrency(25, web_chat=8))
    place = declared(shared.concurrency)
    wanted = desired({1001: shared, 1002: shared, 1003: concurrency(25, sms=1)}, places={1001: place, 1002: place})
    first, second, third = make_plan(wanted, state()).changes
    assert first.edits is second.edits
    assert first.edits != third.edits


def test_causes_are_not_mixed_up_when_origins_come_and_go() -> None:
    explainer, value = EditExplainer(OnChannelRemoval.ZERO), concurrency(25, web_chat=9)
    for line in range(1, 100):  # each mapping may get the id of one that is gone
        source = Source("agents/east.yaml", line)
        edits = explainer.explain(None, value, wanted=value, origins={"total": source, "web_chat": source})
        assert {edit.cause for edit in edits} == {source}


def test_one_zero_that_is_desired_and_one_that_closes_are_told_apart_in_the_same_plan() -> None:
    both, first = concurrency(25, web_chat=9, sms=6), concurrency(25, web_chat=9)
    wanted = desired({1001: first, 1002: concurrency(25, web_chat=9, sms=0)})
    plan = make_plan(wanted, state({1001: both, 1002: both}))
    assert [edit.kind for change in plan.changes for edit in change.edits] == [EditKind.CLOSED, EditKind.CHANGED]


_NUMBERS = st.dictionaries(
    st.sampled_from(["total", "channels.sms", "channels.5g", "channels.email"]), st.integers(0, 3)
)


@settings(max_examples=200, deadline=None)
@given(_NUMBERS, _NUMBERS)
def test_the_quick_way_finds_the_fields_that_deepdiff_finds(old: dict[str, int], new: dict[str, int]) -> None:
    for before in (old, {}, {name: old.get(name, 0) for name in new}):
        assert explained(before, new) == _differing(before, new)
