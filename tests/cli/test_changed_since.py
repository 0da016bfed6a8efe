"""`plan --changed-since`: whom an edit is about, compared with real commits."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support.checkout import Checkout
from support.site import Ended, Site, run_in


@pytest.fixture
def checkout(site: Site) -> Checkout:
    """The environment of the tests, committed."""
    made = Checkout(site.work)
    made.commit("Begin")
    return made


def looked_at(site: Site, *, since: str = "HEAD", code: int = 0) -> list[str]:
    """Plan, and return who was looked at."""
    ended = site.run("plan", "demo", "--json", "--changed-since", since)
    assert ended.code == code, ended.err
    return [change["agent"] for change in ended.document["changes"]]


def comparison(ended: Ended) -> dict[str, object]:
    found: dict[str, object] = ended.document["scope"]["changed_since"]
    return found


def test_only_agents_whose_desired_values_differ_are_looked_at(site: Site, checkout: Checkout) -> None:
    del checkout
    site.edit("fleet.yaml", "whatsapp: 2", "whatsapp: 3")

    ended = site.run("plan", "demo", "--changed-since", "HEAD")

    assert ended.code == 0
    assert "only 1 agent whose desired values differ from HEAD" in ended.out
    assert "no other agent was looked at" in ended.out
    assert looked_at(site) == ["1002"]


def test_an_edit_of_a_profile_concerns_all_who_have_it(site: Site, checkout: Checkout) -> None:
    del checkout
    site.edit("fleet.yaml", "web_chat: 6", "web_chat: 7")

    assert looked_at(site) == ["1001", "1002", "1003", "1004", "1005"]


def test_lines_that_moved_concern_nobody(site: Site, checkout: Checkout) -> None:
    del checkout
    site.edit("fleet.yaml", "agents:", "# a comment\n\nagents:")

    ended = site.run("plan", "demo", "--changed-since", "HEAD")

    assert ended.code == 0
    assert "nobody's desired values differ from HEAD" in ended.out
    assert looked_at(site) == []


def test_a_renamed_file_concerns_nobody(site: Site, checkout: Checkout) -> None:
    checkout.git("mv", "demo/fleet.yaml", "demo/floor.yaml")

    assert looked_at(site) == []


def test_a_removed_file_concerns_those_who_stood_in_it(site: Site, checkout: Checkout) -> None:
    site.write("late.yaml", "agents: {2001: {total: 3, channels: {email: 3}}}\n")
    checkout.commit("Add a file")
    record_everybody(site)
    (site.root / "late.yaml").unlink()

    assert looked_at(site) == ["2001"]


def record_everybody(site: Site) -> None:
    """Record the fleet as it is desired now."""
    plan = site.run("plan", "demo", "--json").document
    common = {
        "acknowledged_at": "2026-01-31T09:30:00Z",
        "callnums_key": "callNums",
        "protected": False,
        "session": None,
        "status": "acknowledged",
    }
    agents = {each["agent"]: {**each["after"], **common, "team": each["team"]} for each in plan["changes"]}
    lineage = "11111111-2222-4333-8444-555555555555"
    head = {"format_version": "1.0", "lineage": lineage, "serial": 1, "site": "demo"}
    site.write("state.json", json.dumps({**head, "agents": agents}))


def test_what_others_have_landed_since_the_branch_was_made_does_not_count(site: Site, checkout: Checkout) -> None:
    checkout.git("checkout", "--quiet", "-b", "mine")
    site.edit("fleet.yaml", "whatsapp: 2", "whatsapp: 3")
    checkout.commit("Mine")
    checkout.git("checkout", "--quiet", "main")
    site.edit("fleet.yaml", "web_chat: 6", "web_chat: 7")
    checkout.commit("Theirs")
    checkout.git("checkout", "--quiet", "mine")

    assert looked_at(site, since="main") == ["1002"]


def test_an_environment_that_was_not_there_counts_as_changed_altogether(site: Site, checkout: Checkout) -> None:
    shutil.copytree(site.root, site.work / "second")

    ended = run_in(site.work, "plan", "second", "--json", "--changed-since", "HEAD")

    assert (ended.code, comparison(ended)["everybody"]) == (0, "the environment was not there")
    assert len(ended.document["changes"]) == 5
    assert not ended.document["scope"]["partial"]
    assert checkout.git("rev-parse", "HEAD") == comparison(ended)["commit"]


def test_where_the_earlier_files_were_invalid_everybody_is_looked_at_with_a_warning(
    site: Site, checkout: Checkout
) -> None:
    site.edit("fleet.yaml", "web_chat: 6", "web_chat: many")
    checkout.commit("Break it")
    site.edit("fleet.yaml", "web_chat: many", "web_chat: 6")

    ended = site.run("plan", "demo", "--changed-since", "HEAD")

    assert ended.code == 0
    assert "warning[changed-since-unknown]" in ended.err
    assert "fleet.yaml:5" in ended.err
    assert ended.last_line.startswith("Plan: 5 set")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("url: https://127.0.0.1:1", "url: https://127.0.0.1:2", id="url"),
        pytest.param("name: demo", "on_channel_removal: omit\nname: demo", id="removal-of-channels"),
        pytest.param("  ca_file: ca.pem", "  ca_file: ca.pem\n  callnums_key: callnums", id="key-spelling"),
    ],
)
def test_a_setting_that_shapes_every_call_concerns_everybody(
    site: Site, checkout: Checkout, old: str, new: str
) -> None:
    del checkout
    site.edit("site.yaml", old, new)

    ended = site.run("plan", "demo", "--changed-since", "HEAD")

    assert "everybody counts as changed since HEAD" in ended.out
    assert len(looked_at(site)) == 5


def test_pace_and_guardrails_concern_nobody(site: Site, checkout: Checkout) -> None:
    del checkout
    site.edit("site.yaml", "requests_per_second: 1000", "requests_per_second: 10")

    assert looked_at(site) == []


def test_it_narrows_what_other_flags_select(site: Site, checkout: Checkout) -> None:
    del checkout
    site.edit("fleet.yaml", "web_chat: 6", "web_chat: 7")

    ended = site.run("plan", "demo", "--json", "--changed-since", "HEAD", "--team", "night")

    assert [change["agent"] for change in ended.document["changes"]] == ["1003", "1004", "1005"]


def test_an_environment_may_be_the_top_of_the_checkout(tmp_path: Path) -> None:
    site = Site(tmp_path)
    Checkout(site.root).commit("Begin")
    site.edit("fleet.yaml", "whatsapp: 2", "whatsapp: 3")

    ended = run_in(site.root, "plan", ".", "--json", "--changed-since", "HEAD")

    assert [change["agent"] for change in ended.document["changes"]] == ["1002"]


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "HEAD~5", "", "main..mine", "a\nb", "HEAD:demo"])
def test_a_revision_that_is_none_is_a_mistake_of_the_command_line(
    site: Site, checkout: Checkout, revision: str
) -> None:
    del checkout

    ended = site.run("plan", "demo", f"--changed-since={revision}")

    assert (ended.code, ended.out) == (3, "")
    assert "there is no revision" in ended.err
    assert "git fetch" in ended.err
    assert list(site.work.glob("x*")) == []


def test_outside_a_checkout_it_says_so(site: Site) -> None:
    ended = site.run("plan", "demo", "--changed-since", "HEAD")

    assert ended.code == 3
    assert "in no Git checkout" in ended.err


def test_histories_without_a_common_commit_cannot_be_compared(site: Site, checkout: Checkout) -> None:
    checkout.git("checkout", "--quiet", "--orphan", "other")
    checkout.commit("Begin again")

    ended = site.run("plan", "demo", "--changed-since", "main")

    assert ended.code == 3
    assert "no commit in common with HEAD" in ended.err


def test_a_shallow_clone_is_told_how_to_fetch_the_rest(site: Site, checkout: Checkout, tmp_path: Path) -> None:
    site.edit("fleet.yaml", "whatsapp: 2", "whatsapp: 3")
    checkout.commit("Go on")
    shallow = tmp_path / "shallow"
    checkout.git("clone", "--quiet", "--depth", "1", checkout.top.as_uri(), str(shallow))

    ended = run_in(shallow, "plan", "demo", "--changed-since", "HEAD~1")

    assert ended.code == 3
    assert "fetch-depth: 0" in ended.err
    assert "git fetch --unshallow" in ended.err
