from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.applying import RunStoppedError
from reconciler.applying.breaker import Breaker
from reconciler.applying.stop import CredentialsRefusedError
from reconciler.errors import ExitCode
from reconciler.model.agent import AgentId
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Action

OK = "0"
DEFERRED = {"100-006", "100-008", "000-003"}
"""The retcodes that defer an agent, unless the site judges them otherwise."""


def outcome(retcode: str | None) -> Outcome:
    if retcode is None:
        return Outcome(agent=AgentId(1001), action=Action.SET, result=Result.DEFERRED, message="no session is known")
    result = Result.APPLIED if retcode == OK else Result.DEFERRED if retcode in DEFERRED else Result.FAILED
    return ended(result, retcode)


def ended(result: Result, retcode: str) -> Outcome:
    return Outcome(agent=AgentId(1001), action=Action.SET, result=result, retcode=retcode)


def unreached(result: Result, message: str) -> Outcome:
    return Outcome(agent=AgentId(1001), action=Action.SET, result=result, message=message, attempts=4)


def broke_at(limit: int, retcodes: Sequence[str | None]) -> list[int]:
    """The places, from 1, at which a breaker gives a reason to stop."""
    breaker = Breaker(limit)
    return [place for place, retcode in enumerate(retcodes, start=1) if breaker.judge(outcome(retcode)) is not None]


@pytest.mark.parametrize(
    ("retcodes", "places"),
    [
        pytest.param(["106-011"] * 3, [3], id="equal-in-a-row"),
        pytest.param(["106-011"] * 2, [], id="too-few"),
        pytest.param(["106-011"] * 9, [3], id="it-speaks-once"),
        pytest.param(["106-011", "106-011", OK, "106-011", "106-011"], [], id="an-acknowledged-call-resets"),
        pytest.param(["106-011", "106-011", "106-012", "106-011"], [], id="another-code-resets"),
        pytest.param(["106-011", "106-012", "106-012", "106-012"], [4], id="another-code-counts-from-one"),
        pytest.param(["100-006"] * 9, [], id="not-signed-in-never-counts"),
        pytest.param(["100-008"] * 9, [], id="signed-out-never-counts"),
        pytest.param(["106-011", "100-006", "106-011", "100-008", "106-011"], [5], id="everyday-codes-do-not-reset"),
        pytest.param([None] * 9, [], id="no-session-never-counts"),
        pytest.param(["106-011", None, "106-011", None, "106-011"], [5], id="no-session-does-not-reset"),
    ],
)
def test_the_breaker_counts_equal_refusals_in_a_row(retcodes: list[str | None], places: list[int]) -> None:
    assert broke_at(3, retcodes) == places


@pytest.mark.parametrize("retcode", ["106-011", "100-006", "000-007"])
def test_a_deferred_agent_never_counts_whichever_retcode_the_site_defers(retcode: str) -> None:
    breaker = Breaker(3)
    assert [breaker.judge(ended(Result.DEFERRED, retcode)) for _ in range(10)] == [None] * 10


def test_a_code_that_defers_by_default_counts_where_the_site_judges_it_a_failure() -> None:
    breaker = Breaker(3)
    reasons = [breaker.judge(ended(Result.FAILED, "100-006")) for _ in range(3)]
    assert [reason is not None for reason in reasons] == [False, False, True]


def test_a_refused_session_counts_although_it_defers_the_agent() -> None:
    assert broke_at(3, ["000-003"] * 9) == [3]


@given(st.lists(st.sampled_from(["106-011", "000-003", "100-006", OK, None])))
def test_a_breaker_of_0_never_breaks(retcodes: list[str | None]) -> None:
    assert broke_at(0, retcodes) == []


@given(limit=st.integers(1, 4), retcodes=st.lists(st.sampled_from(["106-011", "000-003", "100-006", OK, None])))
def test_it_breaks_where_the_last_outcomes_that_count_are_equal(limit: int, retcodes: list[str | None]) -> None:
    counting = [(place, code) for place, code in enumerate(retcodes, start=1) if code not in ("100-006", None)]
    first = next(
        (
            counting[end - 1][0]
            for end in range(limit, len(counting) + 1)
            if len({code for _, code in counting[end - limit : end]} - {OK}) == 1
            and OK not in [code for _, code in counting[end - limit : end]]
        ),
        None,
    )

    assert broke_at(limit, retcodes)[:1] == ([] if first is None else [first])


@pytest.mark.parametrize("retcode", ["000-003", "100-004"])
def test_refused_credentials_are_the_session_sources_trouble(retcode: str) -> None:
    reason = Breaker(1).judge(outcome(retcode))

    assert isinstance(reason, CredentialsRefusedError)
    assert reason.exit_code is ExitCode.SESSION_SOURCE_FAILED
    assert str(reason) == f"stopped: 1 agents in a row ended with the same answer: {retcode}"
    assert "live Guids" in reason.hint


def test_any_other_refusal_is_a_run_with_failed_agents() -> None:
    reason = Breaker(1).judge(outcome("106-011"))

    assert type(reason) is RunStoppedError
    assert reason.exit_code is ExitCode.SOME_AGENTS_FAILED
    assert "--breaker 0" in reason.hint


@pytest.mark.parametrize("result", [Result.FAILED, Result.IN_DOUBT], ids=str)
def test_a_gateway_that_does_not_answer_breaks_by_its_words(result: Result) -> None:
    breaker = Breaker(3)
    reasons = [breaker.judge(unreached(result, "connection refused")) for _ in range(3)]

    assert reasons[:2] == [None, None]
    assert reasons[2] is not None
    assert "connection refused" in str(reasons[2])


def test_different_words_are_different_refusals() -> None:
    breaker = Breaker(2)

    assert [breaker.judge(unreached(Result.FAILED, words)) for words in ("refused", "reset", "refused")] == [None] * 3
