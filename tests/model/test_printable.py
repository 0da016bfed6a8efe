from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.printable import printable

pieces = st.sampled_from(["::error::x", "##[error]", "##vso[", " ", "\u00a0", "\x1b[31m", "\r", ":", "#", "x" * 40])
anything = st.text(st.characters(exclude_categories=())) | st.lists(pieces, max_size=4).map("".join)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("agents/east.yaml:7", "agents/east.yaml:7", id="plain"),
        pytest.param("成功", "成功", id="chinese"),
        pytest.param("a\r\nb\tc", "a\\r\\nb\\tc", id="line-breaks"),
        pytest.param("\x1b[31m", "\\x1b[31m", id="terminal-color"),
        pytest.param("\x9b31m", "\\x9b31m", id="terminal-color-in-one-byte"),
        pytest.param("\u202egpj", "\\u202egpj", id="right-to-left"),
        pytest.param("\ud800", "\\ud800", id="lone-surrogate"),
        pytest.param("\u00a0", "\\xa0", id="blank-that-is-none"),
        pytest.param("::error::x", "\\x3a:error::x", id="workflow-command"),
        pytest.param("a ::error::x", "a \\x3a:error::x", id="workflow-command-after-a-blank"),
        pytest.param("a::b", "a::b", id="two-colons-within-a-word"),
        pytest.param("x##[error]", "x#\\x23[error]", id="older-workflow-command"),
        pytest.param("##vso[task]", "#\\x23vso[task]", id="pipeline-command"),
        pytest.param("## heading", "## heading", id="heading"),
        pytest.param("x" * 21, "x" * 19 + "…", id="too-long"),
    ],
)
def test_foreign_text_becomes_one_harmless_line(text: str, expected: str) -> None:
    assert expected == printable(text, limit=20)


@given(text=anything, limit=st.integers(1, 50))
def test_whatever_comes_in_what_goes_out_is_short_printable_and_no_command(text: str, limit: int) -> None:
    shown = printable(text, limit=limit)

    assert len(shown) <= limit
    assert shown.isprintable()
    assert not shown.lstrip().startswith("::")
    assert "##[" not in shown
    assert "##vso[" not in shown


@given(text=anything, limit=st.integers(1, 50))
def test_doing_it_twice_changes_nothing_more(text: str, limit: int) -> None:
    once = printable(text, limit=limit)
    assert once == printable(once, limit=limit)


@given(text=st.text(st.characters(codec="ascii", exclude_categories=["Cc"], exclude_characters=":#"), max_size=50))
def test_harmless_text_is_left_as_it_is(text: str) -> None:
    assert text == printable(text, limit=50)
