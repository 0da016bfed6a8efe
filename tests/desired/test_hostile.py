"""Files made to hurt are refused cheaply; nothing a file holds becomes a traceback."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from desired.environments import AGENT, SITE, codes, load_fleet, write
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.desired import Loaded, load
from reconciler.desired.reading import yaml_reader
from reconciler.model.diagnostic import Severity


def loads(files: dict[str, str | bytes]) -> Loaded:
    with tempfile.TemporaryDirectory() as folder:
        loaded = load(write(Path(folder), files))
    refused = any(found.severity is Severity.ERROR for found in loaded.diagnostics)
    assert refused == (loaded.desired is None)
    assert list(loaded.diagnostics) == sorted(loaded.diagnostics)
    for found in loaded.diagnostics:
        assert f"{found.path}{found.summary}{found.detail}{found.pointer}".isprintable()
    return loaded


@settings(max_examples=120, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_random_bytes_never_raise(fleet: bytes, site: bytes) -> None:
    loads({"fleet.yaml": fleet, "site.yaml": site})


PIECES = [
    "agents", "profiles", "team", "1001", "1002-1003", "total", "channels", "sms", "extends", "profile", "p", ":", ": ",
    "\n", "\n  ", "\n    ", "- ", "? ", "{", "}", "[", "]", ",", "&a ", "*a", "!!str ", "!", "<<", "---\n", "...\n",
    "#", "'", '"', "|\n", ">-\n", "null", "true", "9.0", ".inf", "1e999", "0", "5", "@", "`", "%YAML 1.1\n", "\\x00",
    "é", "\u2028", "\t", "\r", "\ufeff", "\U0001f600", "a" * 300, "9" * 30,
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_random_yaml_text_never_raises(text: str) -> None:
    loads({"fleet.yaml": text})
    loads({"site.yaml": text, "fleet.yaml": AGENT})


KEYS = st.sampled_from(
    [
        "agents", "profiles", "team", "1001", "1001-1005", "1005-1001", "100", "p", "a/b~", "007", "total", "channels",
        "sms", "extends", "profile", "protected", "gateway", "url", "timeout", "guardrails", "sessions", "x" * 70,
    ]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers(-2, 70) | st.sampled_from(["p", "", "10s", "https://h", "a\n", 0.5])
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=120, deadline=None)
@given(TREES, TREES)
def test_random_structures_never_raise(fleet: Any, site: Any) -> None:
    loads({"fleet.yaml": json.dumps(fleet), "site.yaml": json.dumps(site)})


@settings(max_examples=120, deadline=None)
@given(st.dictionaries(st.sampled_from(["agents", "profiles", "team"]), st.dictionaries(KEYS, TREES, max_size=3)))
def test_random_fleets_never_raise(fleet: Any) -> None:
    loads({"fleet.yaml": json.dumps(fleet), "other.yaml": AGENT})


class CountingLoader(yaml.CSafeLoader):
    events = 0

    def get_event(self) -> Any:
        CountingLoader.events += 1
        return super().get_event()


@pytest.mark.parametrize("text", ["[" * 100_000, "{" * 100_000, "- " * 100_000, "? " * 100_000, "{a: " * 100_000])
def test_deep_nesting_stops_the_reader_at_once(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "CSafeLoader", CountingLoader)
    monkeypatch.setattr(CountingLoader, "events", 0)
    document = yaml_reader.read_yaml("fleet.yaml", text)
    assert [found.code for found in document.problems][-1:] == ["nesting-too-deep"]
    assert CountingLoader.events <= 3 * yaml_reader.MAX_DEPTH + 4


def test_an_alias_bomb_is_refused_by_arithmetic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = zip("abcdefgh", "bcdefghi", strict=True)
    levels = "".join(f"{name}: &{name} [{','.join([f'*{below}'] * 10)}]\n" for below, name in pairs)
    monkeypatch.setattr(yaml, "CSafeLoader", CountingLoader)
    monkeypatch.setattr(CountingLoader, "events", 0)
    loaded = load_fleet(tmp_path, "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + levels)
    assert codes(loaded) == [("fleet.yaml", "aliases-explode")]
    assert CountingLoader.events < 100


def test_many_aliases_of_one_small_value_are_fine_up_to_the_limit(tmp_path: Path) -> None:
    def fleet(count: int) -> str:
        agents = "".join(f"  {1001 + number}: *a\n" for number in range(count))
        return "agents:\n  101: &a {total: 5, channels: {sms: 1}}\n" + agents

    assert load_fleet(tmp_path, fleet(2_500)).desired is not None
    assert codes(load_fleet(tmp_path, fleet(2_501))) == [("fleet.yaml", "aliases-explode")]


def test_a_number_of_a_million_digits_is_refused_unread(tmp_path: Path) -> None:
    text = f"agents: {{1001: {{total: {'9' * 1_000_000}, channels: {{sms: 0.{'1' * 100_000}}}}}}}\n"
    loaded = load_fleet(tmp_path, text)
    assert ("fleet.yaml", "number-too-long") in codes(loaded)
    assert max(len(found.summary) for found in loaded.diagnostics) < 200


def test_a_thousand_overlapping_giant_ranges_are_one_problem_each(tmp_path: Path) -> None:
    agents = {f"{101 + number}-999999": {"total": 5, "channels": {"sms": 1}} for number in range(1_000)}
    loaded = load_fleet(tmp_path, json.dumps({"agents": agents}))
    duplicates = [found for found in loaded.diagnostics if found.code == "duplicate-agent"]
    assert len(duplicates) == 999
    assert duplicates[0].summary.endswith("declare an agent once")


def test_a_thousand_problems_are_all_reported(tmp_path: Path) -> None:
    agents = "".join(f"  {1001 + number}: {{total: {61 + number}, channels: {{sms: 1}}}}\n" for number in range(1_000))
    fine = "".join(f"  {5001 + number}: {{total: 5, channels: {{sms: 1}}}}\n" for number in range(5_000))
    loaded = load_fleet(tmp_path, f"agents:\n{agents}{fine}")
    assert [number + 2 for number in range(1_000)] == [found.line for found in loaded.diagnostics]
    assert {"out-of-range"} == {found.code for found in loaded.diagnostics}


def test_misspelt_profiles_by_the_thousand_are_all_reported(tmp_path: Path) -> None:
    profiles = {f"profile-{number}": {"total": 5, "channels": {"sms": 1}} for number in range(1_000)}
    agents = {str(1001 + number): {"profile": f"profil-{number // 2}"} for number in range(1_000)}
    loaded = load_fleet(tmp_path, json.dumps({"profiles": profiles, "agents": agents}))
    assert len(loaded.diagnostics) == 1_000
    assert all(found.code == "unknown-profile" for found in loaded.diagnostics)


def test_the_site_file_is_as_guarded_as_the_fleet(tmp_path: Path) -> None:
    root = write(tmp_path, {"fleet.yaml": AGENT, "site.yaml": SITE + "reset: " + "[" * 1_000})
    assert codes(load(root)) == [("site.yaml", "nesting-too-deep")]
