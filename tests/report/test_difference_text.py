from __future__ import annotations

from hypothesis import given
from report.examples import SENIOR, plans
from support.fleets import concurrency, desired, fleet_of, state

from reconciler.model.plan import Plan
from reconciler.planning import compare_plans, make_plan
from reconciler.report import difference_text


def _text(reviewed: Plan, fresh: Plan) -> str:
    found = compare_plans(reviewed, fresh)
    return difference_text(settings=found.settings, gone=found.gone, come=found.come, altered=found.altered)


@given(reviewed=plans, fresh=plans)
def test_plans_that_do_the_same_have_no_difference_and_others_have_one(reviewed: Plan, fresh: Plan) -> None:
    assert (_text(reviewed, fresh) == "") is (reviewed.fingerprint == fresh.fingerprint)


@given(reviewed=plans, fresh=plans)
def test_an_altered_agent_never_reads_the_same_on_both_sides(reviewed: Plan, fresh: Plan) -> None:
    for pair in compare_plans(reviewed, fresh).altered:
        minus, plus = _sides(difference_text(settings=(), gone=(), come=(), altered=[pair]))
        assert minus != plus


@given(reviewed=plans, fresh=plans)
def test_the_difference_turned_round_swaps_the_signs(reviewed: Plan, fresh: Plan) -> None:
    there, back = (compare_plans(reviewed, fresh), compare_plans(fresh, reviewed))
    text = difference_text(settings=(), gone=there.gone, come=(), altered=())
    assert text.replace("\n- ", "\n+ ").replace("- ", "+ ", 1) == difference_text(
        settings=(), gone=(), come=back.come, altered=()
    )


def test_a_number_that_neither_plan_edits_is_shown_when_it_is_the_difference() -> None:
    wanted = desired({1001: concurrency(web_chat=4, sms=6)})
    reviewed = make_plan(wanted, state({1001: concurrency(web_chat=3, sms=6)}))
    fresh = make_plan(wanted, state({1001: concurrency(web_chat=3, sms=6, email=0)}))
    assert _text(reviewed, fresh).splitlines() == [
        "- agent 1001  set (changed): from total 25, web_chat 3, sms 6, to total 25, web_chat 4, sms 6",
        "+ agent 1001  set (changed): from total 25, email 0, web_chat 3, sms 6, to total 25, web_chat 4, sms 6",
    ]


def test_a_pair_of_which_nothing_is_recorded_is_told_from_nothing() -> None:
    (change,) = make_plan(desired({1001: SENIOR}), state()).changes
    text = difference_text(settings=(), gone=(), come=(), altered=[(change, change)])
    assert "- agent 1001  set (new): from nothing, to total 25, web_chat 9, sms 6" in text.splitlines()


def test_agents_who_differ_alike_share_their_lines() -> None:
    before = state(fleet_of(range(1001, 1101), SENIOR))
    reviewed = make_plan(desired(fleet_of(range(1001, 1101), concurrency(25, web_chat=9, sms=7))), before)
    fresh = make_plan(desired(fleet_of(range(1001, 1101), concurrency(25, web_chat=9, sms=8))), before)
    assert _text(reviewed, fresh).splitlines() == [
        "- 100 agents  set (changed): sms 6 → 7",
        "+ 100 agents  set (changed): sms 6 → 8",
        "              1001-1100",
    ]


def test_twenty_entries_are_shown_and_the_agents_of_the_rest_are_counted() -> None:
    values = {1000 + number: concurrency(number, web_chat=1) for number in range(1, 24)}
    reviewed, fresh = make_plan(desired(values), state()), make_plan(desired(), state())
    lines = _text(reviewed, fresh).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "… and 3 more agents no longer to be done"
    values.popitem()
    values.popitem()
    assert _text(fresh, make_plan(desired(values), state())).splitlines()[-1] == "… and 1 more agent not reviewed"


def _sides(text: str) -> tuple[str, str]:
    minus, _, plus = text.partition("\n+ ")
    return minus.removeprefix("- "), plus.rstrip("\n")
