from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fleets import concurrencies, concurrency

from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency

NOT_WHOLE = [
    pytest.param(True, id="bool"),
    pytest.param(1.0, id="float"),
    pytest.param("1", id="text"),
    pytest.param(None, id="none"),
]


@pytest.mark.parametrize("total", [1, 60])
@pytest.mark.parametrize("sessions", [0, 60])
def test_both_ends_of_the_documented_ranges_are_allowed(total: int, sessions: int) -> None:
    value = Concurrency.of(total, {Channel.SMS: sessions})
    assert (value.total, value.channels) == (total, ((Channel.SMS, sessions),))


@pytest.mark.parametrize("total", [*NOT_WHOLE, pytest.param(0, id="below"), pytest.param(61, id="above")])
def test_a_total_other_than_1_to_60_is_refused(total: Any) -> None:
    with pytest.raises(ValueError, match=r"total is .*, not a whole number from 1 to 60"):
        Concurrency.of(total, {Channel.SMS: 6})


@pytest.mark.parametrize("sessions", [*NOT_WHOLE, pytest.param(-1, id="below"), pytest.param(61, id="above")])
def test_a_channel_number_other_than_0_to_60_is_refused(sessions: Any) -> None:
    with pytest.raises(ValueError, match=r"sms is .*, not a whole number from 0 to 60"):
        Concurrency.of(25, {Channel.SMS: sessions})


def test_a_concurrency_without_channels_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one channel"):
        Concurrency.of(25, {})


@pytest.mark.parametrize("channel", [pytest.param(51, id="code"), pytest.param("web_chat", id="label")])
def test_a_channel_that_is_not_a_channel_is_refused(channel: Any) -> None:
    with pytest.raises(ValueError, match="is not a Channel"):
        Concurrency(25, ((channel, 9),))


@pytest.mark.parametrize(
    "channels",
    [
        pytest.param(((Channel.SMS, 6), (Channel.WEB_CHAT, 9)), id="unsorted"),
        pytest.param(((Channel.SMS, 6), (Channel.SMS, 6)), id="twice"),
    ],
)
def test_channels_out_of_order_or_twice_are_refused(channels: tuple[tuple[Channel, int], ...]) -> None:
    with pytest.raises(ValueError, match="sorted, each once"):
        Concurrency(25, channels)


@given(value=concurrencies, data=st.data())
def test_the_order_in_which_channels_come_does_not_matter(value: Concurrency, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(value.channels))
    assert value == Concurrency.of(value.total, dict(shuffled))


@given(value=concurrencies)
def test_the_mapping_of_a_concurrency_builds_it_again(value: Concurrency) -> None:
    assert value == Concurrency.of(value.total, value.as_mapping())


def test_the_mapping_is_fresh_so_that_nobody_can_reach_in() -> None:
    value = concurrency(25, web_chat=9)
    value.as_mapping()[Channel.SMS] = 6
    assert value.as_mapping() == {Channel.WEB_CHAT: 9}


def test_a_concurrency_is_frozen() -> None:
    value = concurrency()
    with pytest.raises(AttributeError, match="immutable"):
        value.total = 8  # type: ignore[misc]
