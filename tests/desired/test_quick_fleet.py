"""Files read entry by entry and the same files read as a whole: the same declarations, problems, agents and places."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.desired.fleet.advice import advise
from reconciler.desired.fleet.declarations import FleetFile
from reconciler.desired.fleet.expansion import expand
from reconciler.desired.fleet.fleet_reading import FleetReading, read_fleet
from reconciler.desired.fleet.late_cutter import FEW, LateCutter
from reconciler.desired.fleet.quick_fleet import Cutter
from reconciler.desired.fleet.resolution import resolve
from reconciler.desired.fleet.whereabouts import Whereabouts
from reconciler.desired.validation import validator_for
from reconciler.model.diagnostic import Severity
from reconciler.model.ordering import by_agent
from reconciler.values import replace

EXAMPLES = 20_000 if os.environ.get("TORTURE") else 300
FLEET = validator_for("fleet")
HEADS = [
    "", "---\n", "team: east\n", "# note\nteam: 'a b'\n\n", "team: [x]\n", 'team: "\n',
    "profiles: {p: {total: 5}}\n", "profiles:\n  p:\n    total: 5\n    channels: {sms: 1}\n", "team: |\n  x\n",
    "a: &a 1\n", "x: {\n", "colour: red\n", "agents: {}\n", "- 1\n", "team: a\n...\n---\n", "? \n", "x: 'agents:\n",
    "%YAML 1.2\n---\n", 'x: "\n', "x: '\n", "x: [\n", "\ufeff", "team: no\n",
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
    "\n    channels:\n      sms: 1\n      5g: 0\n    total: 5", "\n      profile: p", "\n   profile: p\n   total: 5",
    "\n    # note\n    total: 5 # note\n\n    channels: {sms: 1}",
    "\n    total: 5\n  # shallow\n    channels: {sms: 1}",
    ' {team: "a', ' b"}', " {team: 'a", " b'}", ' {profile: p, team: "a # b"}', "\n    team: it's\n    profile: p",
    "\n    team: 'it''s'\n    profile: p", " {profile: p, team: a#b}", " {profile: p # note",
    "\n    team: |\n      x\n",
    "\n    team: >-\n      x\n\n", " {\n    profile: p}", " {\n    profile: p\n  }",
    "\n    team: a\n      b\n    profile: p", "\n    ? profile\n    : p", "\n        profile: p",
    ' {profile: "p"}', " [", " ]",
    "\n    - profile: p", ' {team: "\\',
    ' "', "\n    profile: p\n    channels:\n      sms: 1 # a\n      # b\n      5g: 2", "\n    channels:\n    - x",
]  # fmt: skip
TAILS = [
    "\n", "\n", "\n", " # note\n", "#x\n", "\n\n", "\n# note\n  # more\n", "   \n", "\n   \n\n", "\r\n",
    "\n    # x\n", "", " \n", " # 'note\n", '\n# "\n', "\n  # }\n",
]  # fmt: skip
LASTS = [
    "", "", "", "team: z\n", "profiles: {}\n", "...\n", "---\n", "  1001: {}\n", " x", "# end", "}\n", '"\n',
    "\n\n", "profiles:\n  p:\n    total: 5\n", 'team: "z\n  1001: {}"\n', "agents:\n  1009: {profile: p}\n",
    "profiles:\n  1009: {profile: p}\n", "team: z\nagents: {}\n", "Team: z\n", "'team': z\n", "  team: z\n",
    'x: "}\n', "x: '}\n", "x: }\n", 'x"\nagents:\n  1001: {profile: p}\n', "x: ]\n", 'team: "}\nx: 1\n',
]  # fmt: skip
OPENINGS = ["agents:\n", "agents:\n", "agents:\n", "agents:\n# note\n\n", "agents: # x\n", "agents :\n", ""]
SLIPS = [" ", "\n", "'", '"', "#", ":", "{", "}", ",", "-", "x", "*a", "&a ", "|"]


@st.composite
def fleet_texts(draw: st.DrawFn) -> str:
    """Return the text of a fleet file: nearly always of the usual layout, and often with something wrong in it."""
    indent = draw(st.sampled_from(["  ", "  ", "  ", "  ", "    ", " "]))
    some = st.sampled_from(BODIES)
    entry = st.builds(f"{indent}{{}}:{{}}{{}}".format, st.sampled_from(KEYS), some, st.sampled_from(TAILS))
    plain = st.builds(f"{indent}{{}}:{{}}\n".format, st.integers(101, 200).map(str), st.sampled_from(BODIES[:6]))
    entries = draw(st.lists(plain | entry, max_size=6))
    text = (
        draw(st.sampled_from(HEADS)) + draw(st.sampled_from(OPENINGS)) + "".join(entries) + draw(st.sampled_from(LASTS))
    )
    if draw(st.booleans()):
        return text
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(st.sampled_from(SLIPS)) + text[at:]


def quickly(text: str, path: str = "fleet.yaml", cutter: Cutter | None = None) -> FleetReading:
    return read_fleet(path, text, schema=FLEET, cutter=cutter or Cutter(FLEET.accepts))


def plainly(text: str, path: str = "fleet.yaml") -> FleetReading:
    return read_fleet(path, text, schema=FLEET)


def one_by_one(reading: FleetReading) -> FleetFile | None:
    """What the file declares, those entries among them that are kept in columns."""
    if reading.file is None or reading.alike is None:
        return reading.file
    declarations = sorted((*reading.file.declarations, *reading.alike.declarations()), key=lambda each: each.entry.mark)
    return replace(reading.file, declarations=tuple(declarations))


def require_read_alike(text: str) -> None:
    """Hold the quick way to the plain way: the same declarations, the same problems."""
    quick, plain = quickly(text), plainly(text)
    assert plain.file == one_by_one(quick)
    assert sorted(plain.problems) == sorted(quick.problems)


def whole_story(readings: Sequence[FleetReading], *, complete: bool = True) -> tuple[object, ...]:
    """Everything there is to say about an environment of these files, and where each agent of it was declared."""
    resolution = resolve(readings, complete=complete)
    problems = sorted((*resolution.problems, *advise(resolution, about_unused=complete)))
    groups = {(team, label) for team, settings in resolution.groups() for label in settings.channels}
    story = problems, groups, sorted(resolution.spans())
    if any(each.severity is Severity.ERROR for each in (*problems, *(p for each in readings for p in each.problems))):
        return story
    agents, where = by_agent(expand(resolution)), Whereabouts(resolution)
    assert agents.keys() == where.keys()
    places = {agent: (declared.source, dict(declared.origins)) for agent, declared in where.items()}
    return *story, list(agents.items()), places


@settings(max_examples=EXAMPLES, deadline=None)
@given(fleet_texts())
def test_both_ways_find_the_same_declarations_and_the_same_problems(text: str) -> None:
    require_read_alike(text)


PROFILES = """\
profiles:
  p: {total: 12, channels: {sms: 4, web_chat: 6}}
  q: {extends: p, total: 5}
  odd: {total: 3, channels: {sms: 9}}
  shut: {total: 3, channels: {sms: 0}}
  half: {total: 9}
  twice: {extends: nobody}
"""
SAID = [
    " {profile: p}", " {profile: q}", " {profile: odd}", " {profile: shut}", " {profile: half}", " {profile: twice}",
    " {profile: gone}", " {profile: q, total: 6}", " {profile: p, channels: {sms: 5}}", " {total: 4}",
    " {profile: p, channels: {sms: null}}", " {profile: p, channels: {email: null}}", " {total: 4, channels: {sms: 9}}",
    " {profile: q, channels: {sms: null, web_chat: null}}", " {profile: p, team: west, protected: true}",
    "\n    profile: half\n    channels: {sms: 1}", " {profile: p, total: 12}",
]  # fmt: skip
"""Entries that are valid, and which mean something wrong, something odd, or nothing of the kind."""


@st.composite
def environments(draw: st.DrawFn, said: Sequence[str]) -> list[str]:
    """Return the texts of two fleet files, whose agents overlap now and then."""
    texts = []
    for start in (draw(st.sampled_from([101, 59_990])), draw(st.sampled_from([140, 69_990]))):
        lines, agent = [], start
        for body in draw(st.lists(st.sampled_from(said), max_size=8)):
            width, gap = draw(st.sampled_from([(0, 1)] * 4 + [(3, 1), (0, 7), (0, 0), (20, 1)]))
            lines.append(f"  {agent}-{agent + width}:{body}\n" if width else f'  "{agent}":{body}\n')
            agent += width + gap
        head = draw(st.sampled_from(["", "team: east\n"]))
        texts.append(f"{head}agents:\n{''.join(draw(st.permutations(lines)))}" if lines else "team: none\n")
    return texts


@settings(max_examples=EXAMPLES, deadline=None)
@given(texts=environments(SAID) | environments(SAID[:2] + SAID[7:9] + SAID[-3:]), complete=st.booleans())
def test_both_ways_tell_the_same_story_of_an_environment(texts: list[str], *, complete: bool) -> None:
    cutter = Cutter(FLEET.accepts)
    files = {"a.yaml": texts[0], "b/c.yaml": texts[1], "profiles.yaml": PROFILES}
    quick = [quickly(text, path, cutter) for path, text in files.items()]
    plain = [plainly(text, path) for path, text in files.items()]
    assert whole_story(plain, complete=complete) == whole_story(quick, complete=complete)


@pytest.mark.parametrize("agents", [10, 1_000])
@pytest.mark.parametrize("said", [" {profile: p}", " {profile: p, total: 13}", " {profile: odd}"])
def test_entries_without_a_word_to_say_about_them_are_never_looked_at(agents: int, said: str) -> None:
    readings = [quickly(fleet(agents, said), "a.yaml"), plainly(PROFILES, "profiles.yaml")]
    resolution = resolve(readings, complete=True)
    assert len(resolution.agents) <= 2  # the first of the file, and one to stand for a profile that is odd
    assert len(resolution.agents) + sum(len(quiet.alike) for quiet in resolution.quiet) == agents


@pytest.mark.parametrize("head", HEADS)
def test_every_head_goes_with_every_body(head: str) -> None:
    for body in BODIES:
        text = f"{head}agents:\n  1001: {{profile: p}}\n  1002:{body}\n  1003: {{profile: p}} # x\n"
        require_read_alike(text)


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


def test_a_file_with_an_entry_that_has_no_end_is_read_as_a_whole() -> None:
    assert Cutter(FLEET.accepts).cut(fleet(9) + "  9001: {total: 6\n") is None
    assert Cutter(FLEET.accepts).cut(fleet(9) + "  9001: {total: 6}\n") is not None


@pytest.mark.parametrize("end", ["", " ", " # x", "\n", "\n\n"])
def test_a_file_is_read_entry_by_entry_whether_or_not_its_last_line_ends(end: str) -> None:
    reading = quickly(fleet(9).rstrip("\n") + end)
    assert len(reading.alike or ()) == 8
    require_read_alike(fleet(9).rstrip("\n") + end)


def test_files_are_read_entry_by_entry_however_deep_the_entries_of_each_stand() -> None:
    cutter = Cutter(FLEET.accepts)
    for deep in ("  ", " ", "    ", "   "):
        text = f"agents:\n{deep}1001: {{profile: p}}\n{deep}1002:\n     total: 5\n{deep}1003: {{profile: p}}\n"
        reading = quickly(text, "fleet.yaml", cutter)
        assert len(reading.alike or ()) == 2
        assert one_by_one(reading) == plainly(text).file


def test_each_new_entry_is_looked_at_once_more_when_one_of_them_is_wrong() -> None:
    asked: list[object] = []

    def counting(value: object) -> bool:
        asked.append(value)
        return FLEET.accepts(value)

    text = "agents:\n" + "".join(f"  {agent}: {{total: {agent % 120}, profile: p}}\n" for agent in range(1001, 1121))
    cut = Cutter(counting).cut(text)
    assert cut is not None
    assert len(cut.others) + len(cut.fine) == 120
    assert len(cut.fine) in {59, 60}  # those from 1 to 60, and perhaps the first of all
    assert len(asked) == 1 + 120


def test_new_entries_are_read_at_once_however_many_there_are() -> None:
    asked: list[object] = []

    def counting(value: object) -> bool:
        asked.append(value)
        return FLEET.accepts(value)

    cutter = Cutter(counting)
    text = "agents:\n" + "".join(f"  {agent}: {{profile: p{agent}}}\n" for agent in range(101, 1101))
    cut = cutter.cut(text)
    assert (len(asked), len(cut.fine) if cut else 0) == (1, 999)


def test_the_first_few_characters_of_an_environment_are_read_whole_and_all_files_after_them_cut() -> None:
    text = fleet(50)
    whole = FEW // len(text)
    cutter = LateCutter(FLEET.accepts)

    readings = [read_fleet("a.yaml", text, schema=FLEET, cutter=cutter) for _ in range(whole + 3)]

    assert [False] * whole + [True] * 3 == [reading.alike is not None for reading in readings]
    assert all(one_by_one(reading) == one_by_one(plainly(text, "a.yaml")) for reading in readings)


@pytest.mark.parametrize("last", LASTS)
def test_every_end_goes_with_every_body(last: str) -> None:
    for body in BODIES:
        text = f"agents:\n  1001: {{profile: p}}\n  1002:{body}\n  1003: {{profile: p}} # x\n{last}"
        require_read_alike(text)


TRICKS = {
    "entry-that-reaches-the-end": """\
agents:
  1001: {profile: p}
  1002: {team: "a
  1003: {profile: p}
x: "}
""",
    "head-with-another-section": """\
x: "
agents:
  1001: {profile: p}
  1002: {profile: p}
y"
agents:
  1001: {profile: p}
""",
    "entry-that-takes-the-next": """\
agents:
  1001: {profile: p}
  1002: {team: "a
  1003: {profile: p}
  1004: b"}
""",
}
"""Texts of which a part looks like entries and is none."""


@pytest.mark.parametrize("text", TRICKS.values(), ids=TRICKS)
def test_what_only_looks_like_an_entry_is_not_taken_for_one(text: str) -> None:
    quick, plain = quickly(text), plainly(text)
    assert quick.alike is None
    assert plain.file == quick.file
    assert plain.problems == quick.problems


def test_two_entries_that_are_wrong_apart_and_right_together_are_read_together() -> None:
    for one in BODIES:
        for other in BODIES:
            text = f"agents:\n  1001: {{profile: p}}\n  1002:{one}\n  1003: {{profile: p}}\n  1004:{other}\n"
            require_read_alike(text)


LAYOUTS = {
    "flow": "agents:\n  {}: {{profile: p, total: 5}}\n",
    "block": "agents:\n  {}:\n    profile: p\n    channels:\n      sms: 1\n      5g: 2\n",
    "deep": "agents:\n    {}:\n        profile: p\n",
    "narrow": "agents:\n {}: {{profile: p}}\n",
    "quoted": "agents:\n  '{}': {{profile: \"p\"}}\n",
    "noted": "agents: # all\n\n  # these\n  {}:\n    # why\n    profile: p  # as ever\n\n    total: 5\n",
    "not-last": "agents:\n  {}: {{profile: p}}\nprofiles:\n  p: {{total: 5}}\n",
    "folded": "agents:\n  {}: {{profile: p,\n         total: 5}}\n",
}
"""The ways people write an agent; what stands around the agent's line stands once around many."""


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_usual_ways_to_write_agents_are_all_read_entry_by_entry(layout: str) -> None:
    head, rest = layout.split("\n", 1)
    entry, _, last = rest.partition("profiles:")
    text = f"{head}\n{''.join(entry.format(agent) for agent in range(1001, 1101))}{last and 'profiles:'}{last.format()}"
    reading = quickly(text)
    assert (reading.problems, len(reading.alike or ())) == ((), 99)
    assert plainly(text).file == one_by_one(reading)


HOSTILE = {
    "blanks": " " * 200_000 + "'",
    "braces": "{" * 200_000,
    "colons": "a: " * 100_000 + "'",
    "lines": "\n    a:" * 50_000 + "'",
    "empty-lines": "\n" * 200_000 + "'",
    "comments": " #" * 100_000,
    "notes": "\n    # x" * 50_000 + "\n'",
    "deep-lines": "\n      a" * 50_000 + "\n'",
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_entry_is_given_up_in_one_pass(hostile: str) -> None:
    begin = time.process_time()
    Cutter(FLEET.accepts).cut(f"agents:\n  1001: {{profile: p}}\n  1002: {hostile}\n")
    assert time.process_time() - begin < 2  # quadratic would be minutes
