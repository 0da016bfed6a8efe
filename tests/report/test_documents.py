from __future__ import annotations

import json
import random
from typing import assert_never

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report.examples import DIAGNOSTICS, PLANS, as_saved, fates, plans, unicode_text, written_by_others
from support.fleets import URL

from reconciler.model.concurrency import Concurrency
from reconciler.model.plan import Change, Forget, Plan, Reassert, Reset, Set
from reconciler.report import (
    diagnostic_documents,
    document_pieces,
    document_text,
    outcome_entries,
    outcome_summary,
    plan_document,
    plan_summary,
    read_saved_plan,
    saved_plan,
)
from reconciler.report.documents.text import Entries
from reconciler.values import replace

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | unicode_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(unicode_text, inner, max_size=4),
    max_leaves=20,
)
documents = st.dictionaries(unicode_text, values, max_size=5)


@given(document=documents)
def test_a_documents_text_is_json_of_the_same_value(document: dict[str, object]) -> None:
    read = json.loads(document_text(document))
    assert document == read
    assert repr(document) == repr(read)


@given(document=documents)
def test_a_documents_text_has_one_entry_a_line_and_is_ascii(document: dict[str, object]) -> None:
    lists = [value for value in document.values() if isinstance(value, list) and value]
    text = document_text(document)
    assert text.isascii()
    assert text.endswith("}\n")
    assert text.count("\n") == 2 + max(len(document), 1) + sum(len(value) + 1 for value in lists)


@given(plan=plans)
def test_a_document_is_written_in_pieces_none_of_which_is_longer_than_a_line(plan: Plan) -> None:
    text = document_text(saved_plan(plan, tool_version="1"))
    pieces = list(document_pieces(saved_plan(plan, tool_version="1")))
    assert text == "".join(pieces)
    assert max(map(len, pieces)) <= max(map(len, text.splitlines()))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_what_json_cannot_say_is_no_document(number: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        document_text({"number": number})


@given(plan=plans, seed=st.integers())
def test_the_same_plan_has_the_same_bytes_in_whatever_order_it_was_put_together(plan: Plan, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - dice, not keys
    changes = [_rebuilt(change, dice) for change in plan.changes]
    dice.shuffle(changes)
    unchanged = list(plan.unchanged)
    dice.shuffle(unchanged)
    other = replace(plan, changes=tuple(changes), unchanged=tuple(unchanged))
    assert _bytes(plan) == _bytes(other)


@given(plan=plans)
def test_a_saved_plan_read_back_is_the_plan_that_was_saved(plan: Plan) -> None:
    saved = read_saved_plan(_bytes(plan), name="plan.json")
    assert (as_saved(plan), len(plan.unchanged)) == (saved.plan, saved.unchanged)


@given(plan=written_by_others(unicode_text))
def test_words_of_others_come_back_as_they_were(plan: Plan) -> None:
    assert as_saved(plan) == read_saved_plan(_bytes(plan), name="plan.json").plan


@given(plan=plans)
def test_saving_what_was_read_changes_nothing_but_the_count_of_the_unchanged(plan: Plan) -> None:
    saved = read_saved_plan(_bytes(plan), name="plan.json")
    again = saved_plan(saved.plan, tool_version="1")
    summary = {**plan_summary(saved.plan), "unchanged": saved.unchanged}
    assert _bytes(plan) == document_text({**again, "summary": summary}).encode()


def test_a_saved_plan_is_the_plans_document_without_time_and_place() -> None:
    plan = PLANS["every-reason"]()
    expected = {"format_version", "tool_version", "command", "site", "summary", *plan_document(plan)}
    assert expected == set(saved_plan(plan, tool_version="1"))


def test_a_plans_document_has_the_promised_keys() -> None:
    promised = {"fingerprint", "base", "scope", "applyable", "guardrails", "capacity", "changes", "standing"}
    document = plan_document(PLANS["every-reason"]())
    assert {*promised, "url", "callnums_key", "signs_in", "options", "sessions", "waits"} == set(document)
    entries = document["changes"]
    assert isinstance(entries, Entries)
    changes = entries.documents()
    wanted = ["agent", "team", "action", "reason", "before", "after", "edits", "source"]
    assert [wanted] * len(changes) == [list(change) for change in changes]


def test_a_plans_summary_counts_actions_and_calls() -> None:
    expected = {"set": 3, "reassert": 3, "forget": 1, "reset": 0, "unchanged": 2, "calls": 6}
    assert expected == plan_summary(PLANS["every-reason"]())


def test_outcomes_are_listed_by_agent_as_people_count() -> None:
    outcomes = list(fates(PLANS["sixty-agents"]()))
    random.Random(3).shuffle(outcomes)  # noqa: S311 - dice, not keys
    entries = outcome_entries(outcomes).documents()
    listed = [int(str(each["agent"])) for each in entries]
    assert sorted(listed) == listed
    keys = ["agent", "action", "outcome", "retcode", "message", "attempts"]
    assert keys == list(entries[0])


def test_an_outcomes_summary_counts_results_and_calls() -> None:
    outcomes = fates(PLANS["sixty-agents"]())
    counts = outcome_summary(outcomes)
    assert list(counts) == ["applied", "deferred", "failed", "in_doubt", "skipped", "forgotten", "calls"]
    assert len(outcomes) == sum(counts.values()) - counts["calls"]
    assert sum(each.attempts for each in outcomes) == counts["calls"]


def test_diagnostics_keep_the_order_they_are_given_in() -> None:
    assert [each.code for each in DIAGNOSTICS] == [each["code"] for each in diagnostic_documents(DIAGNOSTICS)]


def test_a_plan_holds_its_gateway_and_no_path_of_the_machine() -> None:
    text = _bytes(PLANS["every-reason"]()).decode()
    assert URL in text
    assert '"/' not in text


def _bytes(plan: Plan) -> bytes:
    return document_text(saved_plan(plan, tool_version="1")).encode()


def _rebuilt(change: Change, dice: random.Random) -> Change:
    """The same change, its channels handed over in another order."""

    def turned(value: Concurrency | None) -> Concurrency:
        assert value is not None
        channels = list(value.channels)
        dice.shuffle(channels)
        return Concurrency.of(value.total, dict(channels))

    match change:
        case Forget():
            return replace(change, before=turned(change.before))
        case Set(before=None):
            return replace(change, after=turned(change.after))
        case Set() | Reassert() | Reset():
            return replace(change, before=turned(change.before), after=turned(change.after))
        case _:
            assert_never(change)


@given(document=st.dictionaries(st.sampled_from(["a", "##[add-mask]x", "###[b", "##vso[c"]), st.just("x##[error]y")))
def test_a_documents_text_orders_a_ci_host_to_do_nothing(document: dict[str, object]) -> None:
    text = document_text(document)
    assert document == json.loads(text)
    assert "##[" not in text
    assert "##vso[" not in text


_scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(['{"a": ', ', {"a": ', "a", '"', "ü"])
_objects = st.recursive(
    st.dictionaries(st.sampled_from(["a", "b", '"a']), _scalars, max_size=2),
    lambda inner: st.dictionaries(st.sampled_from(["a", "b"]), inner | st.lists(inner, max_size=2), max_size=2),
    max_leaves=4,
)


@given(st.lists(_objects | _scalars, min_size=1, max_size=5))
def test_each_entry_of_an_array_has_its_line_whatever_it_holds(items: list[object]) -> None:
    lines = document_text({"all": items}).splitlines()

    assert [json.loads(line.removesuffix(",")) for line in lines[2:-2]] == items
