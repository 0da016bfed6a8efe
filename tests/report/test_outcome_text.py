from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report.examples import COLORED, PLAIN, outcome
from support.fleets import agent_ids

from reconciler.model.agent import AgentRange
from reconciler.model.outcome import Outcome, Result
from reconciler.report import outcome_text

_SGR = re.compile(r"\x1b\[[0-9]+m")
TROUBLE = (Result.DEFERRED, Result.FAILED, Result.IN_DOUBT)
outcomes = st.dictionaries(agent_ids, st.sampled_from(Result), max_size=12).map(
    lambda drawn: [outcome(agent, result, message="said") for agent, result in drawn.items()]
)


def _text(outcomes: list[Outcome]) -> str:
    return outcome_text("demo", outcomes, style=PLAIN)


@given(drawn=outcomes)
def test_the_last_line_counts_every_result_and_call(drawn: list[Outcome]) -> None:
    last = _text(drawn).splitlines()[-1]
    counted = {name: int(count) for count, name in re.findall(r"([0-9]+) (\w+(?: doubt)?)", last)}
    calls = counted.pop("call", None) if len(drawn) == 1 else counted.pop("calls", None)
    assert last.startswith("Apply: ")
    assert len(drawn) == calls
    assert {str(result).replace("_", " ") for result in Result} == set(counted)
    assert len(drawn) == sum(counted.values())


@given(drawn=outcomes)
def test_every_agent_is_findable_by_its_id_while_they_are_few(drawn: list[Outcome]) -> None:
    found = {
        agent
        for word in re.findall(r"\b[0-9]{3,6}(?:-[0-9]{3,6})?\b", _text(drawn).rpartition("Apply:")[0])
        for agent in AgentRange.parse(word)
    }
    troubled = {each.agent for each in drawn if each.result in TROUBLE}
    assert troubled <= found


@given(drawn=outcomes)
def test_color_adds_nothing_but_color(drawn: list[Outcome]) -> None:
    assert _text(drawn) == _SGR.sub("", outcome_text("demo", drawn, style=COLORED))


@pytest.mark.parametrize("result", TROUBLE, ids=str)
def test_troubled_agents_are_not_cut_before_forty_ranges(result: Result) -> None:
    text = _text([outcome(agent, result) for agent in range(1001, 1081, 2)])
    assert all(str(agent) in text for agent in range(1001, 1081, 2))
    assert "more agent" not in text


def test_agents_of_whom_nothing_more_is_wanted_are_told_in_short() -> None:
    text = _text([outcome(agent, Result.APPLIED) for agent in range(1001, 1081, 2)])
    assert "and 32 more agents" in text


def test_ten_thousand_outcomes_fit_on_a_screen_or_two() -> None:
    results = list(Result)
    outcomes = [outcome(agent, results[agent * 7 % 11 % 6], message="m") for agent in range(1001, 11_001)]
    assert len(_text(outcomes).splitlines()) <= 60


def test_a_gateway_with_words_for_every_agent_does_not_fill_the_page() -> None:
    outcomes = [outcome(agent, Result.FAILED, message=f"no agent {agent}") for agent in range(1001, 11_001)]
    text = _text(outcomes)
    assert len(text.splitlines()) <= 20
    assert "with 9990 other answers, which the JSON document tells one by one" in text


def test_a_rest_of_one_is_shown_instead_of_counted() -> None:
    text = _text([outcome(agent, Result.FAILED, message=f"no agent {agent}") for agent in range(1001, 1012)])
    assert "no agent 1011" in text
    assert "other answers" not in text


@pytest.mark.parametrize(
    ("result", "advice"),
    [
        (
            Result.SKIPPED,
            "skipped: the run stopped first and nothing was sent; what is still due stands in the next plan",
        ),
        (Result.DEFERRED, "deferred: no live session was found or accepted; apply again once they have signed in"),
        (Result.FAILED, "failed: not taken, so the record stays as it was; what is still due stands in the next plan"),
        (Result.IN_DOUBT, "in doubt: sent, and no answer came; the next plan sends it again"),
    ],
    ids=str,
)
def test_what_is_left_to_do_is_said_once(result: Result, advice: str) -> None:
    text = _text([outcome(1001, result), outcome(1002, result, message="other"), outcome(1003, Result.APPLIED)])
    assert text.count(advice) == 1
    assert len(re.findall(r"(?m)^(?:skipped|deferred|failed|in doubt): ", text)) == 1


def test_when_all_went_well_there_is_nothing_to_advise() -> None:
    assert _text([outcome(1001, Result.APPLIED)]).splitlines() == [
        "outcome for site demo",
        "",
        "applied    agent 1001  set",
        "",
        "Apply: 1 applied, 0 deferred, 0 failed, 0 in doubt, 0 skipped, 0 forgotten; 1 call.",
    ]
