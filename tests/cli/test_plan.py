"""`plan` and `show`: offline, deterministic, with the exit codes of the table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from support.site import Site, run_in

from reconciler.schemas import schema_text


def record(site: Site, *, agents: dict[str, object] | None = None) -> None:
    """Write a state in which everybody of the fleet is recorded with the fleet's values."""
    site.run("plan", "demo", "--out", "now.json")
    plan = json.loads((site.work / "now.json").read_text())
    base = {
        "acknowledged_at": "2026-01-31T09:30:00Z",
        "callnums_key": "callNums",
        "protected": False,
        "session": None,
        "status": "acknowledged",
    }
    recorded = {change["agent"]: {**change["after"], **base, "team": change["team"]} for change in plan["changes"]}
    state = {
        "format_version": "1.0",
        "lineage": "11111111-2222-4333-8444-555555555555",
        "serial": 7,
        "site": "demo",
        "agents": recorded if agents is None else agents,
    }
    site.write("state.json", json.dumps(state))


def test_a_first_plan_sets_everybody(site: Site) -> None:
    ended = site.run("plan", "demo")

    assert (ended.code, ended.err) == (0, "")
    assert ended.last_line == "Plan: 5 set, 0 reassert, 0 forget, 0 reset, 0 unchanged; 5 calls."


def test_an_edit_of_a_profile_is_one_group_with_the_line_that_causes_it(site: Site) -> None:
    record(site)
    site.edit("fleet.yaml", "web_chat: 6", "web_chat: 7")

    ended = site.run("plan", "demo")

    assert "5 agents" in ended.out
    assert "web_chat 6 → 7" in ended.out
    assert "fleet.yaml:5" in ended.out


def test_nothing_to_do_is_said_so(site: Site) -> None:
    record(site)

    ended = site.run("plan", "demo", "--detailed-exitcode")

    assert ended.code == 0
    assert "No changes" in ended.out


def test_changes_exit_2_only_when_asked(site: Site) -> None:
    assert site.run("plan", "demo").code == 0
    assert site.run("plan", "demo", "--detailed-exitcode").code == 2


def test_a_change_of_team_alone_is_a_change_and_makes_no_call(site: Site) -> None:
    record(site)
    site.edit("fleet.yaml", "team: night", "team: day")

    ended = site.run("plan", "demo", "--detailed-exitcode", "--json")

    assert ended.code == 2
    assert (ended.document["summary"]["calls"], ended.document["changes"]) == (0, [])
    assert [(each["agent"], each["after"]["team"]) for each in ended.document["standing"]] == [
        ("1003", "day"),
        ("1004", "day"),
        ("1005", "day"),
    ]


def test_a_guardrail_exits_5_and_names_the_flag_that_lifts_it(site: Site) -> None:
    record(site)
    site.edit("site.yaml", "{max_changed_percent: null}", "{max_changed_agents: 2}")
    site.edit("fleet.yaml", "web_chat: 6", "web_chat: 7")

    refused = site.run("plan", "demo", "--detailed-exitcode")

    assert refused.code == 5
    assert "--allow-changes 5" in refused.out
    assert site.run("plan", "demo", "--allow-changes", "5").code == 0
    assert site.run("plan", "demo", "--allow-changes", "4").code == 5


def test_a_refused_plan_is_not_applyable_in_its_document(site: Site) -> None:
    record(site)
    site.edit("site.yaml", "{max_changed_percent: null}", "{max_changed_agents: 2}")
    site.edit("fleet.yaml", "web_chat: 6", "web_chat: 7")

    document = site.run("plan", "demo", "--json").document

    assert document["applyable"] is False
    assert [each["guardrail"] for each in document["guardrails"]] == ["max_changed_agents"]


@pytest.mark.parametrize("flags", [(), ("--team", "east"), ("--agent", "1001", "--exclude-agent", "1002")], ids=str)
def test_the_document_and_the_saved_plan_keep_to_the_published_schema(site: Site, flags: tuple[str, ...]) -> None:
    schema = json.loads(schema_text("plan"))
    document = site.run("plan", "demo", "--json", "--out", "plan.json", *flags).document

    jsonschema.validate(document, schema)
    jsonschema.validate(json.loads((site.work / "plan.json").read_text()), schema)


def test_the_saved_plan_is_the_same_bytes_wherever_and_whenever_it_is_made(site: Site, tmp_path: Path) -> None:
    saved = []
    for seed, name in (("1", "demo"), ("2", str(site.root.resolve()))):
        target = tmp_path / f"{seed}.json"
        command = [sys.executable, "-m", "reconciler", "plan", name, "--out", str(target)]
        environ = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run(command, cwd=site.work, check=True, capture_output=True, env=environ)
        saved.append(target.read_bytes())

    assert saved[0] == saved[1]
    assert str(tmp_path).encode() not in saved[0]


def test_a_selection_says_it_is_partial_and_reads_nobody_else_as_removed(site: Site) -> None:
    record(site)
    site.write("fleet.yaml", "agents:\n  1001: {total: 9, channels: {web_chat: 1}}\n")

    ended = site.run("plan", "demo", "--agent", "1001")

    assert "partial" in ended.out
    assert ended.last_line == "Plan: 1 set, 0 reassert, 0 forget, 0 reset, 0 unchanged; 1 call."


def test_a_channel_selects_the_agents_that_have_it(site: Site) -> None:
    assert site.run("plan", "demo", "--channel", "whatsapp").last_line.startswith("Plan: 1 set")


def test_reassert_all_sends_everybody_again(site: Site) -> None:
    record(site)

    assert site.run("plan", "demo", "--reassert", "all").last_line.startswith("Plan: 0 set, 5 reassert")


def test_reassert_older_than_counts_back_from_at(site: Site) -> None:
    record(site)

    def plan(at: str) -> str:
        return site.run("plan", "demo", "--reassert-older-than", "12h", "--at", at).last_line

    assert plan("2026-01-31T21:30:00Z").startswith("Plan: 0 set, 0 reassert")
    assert plan("2026-01-31T21:30:01Z").startswith("Plan: 0 set, 5 reassert")


def test_reassert_older_than_counts_back_from_now_unless_told(site: Site) -> None:
    record(site)

    assert site.run("plan", "demo", "--reassert-older-than", "12h").last_line.startswith("Plan: 0 set, 5 reassert")


def test_an_unreadable_state_exits_10(site: Site) -> None:
    site.write("state.json", "")

    ended = site.run("plan", "demo")

    assert ended.code == 10
    assert "demo/state.json" in ended.err


def test_the_state_of_another_site_exits_10(site: Site) -> None:
    record(site)
    site.edit("site.yaml", "name: demo", "name: other")

    assert site.run("plan", "demo").code == 10


def test_a_plan_file_that_cannot_be_written_exits_3(site: Site) -> None:
    ended = site.run("plan", "demo", "--out", "nowhere/plan.json")

    assert ended.code == 3
    assert "nowhere/plan.json" in ended.err


def test_show_prints_the_saved_plan_as_plan_printed_it_but_for_the_time_it_would_take(site: Site) -> None:
    record(site)
    site.edit("fleet.yaml", "1001: {profile: chat}", "1001: {profile: chat, total: 20}")
    planned = site.run("plan", "demo", "--out", "plan.json")

    shown = site.run("show", "plan.json")

    lines = planned.out.splitlines(keepends=True)
    time = next(number for number, line in enumerate(lines) if line.startswith("1 call, "))
    assert (shown.code, shown.out) == (0, "".join(lines[:time] + lines[time + 1 :]))


def test_show_gives_the_document_too(site: Site) -> None:
    planned = site.run("plan", "demo", "--out", "plan.json", "--json").document

    shown = site.run("show", "plan.json", "--json").document

    assert (shown["changes"], shown["summary"]) == (planned["changes"], planned["summary"])


def test_an_altered_plan_file_exits_6(site: Site) -> None:
    site.run("plan", "demo", "--out", "plan.json")
    text = (site.work / "plan.json").read_text()
    (site.work / "plan.json").write_text(text.replace('"51": 6', '"51": 60'))

    ended = site.run("show", "plan.json")

    assert ended.code == 6
    assert "altered" in ended.err


def test_what_is_no_plan_exits_3(site: Site) -> None:
    site.write("plan.json", "{}")

    assert site.run("show", "demo/plan.json").code == 3


def test_a_plan_file_whose_fingerprint_is_not_its_own_exits_6(site: Site) -> None:
    fingerprint = site.run("plan", "demo", "--out", "plan.json", "--json").document["fingerprint"]
    text = (site.work / "plan.json").read_text()
    (site.work / "plan.json").write_text(text.replace(fingerprint, f"sha256:{'0' * 64}"))

    assert site.run("show", "plan.json").code == 6


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--team", "east", "--agent", "1003"), "leaves nobody"),
        (("--exclude-agent", "9001"), "--exclude-agent"),
        (("--at", "2026-01-31T09:30:00Z"), "--reassert-older-than"),
        (("--at", "0001-01-01T00:00:00+14:00", "--reassert-older-than", "1h"), "2026-01-31T09:30:00Z"),
    ],
    ids=["nobody-left", "unknown-excluded", "at-alone", "before-time-began"],
)
def test_flags_that_can_only_be_a_mistake_exit_3(site: Site, flags: tuple[str, ...], words: str) -> None:
    ended = site.run("plan", "demo", *flags)

    assert ended.code == 3
    assert words in ended.err


def test_inside_an_environment_the_hint_is_to_name_it_as_a_dot(site: Site) -> None:
    ended = run_in(site.root, "plan")

    assert ended.code == 3
    assert "name it as ." in ended.err
