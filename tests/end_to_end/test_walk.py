"""From YAML over a reviewed plan to the gateway and back to "no changes", counting every request on the way."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from support.rehearsal import RehearsalServer
from support.site import Site, publish_sessions

from reconciler.schemas import schema_text

PROFILE = "profiles:\n  chat: {total: 12, channels: {web_chat: 6, sms: 4}}\n"

STEPS = [
    pytest.param(PROFILE + "agents: {1001-1003: {profile: chat}}\n", 3, id="three-new-agents"),
    pytest.param(
        "agents:\n"
        + "".join(f"  {agent}: {{total: 12, channels: {{sms: 4, web_chat: 6}}}}\n" for agent in (1003, 1001, 1002)),
        0,
        id="the-same-without-a-profile",
    ),
    pytest.param(
        PROFILE + "agents: {1001-1002: {profile: chat}, 1003: {profile: chat, total: 20}}\n", 1, id="one-total"
    ),
    pytest.param(
        PROFILE + "agents: {1001-1002: {profile: chat, channels: {sms: null}}, 1003: {profile: chat, total: 20}}\n",
        2,
        id="a-channel-dropped-for-two",
    ),
    pytest.param(
        PROFILE + "agents: {1001-1002: {profile: chat, channels: {sms: null}}}\n", 0, id="one-agent-forgotten"
    ),
    pytest.param(PROFILE + "agents: {1001-1020: {profile: chat}}\n", 20, id="everybody-back"),
]


def calls(server: RehearsalServer) -> int:
    """Count the calls the gateway has had."""
    count = server.call(lambda gateway: gateway.requests_document())["total"]
    assert isinstance(count, int)
    return count


def live(server: RehearsalServer) -> dict[str, Any]:
    """Read the gateway's values back."""
    return server.call(lambda gateway: dict(gateway.agents_document()))


def expected_live(site: Site) -> dict[str, Any]:
    """Return what the state claims the gateway has."""
    return {
        agent: {"total": record["total"], "channels": record["channels"]}
        for agent, record in site.state["agents"].items()
    }


def test_walking_between_desired_states_sends_only_what_changed_and_then_nothing(
    site: Site, server: RehearsalServer
) -> None:
    for step in STEPS:
        fleet, expected = step.values
        site.write("fleet.yaml", str(fleet))
        before = calls(server)

        planned = site.run("plan", "demo", "--out", "plan.json")
        applied = site.run("apply", "demo", "--plan", "plan.json")
        again = site.run("apply", "demo", "--yes")

        assert (planned.code, applied.code, again.code) == (0, 0, 0), step.id
        assert calls(server) - before == expected, step.id
        assert "No changes" in site.run("plan", "demo").out, step.id
        for agent, values in expected_live(site).items():
            assert live(server)[agent] == values, step.id


def test_a_plan_touches_neither_the_gateway_nor_the_sessions(site: Site, server: RehearsalServer) -> None:
    (site.root / "sessions.json").unlink()

    assert site.run("plan", "demo").code == 0
    assert calls(server) == 0


def test_a_dropped_channel_is_sent_once_as_zero(site: Site, server: RehearsalServer) -> None:
    site.run("apply", "demo", "--yes")
    site.edit("fleet.yaml", "channels: {whatsapp: 2}", "channels: {sms: null, whatsapp: 2}")

    assert "closed" in site.run("plan", "demo").out
    site.run("apply", "demo", "--yes")

    assert live(server)["1002"]["channels"] == {"51": 6, "52": 0, "61": 2}
    assert "No changes" in site.run("plan", "demo").out


def test_the_outcome_document_keeps_to_the_published_schema(site: Site) -> None:
    ended = site.run("apply", "demo", "--yes", "--json")

    jsonschema.validate(ended.document, json.loads(schema_text("outcome")))
    assert ended.document["summary"] == {
        "applied": 5,
        "deferred": 0,
        "failed": 0,
        "in_doubt": 0,
        "skipped": 0,
        "forgotten": 0,
        "calls": 5,
    }


def test_the_state_keeps_to_the_published_schema(site: Site) -> None:
    site.run("apply", "demo", "--yes")

    jsonschema.validate(site.state, json.loads(schema_text("state")))


def test_an_agent_without_a_session_is_deferred_and_converges_after_signing_in(
    site: Site, server: RehearsalServer
) -> None:
    site.edit("fleet.yaml", "1001:", "1021:")

    first = site.run("apply", "demo", "--yes")
    server.sign_in([1021])
    publish_sessions(site, server)
    second = site.run("apply", "demo", "--yes")

    assert (first.code, second.code) == (9, 0)
    assert "deferred" in first.out
    assert "no session" in first.out
    assert second.last_line.endswith("; 1 call.")


def test_a_signed_out_agent_is_deferred_by_the_gateways_word(site: Site, server: RehearsalServer) -> None:
    server.call(lambda gateway: gateway.sign_out(1001))

    ended = site.run("apply", "demo", "--yes", "--json")

    (deferred,) = [each for each in ended.document["outcomes"] if each["outcome"] == "deferred"]
    assert (ended.code, deferred["agent"], deferred["retcode"]) == (9, "1001", "100-006")


def test_deferred_agents_can_be_accepted(site: Site, server: RehearsalServer) -> None:
    server.call(lambda gateway: gateway.sign_out(1001))

    ended = site.run("apply", "demo", "--yes", "--deferred-exit-code", "0", "--json")

    assert (ended.code, ended.document["exit_reason"]) == (0, "some-agents-deferred")


def test_one_refused_agent_never_stops_the_rest(site: Site, server: RehearsalServer) -> None:
    server.call(lambda gateway: gateway.set_skills(1002, [51, 52]))

    ended = site.run("apply", "demo", "--yes", "--json")

    outcomes = {each["agent"]: (each["outcome"], each["retcode"]) for each in ended.document["outcomes"]}
    assert ended.code == 8
    assert outcomes.pop("1002") == ("failed", "106-011")
    assert set(outcomes.values()) == {("applied", "0")}


def test_fail_fast_stops_at_the_first_failure(site: Site, server: RehearsalServer) -> None:
    site.edit("site.yaml", "requests_per_second: 1000", "requests_per_second: 1000\n  concurrency: 1")
    server.add_faults("1001=retcode:106-011")

    ended = site.run("apply", "demo", "--yes", "--fail-fast", "--json")

    assert ended.code == 8
    assert ended.document["summary"]["skipped"] == 4
    assert calls(server) == 1


def test_the_breaker_stops_a_run_that_meets_one_refusal_after_another(site: Site, server: RehearsalServer) -> None:
    site.edit("site.yaml", "requests_per_second: 1000", "requests_per_second: 1000\n  concurrency: 1")
    server.add_faults("*=retcode:100-009")

    ended = site.run("apply", "demo", "--yes", "--breaker", "2", "--json")

    assert (ended.code, calls(server)) == (8, 2)
    assert ended.document["summary"]["skipped"] == 3


def test_a_reset_after_the_commit_is_tried_again_and_settles(site: Site, server: RehearsalServer) -> None:
    server.add_faults("1001=reset-after-commit")

    ended = site.run("apply", "demo", "--yes", "--json")

    attempts = {each["agent"]: each["attempts"] for each in ended.document["outcomes"]}
    assert (ended.code, attempts["1001"]) == (0, 2)


def test_calls_without_an_answer_leave_the_agent_in_doubt_and_the_next_plan_sends_it_again(
    site: Site, server: RehearsalServer
) -> None:
    server.add_faults(*["1001=reset-after-commit"] * 4)

    ended = site.run("apply", "demo", "--yes", "--json")
    planned = site.run("plan", "demo", "--json").document

    assert ended.code == 8
    assert site.state["agents"]["1001"]["status"] == "in_doubt"
    assert [(each["agent"], each["action"], each["reason"]) for each in planned["changes"]] == [
        ("1001", "reassert", "in-doubt")
    ]
    assert site.run("apply", "demo", "--yes").code == 0
    assert site.state["agents"]["1001"]["status"] == "acknowledged"


def test_a_rotated_guid_is_read_again_from_the_source_just_before_use(site: Site, server: RehearsalServer) -> None:
    server.sign_in([1001])
    publish_sessions(site, server)

    assert site.run("apply", "demo", "--yes").code == 0


def test_an_expired_guid_that_the_source_does_not_renew_defers_the_agent(site: Site, server: RehearsalServer) -> None:
    server.call(lambda gateway: gateway.rotate(1001))

    ended = site.run("apply", "demo", "--yes", "--json")

    outcomes = {each["agent"]: each["outcome"] for each in ended.document["outcomes"]}
    assert (ended.code, outcomes["1001"]) == (9, "deferred")


def test_removed_agents_get_one_last_call_where_the_site_wants_it(site: Site, server: RehearsalServer) -> None:
    site.run("apply", "demo", "--yes")
    site.edit("fleet.yaml", "  1001: {profile: chat}\n", "")
    site.edit("site.yaml", "guardrails:", "on_agent_removal: reset\nguardrails:")

    ended = site.run("apply", "demo", "--yes")

    assert ended.code == 0
    assert live(server)["1001"] == {"total": 1, "channels": {"51": 1, "52": 0}}
    assert "1001" not in site.state["agents"]


def test_a_move_to_another_team_is_recorded_without_a_call(site: Site, server: RehearsalServer) -> None:
    site.run("apply", "demo", "--yes")
    before = calls(server)
    site.edit("fleet.yaml", "1001: {profile: chat}", "1001: {profile: chat, team: night, protected: true}")

    ended = site.run("apply", "demo", "--yes")

    assert (ended.code, calls(server) - before) == (0, 0)
    assert site.state["agents"]["1001"]["team"] == "night"
    assert site.state["agents"]["1001"]["protected"] is True


def test_the_other_key_spelling_is_sent_to_everybody_again(site: Site) -> None:
    site.run("apply", "demo", "--yes")
    site.edit("site.yaml", "gateway:", "gateway:\n  callnums_key: callnums")

    document = site.run("plan", "demo", "--json").document

    assert {(each["action"], each["reason"]) for each in document["changes"]} == {("set", "key-spelling")}


def test_a_site_may_judge_a_retcode_otherwise(site: Site, server: RehearsalServer) -> None:
    site.edit("site.yaml", "guardrails:", 'retcodes: {"106-011": deferred}\nguardrails:')
    server.call(lambda gateway: gateway.set_skills(1002, [51, 52]))

    ended = site.run("apply", "demo", "--yes", "--json")

    outcomes = {each["agent"]: (each["outcome"], each["retcode"]) for each in ended.document["outcomes"]}
    assert ended.code == 9
    assert outcomes["1002"] == ("deferred", "106-011")


@pytest.mark.parametrize(("retcode", "code"), [("100-004", 4), ("100-009", 8)], ids=["credentials", "anything-else"])
def test_a_retcode_judged_stop_ends_the_run_at_once(
    site: Site, server: RehearsalServer, retcode: str, code: int
) -> None:
    site.edit("site.yaml", "requests_per_second: 1000", "requests_per_second: 1000\n  concurrency: 1")
    site.edit("site.yaml", "guardrails:", f'retcodes: {{"{retcode}": stop}}\nguardrails:')
    server.add_faults(f"1001=retcode:{retcode}")

    ended = site.run("apply", "demo", "--yes", "--json")

    assert (ended.code, calls(server)) == (code, 1)
    assert ended.document["summary"]["skipped"] == 4
