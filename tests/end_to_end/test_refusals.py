"""Everything apply refuses is refused before the first call."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator

import pytest
from support.rehearsal import RehearsalServer
from support.site import Ended, Site

from reconciler import __version__


@pytest.fixture(autouse=True)
def _no_call_was_made(server: RehearsalServer) -> Iterator[None]:
    yield
    assert server.call(lambda gateway: gateway.requests_document())["total"] == 0


def reviewed(site: Site) -> None:
    site.run("plan", "demo", "--out", "plan.json")


def apply(site: Site, *flags: str) -> Ended:
    return site.run("apply", "demo", "--plan", "plan.json", *flags)


def test_a_plan_that_has_grown_is_refused_with_the_difference(site: Site) -> None:
    reviewed(site)
    site.write("more.yaml", "agents: {1010: {total: 3, channels: {email: 3}}}\n")

    ended = apply(site)

    assert (ended.code, ended.out) == (6, "")
    assert "+ agent 1010" in ended.err


def test_growth_is_refused_even_where_shrinking_is_allowed(site: Site) -> None:
    reviewed(site)
    site.write("more.yaml", "agents: {1010: {total: 3, channels: {email: 3}}}\n")

    assert apply(site, "--allow-shrink").code == 6


def test_a_changed_value_is_refused_with_both_values(site: Site) -> None:
    reviewed(site)
    site.edit("fleet.yaml", "web_chat: 6", "web_chat: 7")

    ended = apply(site, "--allow-shrink")

    assert ended.code == 6
    assert "web_chat 6" in ended.err
    assert "web_chat 7" in ended.err


def test_a_plan_that_has_shrunk_is_refused_and_the_flag_named(site: Site) -> None:
    reviewed(site)
    site.edit("fleet.yaml", "  1001: {profile: chat}\n", "")

    ended = apply(site)

    assert ended.code == 6
    assert "--allow-shrink" in ended.err


def test_another_gateway_is_refused(site: Site) -> None:
    reviewed(site)
    site.edit("site.yaml", "https://127.0.0.1:", "https://localhost:")

    ended = apply(site)

    assert ended.code == 6
    assert "localhost" in ended.err


def test_another_site_is_refused_and_both_are_named(site: Site) -> None:
    reviewed(site)
    site.edit("site.yaml", "name: demo", "name: other")

    ended = apply(site, "--allow-shrink")

    assert ended.code == 6
    assert "the reviewed plan is of site demo, and this is site other" in ended.err
    assert "- site: demo\n+ site: other\n" in ended.err


def test_values_recorded_meanwhile_are_refused_with_both_plans(site: Site) -> None:
    reviewed(site)
    site.write("state.json", STATE)

    ended = apply(site, "--allow-shrink")

    assert ended.code == 6
    assert "- agent 1001  set (new): total 12, web_chat 6, sms 4\n" in ended.err
    assert "+ agent 1001  set (changed): total 1 → 12, web_chat 1 → 6, sms 4 (added)\n" in ended.err


def test_an_agent_applied_meanwhile_is_refused_and_the_flag_that_accepts_it_named(site: Site) -> None:
    reviewed(site)
    site.write("state.json", STATE.replace('{"51": 1}', '{"51": 6, "52": 4}').replace('"total": 1}', '"total": 12}'))

    ended = apply(site)

    assert ended.code == 6
    assert "- agent 1001  set (new)" in ended.err
    assert "--allow-shrink" in ended.err


def edit_plan(site: Site, old: str, new: str) -> None:
    plan = site.work / "plan.json"
    text = plan.read_text()
    assert old in text
    plan.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param('"after": {"total": 12', '"after": {"total": 13', "they do not tell the difference", id="values"),
        pytest.param('"action": "set"', '"action": "reset"', "action", id="action"),
        pytest.param('"agent": "1005"', '"agent": "1006"', "do not fit its fingerprint", id="agent"),
        pytest.param("https://127.0.0.1:", "https://127.0.0.2:", "do not fit its fingerprint", id="gateway"),
        pytest.param('"callnums_key": "callNums"', '"callnums_key": "callnums"', "do not fit", id="key-spelling"),
        pytest.param('"fingerprint": "sha256:', '"fingerprint": "sha256:0000', "fingerprint", id="fingerprint"),
        pytest.param(
            '"after": 36, "change": 36', '"after": 37, "change": 37', "the sums of the changes", id="capacity"
        ),
        pytest.param('"set": 5', '"set": 4', "summary.set", id="count"),
        pytest.param('"applyable": true', '"applyable": false', "applyable", id="whether-it-can-be-applied"),
    ],
)
def test_an_edited_plan_file_is_refused(site: Site, old: str, new: str, told: str) -> None:
    reviewed(site)
    edit_plan(site, old, new)

    ended = apply(site, "--allow-shrink")

    assert ended.code in (3, 6)
    assert told in ended.err


def test_an_agent_renamed_in_a_plan_file_is_refused_with_the_difference(site: Site) -> None:
    reviewed(site)
    edit_plan(site, '"agent": "1005"', '"agent": "1006"')

    ended = apply(site)

    assert ended.code == 6
    assert "altered after it was made" in ended.err
    assert "- agent 1006" in ended.err
    assert "+ agent 1005" in ended.err


def test_a_plan_of_another_version_of_the_tool_is_refused_with_what_would_be_done_now(site: Site) -> None:
    reviewed(site)
    edit_plan(site, f'"tool_version": "{__version__}"', '"tool_version": "0.0.9"')

    ended = apply(site)

    assert ended.code == 6
    assert f"made by reconciler 0.0.9, and this is {__version__}; nothing was sent" in ended.err
    assert "the plan made now would do the same" in ended.err


def test_a_plan_of_another_format_is_refused(site: Site) -> None:
    reviewed(site)
    edit_plan(site, '"format_version": "1.0"', '"format_version": "2.0"')

    ended = apply(site)

    assert ended.code == 3
    assert "written by a newer reconciler" in ended.err


def test_every_stale_plan_is_one_document_with_the_difference_in_it(site: Site) -> None:
    reviewed(site)
    site.edit("fleet.yaml", "web_chat: 6", "web_chat: 7")

    ended = apply(site, "--json")

    assert (ended.code, ended.document["exit_reason"]) == (6, "stale-plan")
    assert "reviewed (-) and planned now (+):" in ended.document["notes"]


def test_a_guardrail_refuses_at_apply_too(site: Site) -> None:
    site.edit("site.yaml", "max_changed_percent: null", "max_changed_percent: null, protected: {teams: [east]}")
    site.write("state.json", STATE)

    ended = site.run("apply", "demo", "--yes", "--agent", "1001")

    assert ended.code == 5
    assert "--allow-changes 1" in ended.err


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        pytest.param("max_delta: {web_chat: 4}", "max_delta: web_chat of 1 agent by +5", id="an-agent-moved-too-far"),
        pytest.param(
            "capacity_floor: {teams: {west: {web_chat: -0%}}}",
            "capacity_floor: web_chat of team west from 1 to 0 sessions (−100.0 %), the limit is at most 0 % less",
            id="a-team-lowered-too-much",
        ),
    ],
)
def test_the_guardrails_over_sessions_refuse_at_apply_too(site: Site, limits: str, told: str) -> None:
    site.edit("site.yaml", "max_changed_percent: null", f"max_changed_percent: null, {limits}")
    site.write("state.json", STATE.replace('"team": "east"', '"team": "west"'))

    ended = site.run("apply", "demo", "--yes", "--agent", "1001")

    assert ended.code == 5
    assert told in ended.err
    assert "--allow-changes 1" in ended.err


STATE = (
    '{"format_version": "1.0", "lineage": "11111111-2222-4333-8444-555555555555", "serial": 7, "site": "demo", '
    '"agents": {"1001": {"acknowledged_at": "2026-01-31T09:30:00Z", "callnums_key": "callNums", '
    '"channels": {"51": 1}, "protected": false, "session": null, "status": "acknowledged", "team": "east", '
    '"total": 1}}}'
)


def test_without_a_terminal_it_asks_for_a_plan_or_for_yes(site: Site) -> None:
    ended = site.run("apply", "demo")

    assert ended.code == 3
    assert "--yes" in ended.err


def test_with_a_terminal_only_yes_will_do(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.prompt", lambda *_, **__: "y")

    ended = site.run("apply", "demo")

    assert ended.code == 130
    assert "not approved" in ended.err


def test_a_held_lock_exits_7_and_names_the_holder(site: Site) -> None:
    lock = site.root / "state.json.lock"
    lock.write_text('{"id": "abc", "who": "somebody@elsewhere", "operation": "apply", "since": "2026-01-31T09:30:00Z"}')
    with lock.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        ended = site.run("apply", "demo", "--yes")

    assert ended.code == 7
    assert "somebody@elsewhere" in ended.err


def test_a_missing_ca_file_exits_3_and_names_it(site: Site) -> None:
    site.edit("site.yaml", "ca_file: ca.pem", "ca_file: nowhere.pem")

    ended = site.run("apply", "demo", "--yes")

    assert ended.code == 3
    assert "nowhere.pem" in ended.err


@pytest.mark.parametrize(
    ("text", "told"),
    [(None, "sessions.json"), ("{", "sessions.json"), ('[{"agentId": "1001"}]', "guid")],
    ids=["missing", "broken", "without-guid"],
)
def test_a_session_source_that_fails_as_a_whole_exits_4_and_skips_everybody(
    site: Site, text: str | None, told: str
) -> None:
    if text is None:
        (site.root / "sessions.json").unlink()
    else:
        site.write("sessions.json", text)

    ended = site.run("apply", "demo", "--yes", "--json")

    assert (ended.code, ended.document["summary"]["skipped"]) == (4, 5)
    assert told in ended.err
