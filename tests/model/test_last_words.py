from __future__ import annotations

import pytest

from reconciler.model.last_words import MAX_COMPLAINT, last_words

TOKEN = "5ec2e7aa8e92f0d1c3b4a5968778695a4b3c2d1e0f.AgentGateway0"


@pytest.mark.parametrize(
    ("complaint", "output", "expected"),
    [
        pytest.param("", "", "", id="silence"),
        pytest.param(" \n\n", "", "", id="blank"),
        pytest.param("no route to redis\n", "", ": no route to redis", id="plain"),
        pytest.param("a\r\nb\n", "", ": a | b", id="two-lines"),
        pytest.param("GET x\nGuid: abc\n", "", ": GET x (1 line withheld)", id="guid-header"),
        pytest.param("Cookie: a=b", "", ": (1 line withheld)", id="cookie-header"),
        pytest.param("password=x\nAuthorization: y\nbearer z\n", "", ": (3 lines withheld)", id="credentials"),
        pytest.param(f"found {TOKEN}", "", ": (1 line withheld)", id="long-token"),
        pytest.param("no session for 1001", "", ": no session for 1001", id="words-only"),
        pytest.param("File /lib/python3.11/json/x.py", "", ": File /lib/python3.11/json/x.py", id="path"),
        pytest.param("got tokenless", '{"guid": "tokenless"}', ": (1 line withheld)", id="repeats-the-output"),
        pytest.param("got tokenless", '{"guid": "tokenl', ": (1 line withheld)", id="repeats-cut-output"),
        pytest.param("agentId is wrong", '{"agentId": "1"}', ": agentId is wrong", id="repeats-a-harmless-word"),
        pytest.param("a b c it is", "a b c", ": a b c it is", id="repeats-next-to-nothing"),
        pytest.param("say my dear old cat", "my dear old cat\n", ": (1 line withheld)", id="repeats-a-passphrase"),
        pytest.param("\udcff", "", ": \ufffd", id="not-utf-8"),
    ],
)
def test_last_words_are_shown_without_lines_that_may_hold_a_secret(complaint: str, output: str, expected: str) -> None:
    actual = last_words(complaint.encode("utf-8", "surrogateescape"), output.encode(), harmless={"agentId"})

    assert expected == actual


def test_of_last_words_that_grow_by_being_escaped_the_end_is_kept() -> None:
    words = last_words("\n".join("\x1b" * 300 for _ in range(6)).encode() + b"\nthe end", b"")

    assert words.endswith(" | the end")
    assert len(words) <= MAX_COMPLAINT + 2


def test_a_line_whose_beginning_was_lost_is_not_shown() -> None:
    kept = (b"x" * 3000 + b"ecret\nthe end")[-MAX_COMPLAINT - 1 :]

    assert last_words(kept, b"") == ": the end"
