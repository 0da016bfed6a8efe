"""`state list --pending`, and where else the state shows who waits."""

from __future__ import annotations

import json

import pytest
from support.site import Site

RECORD = {
    "acknowledged_at": "2026-01-31T09:30:00Z",
    "callnums_key": "callNums",
    "channels": {"51": 6},
    "protected": False,
    "session": "login-1",
    "status": "acknowledged",
    "team": "east",
    "total": 12,
}
OF_106_011 = "the media call interface refused (the reference gives no text for it)"
NINE, NOON = "2026-01-31T09:00:00Z", "2026-01-31T12:00:00Z"


def waiting(since: str, *, attempts: int = 1, retcode: str | None = "100-006") -> dict[str, object]:
    return {"attempts": attempts, "first_deferred_at": since, "last_deferred_at": NOON, "retcode": retcode}


PENDING = {
    "1001": waiting(NOON, retcode=None),
    "1003": waiting(NINE, attempts=3),
    "1005": waiting(NOON, retcode="106-011"),
}


@pytest.fixture(autouse=True)
def _recorded(site: Site) -> None:
    """1001 is recorded and waits, and so do 1003 and 1005, of whom nothing is recorded."""
    state = {"format_version": "1.0", "lineage": "11111111-2222-4333-8444-555555555555", "serial": 7, "site": "demo"}
    site.write("state.json", json.dumps({**state, "agents": {"1001": RECORD}, "pending": PENDING}))


def test_those_who_wait_are_listed_with_team_time_runs_and_the_retcode_in_words(site: Site) -> None:
    ended = site.run("state", "list", "demo", "--pending")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        f"1003    night  waiting since {NINE}  3 runs  100-006  the agent is not signed in",
        f"1001    east   waiting since {NOON}  1 run   -        no session of this agent was known",
        f"1005    night  waiting since {NOON}  1 run   106-011  {OF_106_011}",
        f"State: site demo, serial 7, 3 of 3 waiting agents listed, the longest since {NINE}.",
    ]


@pytest.mark.parametrize(
    ("span", "at", "listed"),
    [
        pytest.param("8h", "2026-01-31T17:00:00Z", [], id="exactly-eight-hours"),
        pytest.param("8h", "2026-01-31T17:00:01Z", ["1003"], id="a-second-more"),
        pytest.param("8h", "2026-01-31T20:00:01Z", ["1003", "1001", "1005"], id="everybody"),
        pytest.param("8h", "2026-01-31T19:00:01+02:00", ["1003"], id="in-another-zone"),
        pytest.param("8h", "0001-01-01T00:00:00Z", [], id="before-anybody-waited"),
        pytest.param("8h", "9999-12-31T23:59:59Z", ["1003", "1001", "1005"], id="at-the-end-of-time"),
    ],
)
def test_older_than_lists_who_has_waited_longer_than_that(site: Site, span: str, at: str, listed: list[str]) -> None:
    ended = site.run("state", "list", "demo", "--pending", "--older-than", span, "--at", at)

    assert ended.code == 0
    assert [line.split()[0] for line in ended.out.splitlines()[:-1]] == listed
    assert f"{len(listed)} of 3 waiting agents listed" in ended.last_line


def test_older_than_counts_back_from_now_unless_told(site: Site) -> None:
    document = site.run("state", "list", "demo", "--pending", "--older-than", "8h", "--json").document

    assert [each["agent"] for each in document["pending"]] == ["1003", "1001", "1005"]


def test_the_document_lists_them_in_the_same_order_with_every_field(site: Site) -> None:
    document = site.run("state", "list", "demo", "--pending", "--json").document

    assert document["pending"][0] == {
        "agent": "1003",
        "team": "night",
        **waiting(NINE, attempts=3),
        "meaning": "the agent is not signed in",
    }
    assert [each["agent"] for each in document["pending"]] == ["1003", "1001", "1005"]
    assert "agents" not in document
    assert document["summary"] == {
        "lineage": "11111111-2222-4333-8444-555555555555",
        "serial": 7,
        "listed": 3,
        "waiting": 3,
        "since": NINE,
    }


@pytest.mark.parametrize(
    ("flags", "listed"),
    [
        (("--team", "night"), ["1003", "1005"]),
        (("--agent", "1001"), ["1001"]),
        (("--exclude-agent", "1003-1005"), ["1001"]),
    ],
    ids=["a-team-nobody-of-which-is-recorded", "one-agent", "without-some"],
)
def test_the_list_can_be_narrowed(site: Site, flags: tuple[str, ...], listed: list[str]) -> None:
    document = site.run("state", "list", "demo", "--pending", "--json", *flags).document

    assert [each["agent"] for each in document["pending"]] == listed
    assert (document["summary"]["listed"], document["summary"]["waiting"]) == (len(listed), 3)


def test_an_agent_who_is_in_no_file_any_more_is_listed_without_a_team(site: Site) -> None:
    site.edit("fleet.yaml", "  1003-1005: {profile: chat, team: night}\n", "")

    assert site.run("state", "list", "demo", "--pending").out.startswith(f"1003    -     waiting since {NINE}")


def test_nobody_waiting_is_said_so_and_is_no_error(site: Site) -> None:
    (site.root / "state.json").unlink()

    ended = site.run("state", "list", "demo", "--pending")

    assert (ended.code, ended.out) == (0, "State: site demo, nobody is waiting.\n")


def test_a_plain_list_marks_who_waits_and_counts_all_of_them(site: Site) -> None:
    ended = site.run("state", "list", "demo")

    assert ended.out.splitlines()[0].endswith("  waiting")
    assert ended.last_line == "State: site demo, serial 7, 1 agent listed, 0 in doubt, 3 waiting."


def test_show_tells_the_wait_beside_the_record_and_of_those_without_one(site: Site) -> None:
    out = site.run("state", "show", "demo", "--agent", "1001,1003").out

    assert f"  waiting       since {NOON}, deferred by 1 run, no session known\n" in out
    assert (
        "agent 1003\n  recorded      nothing yet\n"
        f"  waiting       since {NINE}, deferred by 3 runs, last with 100-006\n" in out
    )
    assert out.endswith("State: site demo, serial 7, 1 agent listed, 0 in doubt, 2 waiting.\n")


def test_the_documents_of_list_and_show_hold_who_waits(site: Site) -> None:
    for command in ("list", "show"):
        document = site.run("state", command, "demo", "--json").document
        assert [each["agent"] for each in document["pending"]] == ["1003", "1001", "1005"]
        assert document["summary"]["waiting"] == 3


def test_the_plan_says_how_many_of_its_changes_wait_and_since_when(site: Site) -> None:
    ended = site.run("plan", "demo", "--agent", "1001,1002,1003", "--out", "plan.json")

    assert f"2 of these changes have been waiting for their agents, the longest since {NINE}: 1001, 1003" in ended.out
    assert json.loads((site.work / "plan.json").read_text())["waits"] == {"since": NINE, "agents": ["1001", "1003"]}
    assert ", the longest since " in site.run("show", "plan.json").out


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--older-than", "8h"), "--pending"),
        (("--pending", "--at", NOON), "--older-than"),
        (("--pending", "--older-than", "soon"), "span of time"),
        (("--pending", "--older-than", "8h", "--at", "noon"), "2026-01-31T09:30:00Z"),
    ],
    ids=["age-of-what", "at-alone", "no-span", "no-time"],
)
def test_flags_that_can_only_be_a_mistake_exit_3(site: Site, flags: tuple[str, ...], words: str) -> None:
    ended = site.run("state", "list", "demo", *flags)

    assert ended.code == 3
    assert words in ended.err


def test_a_state_whose_waits_are_damaged_exits_10_and_names_the_agent(site: Site) -> None:
    site.edit("state.json", '"attempts": 3', '"attempts": 0')

    ended = site.run("state", "list", "demo", "--pending")

    assert ended.code == 10
    assert "agent 1003: attempts is 0" in ended.err
