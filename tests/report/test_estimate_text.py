from __future__ import annotations

import pytest
from report.examples import PLAIN, PLANS
from support.fleets import URL

from reconciler.errors import InputError
from reconciler.model.estimate import Estimate
from reconciler.model.gateway_settings import GatewaySettings
from reconciler.report import document_text, estimate_document, plan_text, read_saved_plan, saved_plan
from reconciler.report.text.estimate import estimate_facts


def estimate(calls: int, **pace: float) -> Estimate:
    return Estimate.of(calls, GatewaySettings(url=URL, **pace))  # type: ignore[arg-type]  # numbers of two types


@pytest.mark.parametrize(
    ("calls", "rate", "words"),
    [
        pytest.param(412, 20.0, "412 calls, 4 at a time, 20/s → about 21 s (more if answers take over 0.2 s",
                     id="as-in-the-issue"),
        pytest.param(1, 20.0, "1 call, 4 at a time, 20/s → about 1 s", id="one-call"),
        pytest.param(5980, 20.0, "→ about 299 s", id="five-minutes-nearly"),
        pytest.param(6000, 20.0, "→ about 5 min", id="five-minutes"),
        pytest.param(71_400, 20.0, "→ about 1 h ", id="an-hour-nearly"),
        pytest.param(100_000, 20.0, "→ about 1 h 23 min", id="an-hour-and-more"),
        pytest.param(10, 0.5, "4 at a time, 0.5/s → about 20 s (more if answers take over 8 s", id="slow"),
    ],
)  # fmt: skip
def test_the_time_is_told_with_what_it_assumes(calls: int, rate: float, words: str) -> None:
    (fact,) = estimate_facts(estimate(calls, requests_per_second=rate))

    assert words in fact
    assert "repeated" in fact


def test_where_nothing_is_sent_no_time_is_told() -> None:
    assert list(estimate_facts(estimate(0))) == []


def test_a_deadline_that_is_too_short_is_told_and_one_that_is_not_is_no_fact() -> None:
    short, enough = (list(estimate_facts(estimate(412, run_deadline=limit))) for limit in (10.0, 60.0))

    assert (len(short), len(enough)) == (2, 1)
    assert "the run's deadline of 10s" in short[1]


def test_a_plan_tells_the_time_behind_what_it_would_send() -> None:
    plan = PLANS["sixty-agents"]()
    text = plan_text(plan, unchanged=0, style=PLAIN, estimate=estimate(len(plan.calls)))

    lines = text.splitlines()
    (place,) = [number for number, line in enumerate(lines) if "would send" in line and "setcallnums" in line]
    assert "4 at a time, 20/s → about" in lines[place + 1]


def test_the_document_holds_numbers_only() -> None:
    expected = {"calls": 412, "concurrency": 4, "requests_per_second": 20.0, "seconds": 20.6}
    assert estimate_document(estimate(412)) == expected


def test_a_document_with_an_estimate_is_read_back_as_the_plan_without_it() -> None:
    plan = PLANS["sixty-agents"]()
    document = saved_plan(plan, tool_version="1.2.3")
    with_time = {**document, "estimate": estimate_document(estimate(60))}

    first, second = (read_saved_plan(document_text(each).encode(), name="plan.json") for each in (document, with_time))
    assert first == second


@pytest.mark.parametrize("name", ["calls", "concurrency", "requests_per_second", "seconds"])
def test_an_estimate_that_is_none_is_refused_by_its_place(name: str) -> None:
    document = saved_plan(PLANS["nobody"](), tool_version="1.2.3")
    broken = {**document, "estimate": {**estimate_document(estimate(1)), name: "soon"}}

    with pytest.raises(InputError, match=rf"estimate\.{name}"):
        read_saved_plan(document_text(broken).encode(), name="plan.json")
