"""Generated fleets resolve as a simple oracle says; and what agents share."""

from __future__ import annotations

import gc
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desired.environments import AGENT, codes, load_fleet, write
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.desired import load
from reconciler.desired.fleet.declarations import collect
from reconciler.desired.fleet.expansion import expand
from reconciler.desired.fleet.inheritance import Profiles, Settings
from reconciler.desired.fleet.resolution import Resolution, Resolved
from reconciler.desired.reading.yaml_reader import read_yaml
from reconciler.model.agent import AgentId
from reconciler.model.channel import Channel
from reconciler.model.diagnostic import Severity

REPOSITORY = Path(__file__).resolve().parents[2]
LABELS = [channel.label for channel in Channel][:4]
NAMES = ["alpha", "beta", "gamma", "delta"]

channels = st.dictionaries(st.sampled_from(LABELS), st.none() | st.integers(0, 60), min_size=1, max_size=3)
coin: st.SearchStrategy[bool] = st.booleans()
numbers: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {}, optional={"total": st.integers(1, 60), "channels": channels}
)


@st.composite
def fleets(draw: st.DrawFn) -> dict[str, Any]:
    profiles: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        profile = draw(numbers)
        if draw(coin) and profiles:
            profile["extends"] = draw(st.sampled_from(sorted(profiles)))
        profiles[name] = profile or {"total": 1}
    agents: dict[str, Any] = {}
    following = 101
    for gap, length in draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=5)):
        first, last = following + gap, following + gap + length
        following = last + 1
        agent = draw(numbers)
        if draw(coin) and profiles:
            agent["profile"] = draw(st.sampled_from(sorted(profiles)))
        agent |= draw(st.fixed_dictionaries({}, optional={"team": st.sampled_from(["a", "b"])}))
        agents[str(first) if length == 0 else f"{first}-{last}"] = agent
    shuffled = dict(draw(st.permutations(sorted(agents.items()))))
    return {"profiles": profiles, "team": "own", "agents": shuffled}


def merged(said: dict[str, Any], profiles: dict[str, Any]) -> tuple[int | None, dict[str, int]]:
    base = said.get("extends") or said.get("profile")
    total, inherited = merged(profiles[base], profiles) if base else (None, {})
    combined = {**inherited, **said.get("channels", {})}
    return said.get("total", total), {label: number for label, number in combined.items() if number is not None}


def oracle(fleet: dict[str, Any]) -> dict[int, Any] | None:
    expected: dict[int, Any] = {}
    for key, agent in fleet["agents"].items():
        first, _, last = key.partition("-")
        total, numbers_of_channels = merged(agent, fleet["profiles"])
        if total is None or not numbers_of_channels:
            return None
        for number in range(int(first), int(last or first) + 1):
            expected[number] = (total, numbers_of_channels, agent.get("team", "own"))
    return expected


@settings(max_examples=120, deadline=None)
@given(fleets())
def test_a_fleet_resolves_as_the_oracle_says(fleet: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = write(Path(folder), {"a/agents.yaml": json.dumps({"agents": fleet["agents"], "team": fleet["team"]})})
        write(root, {"profiles.yaml": json.dumps({"profiles": fleet["profiles"]})})
        loaded = load(root, allow_empty=True)
    expected = oracle(fleet)
    if expected is None:
        assert {found.code for found in loaded.diagnostics if found.severity is Severity.ERROR} <= {
            "no-total",
            "no-channel",
        }
        assert loaded.desired is None
        return
    assert loaded.desired is not None
    actual = {
        int(agent): (
            wanted.concurrency.total,
            {channel.label: number for channel, number in wanted.concurrency.channels},
            wanted.team,
        )
        for agent, wanted in loaded.desired.agents.items()
    }
    assert expected == actual
    assert sorted(expected) == list(actual)
    for agent, wanted in loaded.desired.agents.items():
        origins = loaded.desired.declared[agent].origins
        assert {"total", *(channel.label for channel, _ in wanted.concurrency.channels)} == set(origins)


def spans() -> st.SearchStrategy[list[tuple[int, int]]]:
    span = st.tuples(st.integers(101, 160), st.integers(0, 20)).map(lambda pair: (pair[0], pair[0] + pair[1]))
    return st.lists(span, min_size=1, max_size=6, unique=True)


@settings(max_examples=120, deadline=None)
@given(spans())
def test_an_overlap_is_reported_exactly_when_two_declarations_share_an_agent(chosen: list[tuple[int, int]]) -> None:
    # `100 - 100` and `100` are different keys for one agent, so that single agents can collide too.
    keys = [str(first) if first == last else f"{first}-{last}" for first, last in chosen]
    text = json.dumps({"agents": {key: {"total": 5, "channels": {"sms": 1}} for key in keys}})
    with tempfile.TemporaryDirectory() as folder:
        loaded = load_fleet(Path(folder), text)
    ids = [agent for first, last in chosen for agent in range(first, last + 1)]
    overlapping = len(ids) != len(set(ids))
    assert overlapping == (loaded.desired is None)
    assert {"duplicate-agent"} >= {found.code for found in loaded.diagnostics}
    assert len(loaded.diagnostics) < len(chosen)


def test_agents_of_a_profile_share_their_values_and_origins(tmp_path: Path) -> None:
    text = (
        "profiles: {p: {total: 5, channels: {sms: 1}}}\n"
        "agents: {1001: {profile: p}, 1002-1009: {profile: p}, 1010: {profile: p, total: 6}}\n"
    )
    desired = load_fleet(tmp_path, text).desired
    assert desired is not None
    agents = desired.agents
    assert agents[AgentId(1001)].concurrency is agents[AgentId(1002)].concurrency
    declared = desired.declared
    assert declared[AgentId(1001)].origins is declared[AgentId(1009)].origins
    assert declared[AgentId(1002)] is declared[AgentId(1009)]
    assert agents[AgentId(1002)] is agents[AgentId(1009)]
    assert agents[AgentId(1001)].concurrency is not agents[AgentId(1010)].concurrency


def test_equal_numbers_from_different_places_share_only_the_numbers(tmp_path: Path) -> None:
    text = "agents:\n  1001: {total: 5, channels: {sms: 1}}\n  1002: {total: 5, channels: {sms: 1}}\n"
    desired = load_fleet(tmp_path, text).desired
    assert desired is not None
    one, other = desired.agents.values()
    assert one.concurrency is other.concurrency
    here, there = desired.declared.values()
    assert here.origins != there.origins
    assert repr(dict(here.origins)) == repr(here.origins)
    assert len(here.origins) == 2


def test_what_was_not_checked_is_not_expanded() -> None:
    document = read_yaml("x.yaml", "agents: {1001: {team: a}}")
    declaration = collect(document, []).declarations[0]
    unsettled = Resolved(declaration, Settings(None, {}))
    resolution = Resolution(agents=(unsettled,), quiet=(), profiles=Profiles([], complete=True), problems=())
    with pytest.raises(ValueError, match="refused before they are expanded"):
        expand(resolution)


def test_a_chain_of_profiles_may_be_long(tmp_path: Path) -> None:
    chain = {f"p{number}": {"extends": f"p{number + 1}"} for number in range(5_000)}
    profiles = {**chain, "p5000": {"total": 5, "channels": {"sms": 1}}}
    text = json.dumps({"profiles": profiles, "agents": {"1001": {"profile": "p0"}}})
    assert load_fleet(tmp_path, text).desired is not None


def test_the_demo_environment_is_free_of_warnings() -> None:
    loaded = load(REPOSITORY / "desired" / "demo", strict=True)
    assert loaded.diagnostics == ()
    assert loaded.desired is not None
    assert len(loaded.desired.agents) == 59
    assert {"east", "night", "escalation"} == {agent.team for agent in loaded.desired.agents.values()}


def test_the_demo_names_its_schemas() -> None:
    for file in (REPOSITORY / "desired" / "demo").rglob("*.y*ml"):
        first = file.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema=")
        assert (REPOSITORY / "schemas" / Path(first.partition("=")[2]).name).is_file()
        depth = len(file.relative_to(REPOSITORY / "desired" / "demo").parts) - 1
        assert first.endswith(("fleet.schema.json", "site.schema.json"))
        assert first.count("../") in {2, 2 + depth}


@pytest.fixture(params=[True, False], ids=["collecting", "not-collecting"])
def collector(request: pytest.FixtureRequest) -> Iterator[bool]:
    before = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if before else gc.disable)()


def test_the_garbage_collector_is_left_as_it_was(tmp_path: Path, collector: bool) -> None:
    assert codes(load_fleet(tmp_path, AGENT)) == []
    assert collector == gc.isenabled()
