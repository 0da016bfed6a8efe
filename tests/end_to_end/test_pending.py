"""An agent who is not signed in, from the first run over the list of those who wait to the run that reaches them."""

from __future__ import annotations

import json
from functools import partial

import jsonschema
import pytest
from support.rehearsal import RehearsalServer
from support.site import Site, publish_sessions

from reconciler.schemas import schema_text
from reconciler.simulator import Gateway


def sign_out(site: Site, server: RehearsalServer, *agents: int) -> None:
    for agent in agents:
        server.call(partial(Gateway.sign_out, agent=agent))
    publish_sessions(site, server)


def sign_in(site: Site, server: RehearsalServer, *agents: int) -> None:
    server.sign_in(agents)
    publish_sessions(site, server)


def listed(site: Site, *flags: str) -> dict[str, tuple[int, str | None]]:
    """Return attempts and retcode of everybody who waits."""
    ended = site.run("state", "list", "demo", "--pending", "--json", *flags)
    assert ended.code == 0
    return {each["agent"]: (each["attempts"], each["retcode"]) for each in ended.document["pending"]}


def test_a_deferred_agent_is_listed_and_converges_on_the_next_run_after_signing_in(
    site: Site, server: RehearsalServer
) -> None:
    sign_out(site, server, 1002)
    assert site.run("apply", "demo", "--yes").code == 9
    assert listed(site) == {"1002": (1, None)}
    assert "1 of these changes has been waiting for its agent" in site.run("plan", "demo").out

    assert site.run("apply", "demo", "--yes").code == 9
    assert listed(site) == {"1002": (2, None)}

    sign_in(site, server, 1002)
    assert site.run("apply", "demo", "--yes").code == 0
    assert listed(site) == {}
    assert "No changes" in site.run("plan", "demo").out


def test_the_gateways_own_word_is_kept_when_the_source_did_not_know(site: Site, server: RehearsalServer) -> None:
    server.call(lambda gateway: gateway.sign_out(1003))  # the sessions file still has the old session

    assert site.run("apply", "demo", "--yes").code == 9
    assert listed(site) == {"1003": (1, "100-006")}
    assert "100-006  the agent is not signed in" in site.run("state", "list", "demo", "--pending").out


def test_a_state_with_somebody_waiting_keeps_to_the_published_schema(site: Site, server: RehearsalServer) -> None:
    sign_out(site, server, 1001, 1005)
    site.run("apply", "demo", "--yes")

    jsonschema.validate(site.state, json.loads(schema_text("state")))
    assert set(site.state["pending"]) == {"1001", "1005"}


def test_an_agent_taken_out_of_the_files_while_waiting_is_not_listed_after_the_next_run(
    site: Site, server: RehearsalServer
) -> None:
    sign_out(site, server, 1001)
    site.run("apply", "demo", "--yes")
    site.edit("fleet.yaml", "  1001: {profile: chat}\n", "")
    assert listed(site) == {"1001": (1, None)}

    ended = site.run("apply", "demo", "--yes")

    assert (ended.code, ended.last_line.endswith("; 0 calls.")) == (0, True)
    assert listed(site) == {}


def test_a_run_that_leaves_everything_as_it_is_writes_nothing(site: Site, server: RehearsalServer) -> None:
    sign_out(site, server, 1001)
    site.run("apply", "demo", "--yes")
    serial = site.state["serial"]

    site.run("apply", "demo", "--yes", "--exclude-agent", "1001")

    assert site.state["serial"] == serial


@pytest.mark.parametrize(
    ("span", "expected"), [("0s", False), ("1d", True)], ids=["everybody-has-waited", "nobody-that-long"]
)
def test_older_than_is_counted_from_the_first_deferral(
    site: Site, server: RehearsalServer, span: str, *, expected: bool
) -> None:
    sign_out(site, server, 1001)
    site.run("apply", "demo", "--yes")

    later = ("--at", "2999-01-01T00:00:00Z") if span == "0s" else ()
    assert (listed(site, "--older-than", span, *later) == {}) is expected
