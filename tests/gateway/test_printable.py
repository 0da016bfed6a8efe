from __future__ import annotations

import pytest
from gateway.examples import UNHURRIED
from hypothesis import given
from hypothesis import strategies as st

from reconciler.gateway.printable import printable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("success", "success", id="plain"),
        pytest.param("成功", "成功", id="chinese"),
        pytest.param("a\r\nb\tc", "a\\x0d\\x0ab\\x09c", id="line-breaks"),
        pytest.param("\x1b[31mred", "\\x1b[31mred", id="terminal-colour"),
        pytest.param("\x7f\x85", "\\x7f\\x85", id="delete-and-next-line"),
        pytest.param("\u202etxt.exe\u2066", "\\u202etxt.exe\\u2066", id="bidirectional-marks"),
        pytest.param("a\u2028b", "a\\u2028b", id="line-separator"),
        pytest.param("\ud800", "\\ud800", id="lone-surrogate"),
        pytest.param("\U000e0041", "\\U000e0041", id="invisible-tag"),
        pytest.param("x" * 20, "x" * 20, id="as-long-as-may-be"),
        pytest.param("x" * 21, "x" * 19 + "…", id="too-long"),
    ],
)
def test_foreign_text_becomes_one_harmless_line(text: str, expected: str) -> None:
    assert expected == printable(text, limit=20)


@UNHURRIED
@given(text=st.text(st.characters(exclude_categories=())), limit=st.integers(1, 50))
def test_whatever_comes_in_what_goes_out_is_short_and_printable(text: str, limit: int) -> None:
    shown = printable(text, limit=limit)

    assert len(shown) <= limit
    assert shown.isprintable()
