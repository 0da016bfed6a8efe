"""A file with more problems than anybody reads costs little, and how many there are is still told exactly."""

from __future__ import annotations

from pathlib import Path

import pytest
from desired.environments import AGENT, SITE, load_fleet, write

from reconciler.desired import bounds, load, validation
from reconciler.desired.reading import yaml_reader
from reconciler.desired.reading.yaml_reader import read_yaml
from reconciler.desired.validation import Validator
from reconciler.model.diagnostic import Severity


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (bounds, validation, yaml_reader):
        monkeypatch.setattr(module, "MAX_PROBLEMS", 100)
    monkeypatch.setattr(validation, "_AT_ONCE", 50)


FAULTY = {
    "out-of-range": ("  {}: {{total: 61, channels: {{sms: 1}}}}\n", "entries with problems"),
    "unknown-profile": ("  {}: {{profile: nobody}}\n", "problems"),
    "whole-number-as-float": ("  {}: {{total: 5.0, channels: {{sms: 1}}}}\n", "slips of YAML"),
}


@pytest.mark.parametrize("code", FAULTY)
@pytest.mark.parametrize("agents", [100, 1_000])
def test_the_first_are_listed_and_the_rest_is_counted(code: str, agents: int, tmp_path: Path) -> None:
    line, what = FAULTY[code]
    fleet = "agents:\n" + "".join(line.format(1001 + number) for number in range(agents))
    loaded = load_fleet(tmp_path, fleet)
    listed = [found for found in loaded.diagnostics if found.code == code]
    assert [2 + number for number in range(100)] == [found.line for found in listed]
    more = [found.summary for found in loaded.diagnostics if found.code == "further-problems"]
    expected = f"{agents - 100} further {what} of this file are not listed; mend those that are"
    assert ([expected] if agents > 100 else []) == more


def test_each_file_has_its_own_bound_and_warnings_stay_warnings(tmp_path: Path) -> None:
    agents = "agents:\n" + "".join(f"  {60_000 + n}: {{total: 5, channels: {{sms: 1}}}}\n" for n in range(120))
    other = "agents:\n  1001: {total: 61, channels: {sms: 1}}\n"
    loaded = load(write(tmp_path, {"a.yaml": agents, "b.yaml": other, "site.yaml": SITE}))
    told = [(found.path, found.severity) for found in loaded.diagnostics if found.code == "further-problems"]
    assert told == [("a.yaml", Severity.WARNING)]
    assert [(found.path, found.line) for found in loaded.diagnostics if found.code == "out-of-range"] == [("b.yaml", 2)]


def test_a_file_checked_in_parts_is_told_the_same_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = ["{total: 61}", "{profile: p}", "{colour: 1}", "{channels: {fax: 1}, total: x}", "[]", "null", "{}"]
    agents = "".join(f"  {101 + number}: {entries[number % 7]}\n" for number in range(70))
    document = read_yaml("x.yaml", f"colour: red\nteam: []\nprofiles: {{-: {{}}}}\nagents:\n  x: {{}}\n{agents}")
    in_parts = Validator("fleet").check(document)
    monkeypatch.setattr(validation, "_AT_ONCE", 1_000)
    assert sorted(Validator("fleet").check(document)) == sorted(in_parts)
    assert len(in_parts) > 50


@pytest.mark.parametrize("entry", ["[1, 2]", "5", "null", "{team: [], protected: 3}", "{profile: {}}", "{channels: 7}"])
def test_nothing_is_made_of_what_is_beyond_the_bound(entry: str, tmp_path: Path) -> None:
    faulty = "".join(f"  {1001 + number}: {{total: 61, channels: {{sms: 1}}}}\n" for number in range(100))
    loaded = load_fleet(tmp_path, f"agents:\n{faulty}  2001: {entry}\n")
    assert loaded.desired is None
    assert {"out-of-range", "further-problems"} == {found.code for found in loaded.diagnostics}


def test_a_fleet_written_into_site_yaml_is_refused_once_however_large_it_is(tmp_path: Path) -> None:
    agents = "".join(f"  {1001 + number}: {{total: 5, channels: {{sms: 1}}}}\n" for number in range(120))
    loaded = load(write(tmp_path, {"fleet.yaml": AGENT, "site.yaml": f"{SITE}agents:\n{agents}"}))
    assert [(found.code, found.pointer) for found in loaded.diagnostics] == [("unknown-key", "/agents")]


def test_names_like_unknown_ones_are_looked_for_only_so_often() -> None:
    unknown = ", ".join(f"sms{number}: 1" for number in range(1_000))
    document = read_yaml("fleet.yaml", f"agents: {{2001: {{channels: {{{unknown}}}}}}}")
    hinted = ["did you mean 'sms'" in found.summary for found in Validator("fleet").check(document)]
    assert hinted == [True] * 200 + [False] * 800
