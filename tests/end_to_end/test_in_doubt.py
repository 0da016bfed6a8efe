"""A call that was sent and got no answer is in doubt, not failed: tried again, kept in the state, and settled later."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from support.rehearsal import RehearsalServer
from support.site import Ended, Site, publish_sessions

from reconciler.schemas import schema_text

NO_ANSWER = ["reset-before-commit", "reset-after-commit", "http-200-html", "http-502"]
"""Whether the gateway took the values or not: nobody can tell from here."""
VALUES = {"total": 12, "channels": {"51": 6, "52": 4}}


def apply(site: Site, *flags: str) -> Ended:
    return site.run("apply", "demo", "--yes", "--json", "--agent", "1001", *flags)


def outcome(ended: Ended) -> tuple[str, int]:
    (each,) = ended.document["outcomes"]
    return each["outcome"], each["attempts"]


def live(server: RehearsalServer) -> dict[str, Any]:
    return server.call(lambda gateway: dict(gateway.agents_document()))


def calls(server: RehearsalServer) -> int:
    return int(str(server.call(lambda gateway: gateway.requests_document())["total"]))


@pytest.mark.parametrize("fault", NO_ANSWER)
def test_a_call_without_an_answer_is_tried_again_and_applied_once_acknowledged(
    site: Site, server: RehearsalServer, fault: str
) -> None:
    server.add_faults(f"1001={fault}", f"1001={fault}")

    ended = apply(site)

    assert (ended.code, outcome(ended)) == (0, ("applied", 3))
    assert site.state["agents"]["1001"]["status"] == "acknowledged"
    assert live(server)["1001"] == VALUES
    assert "No changes" in site.run("plan", "demo", "--agent", "1001").out


@pytest.mark.parametrize("fault", NO_ANSWER)
def test_retries_used_up_leave_it_in_doubt_and_the_next_apply_settles_it(
    site: Site, server: RehearsalServer, fault: str
) -> None:
    server.add_faults(*[f"1001={fault}"] * 4)

    ended = apply(site)
    planned = site.run("plan", "demo", "--agent", "1001", "--json").document
    again = apply(site)

    assert (ended.code, ended.document["exit_reason"], outcome(ended)) == (8, "some-agents-failed", ("in_doubt", 4))
    assert [(each["action"], each["reason"]) for each in planned["changes"]] == [("reassert", "in-doubt")]
    assert (again.code, outcome(again)) == (0, ("applied", 1))
    assert site.state["agents"]["1001"]["status"] == "acknowledged"
    assert live(server)["1001"] == VALUES
    assert "No changes" in site.run("plan", "demo", "--agent", "1001").out


def test_the_state_says_in_doubt_with_the_values_that_were_sent(site: Site, server: RehearsalServer) -> None:
    server.add_faults(*["1001=reset-after-commit"] * 4)
    apply(site)
    record = site.state["agents"]["1001"]

    assert (record["status"], record["acknowledged_at"], record["total"]) == ("in_doubt", None, 12)
    assert "in doubt" in site.run("state", "list", "demo").out
    jsonschema.validate(site.state, json.loads(schema_text("state")))


def test_a_refusal_after_a_lost_answer_does_not_take_the_doubt_away(site: Site, server: RehearsalServer) -> None:
    server.add_faults("1001=reset-after-commit", "1001=retcode:106-011")

    ended = apply(site)

    assert (ended.code, outcome(ended)) == (8, ("in_doubt", 2))
    assert "an earlier call may have been taken" in ended.document["outcomes"][0]["message"]
    assert site.state["agents"]["1001"]["status"] == "in_doubt"


def test_an_agent_in_doubt_who_is_gone_waits_and_stays_in_doubt(site: Site, server: RehearsalServer) -> None:
    server.add_faults(*["1001=reset-after-commit"] * 4)
    apply(site)
    server.call(lambda gateway: gateway.sign_out(1001))
    publish_sessions(site, server)

    ended = apply(site)

    assert (ended.code, outcome(ended)) == (9, ("deferred", 0))
    assert site.state["agents"]["1001"]["status"] == "in_doubt"
    assert set(site.state["pending"]) == {"1001"}
    server.sign_in([1001])
    publish_sessions(site, server)
    assert apply(site).code == 0
    assert site.state["agents"]["1001"]["status"] == "acknowledged"
    assert "pending" not in site.state


def test_other_values_desired_meanwhile_are_sent_instead(site: Site, server: RehearsalServer) -> None:
    server.add_faults(*["1001=reset-after-commit"] * 4)
    apply(site)
    site.edit("fleet.yaml", "1001: {profile: chat}", "1001: {profile: chat, total: 20}")

    planned = site.run("plan", "demo", "--agent", "1001", "--json").document
    ended = apply(site)

    assert [(each["action"], each["reason"]) for each in planned["changes"]] == [("set", "changed")]
    assert ended.code == 0
    assert live(server)["1001"] == {**VALUES, "total": 20}


def test_one_agent_in_doubt_never_stops_the_rest(site: Site, server: RehearsalServer) -> None:
    server.add_faults(*["1001=reset-after-commit"] * 4)

    ended = site.run("apply", "demo", "--yes", "--json")

    assert ended.code == 8
    assert (ended.document["summary"]["in_doubt"], ended.document["summary"]["applied"]) == (1, 4)


def test_fail_fast_stops_at_the_first_agent_left_in_doubt(site: Site, server: RehearsalServer) -> None:
    site.edit("site.yaml", "requests_per_second: 1000", "requests_per_second: 1000\n  concurrency: 1")
    server.add_faults(*["1001=reset-after-commit"] * 4)

    ended = site.run("apply", "demo", "--yes", "--fail-fast", "--json")

    assert (ended.code, calls(server)) == (8, 4)
    assert (ended.document["summary"]["in_doubt"], ended.document["summary"]["skipped"]) == (1, 4)
    assert "agent 1001 is in doubt, and --fail-fast was given" in ended.err
