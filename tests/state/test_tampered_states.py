"""States that somebody has had in hand are read as the plain way alone reads them, or refused in its words."""

from __future__ import annotations

import os
from functools import partial
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from state.records import OPEN_RUN, WEB_CHAT_4, in_doubt, pending, record, state
from state.test_quick_records import plainly, quickly
from support.tampering import laid_out, take_apart, tampered

from reconciler.state import encode
from reconciler.state.document.quick_records import cut_records
from reconciler.values import replace

EXAMPLES = 50_000 if os.environ.get("TORTURE") else 600
MANY = state(
    {
        101: in_doubt(),
        1001: record(session="login-1"),
        1002: record(WEB_CHAT_4),
        1003: record(team=None, protected=True),
        999_999: in_doubt(at="2026-01-31T08:00:00Z"),
    },
    waiting={1001: pending(), 1005: pending(retcode=None)},
)
TEXTS = [encode(each).decode() for each in (MANY, replace(state(), open_run=OPEN_RUN), state({}))]

written = partial(laid_out, between=",", behind=":")


@pytest.mark.parametrize("text", TEXTS)
def test_a_state_that_is_taken_apart_and_written_again_is_the_same(text: str) -> None:
    assert text == written(take_apart(text))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.sampled_from(TEXTS), st.randoms(use_true_random=True))
def test_a_tampered_state_is_read_as_the_plain_way_reads_it(text: str, chance: Random) -> None:
    data = tampered(text, written, chance)
    assert plainly(data, "demo") == quickly(data, "demo")
    assert cut_records(data) == cut_records(data, chunk=chance.choice([1, 50, 200, 300]))
