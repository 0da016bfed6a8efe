from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fleets import URL

from reconciler.model.estimate import Estimate
from reconciler.model.gateway_settings import GatewaySettings

counts = st.integers(0, 1_000_000)
rates = st.floats(0.01, 10_000)


def estimate(calls: int, rate: float = 20.0, deadline: float | None = None) -> Estimate:
    return Estimate.of(calls, GatewaySettings(url=URL, requests_per_second=rate, run_deadline=deadline))


def test_412_calls_at_20_a_second_take_about_21_seconds() -> None:
    assert estimate(412).seconds == pytest.approx(20.6)


def test_at_4_calls_at_a_time_and_20_a_second_an_answer_may_take_a_fifth_of_a_second() -> None:
    assert estimate(412).answer_seconds == pytest.approx(0.2)


def test_nothing_to_send_takes_no_time() -> None:
    assert estimate(0, deadline=1.0).seconds == 0.0


@pytest.mark.parametrize(
    ("deadline", "expected"), [(None, True), (20.6, True), (20.5, False)], ids=["none", "just-enough", "too-short"]
)
def test_a_deadline_is_met_if_the_last_call_can_start_before_it(deadline: float | None, expected: bool) -> None:
    assert estimate(412, deadline=deadline).meets_deadline is expected


@given(calls=counts, more=st.integers(1, 1000), rate=rates)
def test_more_calls_never_take_less_time(calls: int, more: int, rate: float) -> None:
    assert estimate(calls, rate).seconds < estimate(calls + more, rate).seconds


@given(calls=counts, rate=rates)
def test_it_is_a_lower_bound_of_what_the_pace_allows(calls: int, rate: float) -> None:
    # The n-th call starts (n - 1) intervals after the first; the estimate adds the one that the last call may take.
    starts_last = max(calls - 1, 0) / rate
    assert starts_last <= estimate(calls, rate).seconds <= starts_last + 1 / rate + 1e-6


def test_a_number_of_calls_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="calls is -1"):
        estimate(-1)
