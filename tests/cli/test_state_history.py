"""`state history`: which run did what to whom, and with what answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.rehearsal import RehearsalServer
from support.site import Ended, Site, live_site

FLEET = """\
agents:
  1001-1002: {total: 12, channels: {web_chat: 6}}
  1099: {total: 9, channels: {email: 1}}
"""


@pytest.fixture
def server() -> Iterator[RehearsalServer]:
    with RehearsalServer(agents=range(1001, 1021)) as running:
        yield running


@pytest.fixture
def live(tmp_path: Path, server: RehearsalServer) -> Iterator[Site]:
    with live_site(tmp_path, server) as ready:
        yield ready


@pytest.fixture
def past(site: Site) -> Site:
    """An environment in whose state three changes were made by hand."""
    for flags in ("adopt --agent 1001-1003", "rm --agent 1002", "rm --agent 1003"):
        assert site.run("state", *flags.split(), "demo", "--yes").code == 0
    return site


def told(ended: Ended) -> list[tuple[str, list[tuple[str, str]]]]:
    """The operations and the events of each, as listed."""
    return [
        (run["operation"], [(event["agent"], event["event"]) for event in run["events"]])
        for run in ended.document["runs"]
    ]


def test_an_apply_is_told_with_the_gateways_words(live: Site) -> None:
    live.write("fleet.yaml", FLEET)
    assert live.run("apply", "demo", "--yes").code == 9
    ended = live.run("state", "history", "demo", "--json")
    (run,) = ended.document["runs"]
    assert ended.code == 0
    assert (run["operation"], run["ending"], run["serial"]) == ("apply", "ended", 0)
    assert run["who"]
    by_agent = {event["agent"]: event for event in run["events"]}
    assert (by_agent["1001"]["event"], by_agent["1001"]["retcode"]) == ("applied", "0")
    assert (by_agent["1001"]["total"], by_agent["1001"]["channels"]) == (12, {"51": 6})
    assert by_agent["1099"]["event"] == "deferred"
    summary = ended.document["summary"]
    assert (summary["listed"], summary["kept"], summary["applied"], summary["deferred"]) == (1, 1, 2, 1)


def test_what_the_gateway_refused_is_told_with_its_retcode(live: Site, server: RehearsalServer) -> None:
    live.write("fleet.yaml", "agents:\n  1001: {total: 12, channels: {web_chat: 6}}\n")
    server.add_faults("1001=retcode:106-011")
    assert live.run("apply", "demo", "--yes").code == 8
    (run,) = live.run("state", "history", "demo", "1001", "--json").document["runs"]
    assert [(event["event"], event["retcode"]) for event in run["events"]] == [("failed", "106-011")]
    assert run["events"][0]["at"]


def test_no_history_holds_a_guid(live: Site, server: RehearsalServer) -> None:
    guids = server.call(lambda gateway: [session.guid for session in gateway.sessions()])
    assert live.run("apply", "demo", "--yes").code == 0
    kept = b"".join(path.read_bytes() for path in (live.root / "state.json.history").iterdir())
    assert kept
    assert guids
    assert not any(guid.encode() in kept for guid in guids)


def test_the_newest_run_comes_first_and_its_kind_is_said(past: Site) -> None:
    assert told(past.run("state", "history", "demo", "--json")) == [
        ("state rm", [("1003", "forgotten")]),
        ("state rm", [("1002", "forgotten")]),
        ("state adopt", [("1001", "recorded"), ("1002", "recorded"), ("1003", "recorded")]),
    ]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("demo", "1002"), id="environment-and-agent"),
        pytest.param(("demo", "--agent", "1002"), id="flag"),
        pytest.param(("demo", "1002", "--agent", "1002"), id="both"),
        pytest.param(("demo", "--agent", "1001-1003", "--exclude-agent", "1001,1003"), id="by-exclusion"),
    ],
)
def test_one_agents_past_is_told_alone(past: Site, words: tuple[str, ...]) -> None:
    assert told(past.run("state", "history", *words, "--json")) == [
        ("state rm", [("1002", "forgotten")]),
        ("state adopt", [("1002", "recorded")]),
    ]


def test_an_agent_alone_means_the_usual_environment(past: Site) -> None:
    (past.work / "demo").rename(past.work / "desired")
    ended = past.run("state", "history", "1002", "--json")
    assert len(ended.document["runs"]) == 2
    assert ended.document["environment"] == "desired"


def test_a_list_of_agents_longer_than_any_name_can_be_is_a_list_of_agents(past: Site) -> None:
    (past.work / "demo").rename(past.work / "desired")
    ended = past.run("state", "history", ",".join(["1002"] * 100), "--json")
    assert len(ended.document["runs"]) == 2


def test_somebody_who_is_neither_desired_nor_recorded_any_more_has_a_past(past: Site) -> None:
    past.write("fleet.yaml", "agents:\n  1001: {total: 12, channels: {web_chat: 6}}\n")
    assert len(told(past.run("state", "history", "demo", "1002", "--json"))) == 2
    assert len(told(past.run("state", "history", "demo", "--team", "night", "--json"))) == 2


def test_a_team_means_who_is_in_it_or_was_when_last_recorded(past: Site) -> None:
    assert told(past.run("state", "history", "demo", "--team", "night", "--json")) == [
        ("state rm", [("1003", "forgotten")]),
        ("state adopt", [("1003", "recorded")]),
    ]


def test_only_the_last_runs_are_told_if_so_wanted(past: Site) -> None:
    ended = past.run("state", "history", "demo", "--last", "1")
    assert ended.last_line == "State: site demo, 1 of 3 runs listed, 1 event."
    assert "1003    forgotten" in ended.out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(("demo", "7777"), 3, id="nobody-knows-them"),
        pytest.param(("demo", "x1"), 3, id="no-agent"),
        pytest.param(("demo", "1001", "1002"), 3, id="too-many"),
        pytest.param(("demo", "--last", "0"), 3, id="none-wanted"),
        pytest.param(("nowhere",), 3, id="no-environment"),
    ],
)
def test_words_that_name_nothing_are_refused(past: Site, words: tuple[str, ...], code: int) -> None:
    assert past.run("state", "history", *words).code == code


def test_nothing_kept_yet_is_said_so(site: Site) -> None:
    assert site.run("state", "history", "demo").out == "State: site demo, 0 of 0 runs listed, 0 events.\n"


def test_a_damaged_file_is_left_out_with_its_place_and_a_warning(past: Site) -> None:
    kept = sorted((past.root / "state.json.history").iterdir())[1]
    kept.write_bytes(b"x" + kept.read_bytes()[1:])
    ended = past.run("state", "history", "demo", "--json")
    assert ended.code == 0
    assert len(ended.document["runs"]) == 2
    assert ended.document["summary"]["unreadable"] == 1
    (warning,) = ended.document["diagnostics"]
    assert (warning["severity"], warning["code"]) == ("warning", "history-unreadable")
    assert f"demo/state.json.history/{kept.name}:0: the journal is damaged" in warning["summary"]
    assert "may be removed" in past.run("state", "history", "demo").err


def test_the_past_is_told_when_the_state_itself_is_damaged(past: Site) -> None:
    (past.root / "state.json").write_text("{")
    ended = past.run("state", "history", "demo", "1002", "--json")
    assert ended.code == 0
    assert len(ended.document["runs"]) == 2
    assert ended.document["diagnostics"][0]["code"] == "history-unreadable"


def test_a_history_that_cannot_be_kept_is_a_warning_of_apply_and_no_failure(live: Site) -> None:
    (live.root / "state.json.history").write_text("in the way")
    ended = live.run("apply", "demo", "--yes", "--json")
    assert ended.code == 0
    assert "history-not-kept" in [each["code"] for each in ended.document["diagnostics"]]
