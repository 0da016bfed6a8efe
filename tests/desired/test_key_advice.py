"""What a message says besides of a key that is unknown, or of a name."""

from __future__ import annotations

from pathlib import Path

import pytest
from desired.environments import AGENT, SITE, load_fleet, write

from reconciler.desired import load


@pytest.mark.parametrize(
    ("fleet", "detail"),
    [
        pytest.param(
            "agents: {1001: {total:5, channels: {email: 1}}}\n",
            "a ':' ends a key only where a blank follows it: total: 5",
            id="no-blank-after-a-key",
        ),
        pytest.param(
            "agents: {1001: {total: 5, channels: {email:1}}}\n",
            "a ':' ends a key only where a blank follows it: email: 1",
            id="no-blank-after-a-channel",
        ),
        pytest.param(
            "team: a\n1001-1010: {total: 5}\n", "agents stand under 'agents': indent this line", id="agent-not-indented"
        ),
        pytest.param("teem: a\n", "keys here are profiles, team and agents", id="anything-else"),
        pytest.param(
            "agents: {1001: {profile: chat}}\n",
            "no profile is declared: write it under 'profiles' in any fleet file",
            id="no-profile-at-all",
        ),
        pytest.param(
            "profiles: {chat: {total: 5}, mail: {total: 5}}\nagents: {1001: {profile: zzz}}\n",
            "profiles are chat and mail",
            id="no-profile-like-it",
        ),
    ],
)
def test_an_unknown_name_in_a_fleet_file_comes_with_what_to_do(tmp_path: Path, fleet: str, detail: str) -> None:
    first, *_ = [found for found in load_fleet(tmp_path, fleet).diagnostics if found.code.startswith("unknown-")]
    assert first.detail == detail


@pytest.mark.parametrize(
    ("lines", "detail"),
    [
        ("run_deadline: 30m", "it belongs under 'gateway'"),
        ("timeout: 30s", "it belongs under 'gateway', 'sessions' or 'state'"),
        ("max_to_zero: 5", "it belongs under 'guardrails'"),
        ("guardrails: {max_changed_percent: 30%}", "write the number alone, without a percent sign"),
        ("agents: {}", "agents, profiles and team belong in a fleet file, not in site.yaml"),
    ],
)
def test_a_setting_in_the_wrong_place_is_told_where_it_belongs(tmp_path: Path, lines: str, detail: str) -> None:
    loaded = load(write(tmp_path, {"site.yaml": f"{SITE}{lines}\n", "fleet.yaml": AGENT}))
    (found,) = loaded.diagnostics
    assert found.detail == detail


def test_of_many_profiles_the_first_are_named(tmp_path: Path) -> None:
    profiles = "".join(f"  p{number:02}: {{total: 5}}\n" for number in range(40))
    loaded = load_fleet(tmp_path, f"profiles:\n{profiles}agents: {{1001: {{profile: senior}}}}\n")
    (found,) = [each for each in loaded.diagnostics if each.code == "unknown-profile"]
    assert found.detail.startswith("profiles are p00, p01,")
    assert found.detail.endswith(" p11 and 28 more")
