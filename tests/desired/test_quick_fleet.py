"""A file read entry by entry and the same file read as a whole: the same declarations, the same problems."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.desired.fleet_reading import FleetReading, read_fleet
from reconciler.desired.quick_fleet import Cutter
from reconciler.desired.validation import validator_for

EXAMPLES = 20_000 if os.environ.get("TORTURE") else 300
FLEET = validator_for("fleet")
HEADS = [
    "", "---\n", "team: east\n", "# note\nteam: 'a b'\n\n", "team: [x]\n", 'team: "\n',
    "profiles: {p: {total: 5}}\n", "profiles:\n  p:\n    total: 5\n    channels: {sms: 1}\n", "team: |\n  x\n",
    "a: &a 1\n", "x: {\n", "colour: red\n", "agents: {}\n", "- 1\n", "team: a\n...\n---\n", "? \n", "x: 'agents:\n",
    "%YAML 1.2\n---\n", "\ufeff", "team: no\n",
]  # fmt: skip
KEYS = [
    "1001", '"1002"', "1003-1050", "1050-1003", "100", "1004", "999999", "0101", "5000-5001", "'1006'", "p",
    "1001 ", "60000", "101-102", '"1001"', "x: 1001", "1e3", "1_001",
]  # fmt: skip
BODIES = [
    " {profile: p}", " {profile: p}", " {total: 5, channels: {sms: 1}}",
    " {profile: p, team: west, protected: true}", "\n    profile: p",
    "\n    total: 5\n    channels: {sms: 1, 5g: 0}", "\n    total: 5\n    channels:\n      sms: 1", " {total: 61}",
    " {profil: p}", " {channels: {fax: 1}}", " {}", "", " null", " 5", " {profile: *a}", " {team: &b x}",
    " {profile: 'p'}", ' {team: "x\\u0041"}', " {total: 05, channels: {sms: 1_0}}", " {total: 5.0}", " {total: 5",
    " {profile: p} {}", "  {profile: p}", " {profile: p, profile: q}", " {profile: p,}", " {<<: p}", " { }",
    " {a: b: c}", "\n    profile: p\n    profile: q", "\n    team: a\n     b", "\n   profile: p", "\n    - x",
    "\n    a-b: c", "\n    profile:", " {channels: {sms: null}, total: 5}", "\n    team: north  west",
    " {team: no}", "\n    channels: {sms: 1,\n      5g: 2}", " {profile: p: }", " {team: -}", " {: }",
    "\n    team: x:y", " {team: x:y}", " {,}", "\n    team: - x", " {profile}",
]  # fmt: skip
TAILS = [
    "\n", "\n", "\n", " # note\n", "#x\n", "\n\n", "\n# note\n  # more\n", "   \n", "\n   \n\n", "\r\n",
    "\n    # x\n", "", " \n",
]  # fmt: skip
LASTS = [
    "", "", "", "team: z\n", "profiles: {}\n", "...\n", "---\n", "  1001: {}\n", " x", "# end", "}\n", '"\n',
    "\n\n",
]  # fmt: skip
OPENINGS = ["agents:\n", "agents:\n", "agents:\n", "agents:\n# note\n\n", "agents: # x\n", "agents :\n", ""]
SLIPS = [" ", "\n", "'", '"', "#", ":", "{", "}", ",", "-", "x", "*a", "&a ", "|"]


@st.composite
def fleet_texts(draw: st.DrawFn) -> str:
    """Return the text of a fleet file: nearly always of the usual layout, and often with something wrong in it."""
    entry = st.builds("  {}:{}{}".format, st.sampled_from(KEYS), st.sampled_from(BODIES), st.sampled_from(TAILS))
    plain = st.builds("  {}:{}\n".format, st.integers(101, 200).map(str), st.sampled_from(BODIES[:6]))
    entries = draw(st.lists(plain | entry, max_size=6))
    opening = draw(
        st.sampled_from(
            ["agents:\n", "agents:\n", "agents:\n", "agents:\n# note\n\n", "agents: # x\n", "agents :\n", ""]
        )
    )
    text = draw(st.sampled_from(HEADS)) + opening + "".join(entries) + draw(st.sampled_from(LASTS))
    if draw(st.booleans()):
        return text
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(st.sampled_from(SLIPS)) + text[at:]


def quickly(text: str) -> FleetReading:
    return read_fleet("fleet.yaml", text, schema=FLEET, cutter=Cutter(FLEET.accepts, alike=0))


def plainly(text: str) -> FleetReading:
    return read_fleet("fleet.yaml", text, schema=FLEET)


@settings(max_examples=EXAMPLES, deadline=None)
@given(fleet_texts())
def test_both_ways_find_the_same_declarations_and_the_same_problems(text: str) -> None:
    quick, plain = quickly(text), plainly(text)
    assert plain.file == quick.file
    assert sorted(plain.problems) == sorted(quick.problems)


@pytest.mark.parametrize("head", HEADS)
def test_every_head_goes_with_every_body(head: str) -> None:
    for body in BODIES:
        text = f"{head}agents:\n  1001: {{profile: p}}\n  1002:{body}\n  1003: {{profile: p}} # x\n"
        quick, plain = quickly(text), plainly(text)
        assert plain.file == quick.file
        assert sorted(plain.problems) == sorted(quick.problems)


def fleet(agents: int, body: str = " {profile: p}") -> str:
    return "agents:\n" + "".join(f"  {1001 + number}:{body}\n" for number in range(agents))


@pytest.mark.parametrize("agents", [10, 1_000, 10_000])
def test_each_distinct_entry_is_read_once_however_many_agents_have_it(agents: int) -> None:
    asked: list[object] = []

    def counting(value: object) -> bool:
        asked.append(value)
        return FLEET.accepts(value)

    cutter = Cutter(counting)
    for _ in range(3):
        cut = cutter.cut(fleet(agents))
        assert cut is not None
        assert agents - 1 == len(cut.fine)
    assert len(asked) == 1


def test_what_is_wrong_is_all_that_is_left_for_the_plain_way() -> None:
    text = fleet(500) + "  9001: {total: 61}\n  9002: {profile: p}\n  9100-9001: {profile: p}\n"
    cut = Cutter(FLEET.accepts).cut(text)
    assert cut is not None
    assert list(cut.others) == ["1001", "9001", "9100-9001"]
    assert len(cut.rest) == len(text)
    left = "agents: 1001: {profile: p} 9001: {total: 61} 9100-9001: {profile: p}"
    assert left == " ".join(cut.rest.split())


def test_few_entries_alike_are_read_as_a_whole() -> None:
    assert Cutter(FLEET.accepts).cut("agents:\n  1001: {total: 5, channels: {sms: 1}}\n  1002: {profile: p}\n") is None


HOSTILE = {
    "blanks": " " * 200_000 + "'",
    "braces": "{" * 200_000,
    "colons": "a: " * 100_000 + "'",
    "lines": "\n    a:" * 50_000 + "'",
    "empty-lines": "\n" * 200_000 + "'",
    "comments": " #" * 100_000,
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_entry_is_given_up_in_one_pass(hostile: str) -> None:
    begin = time.process_time()
    Cutter(FLEET.accepts).cut(f"agents:\n  1001: {{profile: p}}\n  1002: {hostile}\n")
    assert time.process_time() - begin < 2  # quadratic would be minutes
