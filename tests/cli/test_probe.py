"""`reconciler probe` before anything is connected to: its flags, its refusals, and what it says it will send."""

from __future__ import annotations

import json

import jsonschema
import pytest
from support.site import Site

from reconciler.schemas import schema_text
from reconciler.state import LockHolder, open_local_store

SCRIPT = """\
probe of agent 1002 at site demo

This touches the numbers of one live agent for some seconds: 12 calls at most and what has to be repeated, one
a second, so about 11 s. It begins and ends with the agent's desired numbers. A gateway that takes a wrong
spelling for 0, or that checks no numbers, can leave the agent without sessions, or with more of them on one
channel, for a second or two.
Nothing is recorded of this agent: the first call already sets numbers that it may not have.

first: a few TLS handshakes with https://127.0.0.1:1, in which nothing is sent; if the settings of site.yaml
       do not trust what answers, the probe says why and ends there
then:  POST /agentgateway/resource/mediacall/1002/setcallnumsbymediatype
       with the header Guid (hidden) and the cookies of the agent's session, which is read just before, and
       with one of these bodies:

  A  the desired numbers, spelt callNums
     {"totalCallNum": 12, "agentMediaCallNums": [{"mediaType": 51, "callNums": 6}, {"mediaType": 61, "callNums": 2}]}
"""


AT = "2026-01-31T09:30:00Z"
HOLDER = LockHolder(id="another", who="somebody@elsewhere", operation="apply", since=AT)


@pytest.fixture
def site(site: Site) -> Site:
    """An environment whose authorities are those of the machine."""
    site.edit("site.yaml", "  ca_file: ca.pem\n", "")
    return site


def test_a_dry_run_prints_what_would_be_sent_and_leaves_no_trace(site: Site) -> None:
    site.edit(
        "fleet.yaml", "{profile: chat, channels: {whatsapp: 2}}", "{total: 12, channels: {web_chat: 6, whatsapp: 2}}"
    )
    before = {path.name for path in site.root.iterdir()}
    ended = site.run("probe", "demo", "--agent", "1002", "--dry-run")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(SCRIPT)
    assert {path.name for path in site.root.iterdir()} == before


def test_a_dry_run_with_json_is_one_document_after_the_schema(site: Site) -> None:
    document = site.run("probe", "demo", "--agent", "1001", "--dry-run", "--json").document

    jsonschema.validate(document, json.loads(schema_text("probe")))
    assert (document["exit_code"], document["script"]["agent"]) == (0, "1001")
    assert len(document["script"]["messages"]) == 6
    assert "findings" not in document


def test_a_dry_run_needs_no_lock(site: Site) -> None:
    store = open_local_store(site.root / "state.json", site="demo", clock=lambda: AT, new_lineage=lambda: "x")
    with store.lock(HOLDER):
        assert site.run("probe", "demo", "--agent", "1001", "--dry-run").code == 0
        held = site.run("probe", "demo", "--agent", "1001", "--yes", "--json")

    assert (held.code, held.document["exit_reason"]) == (7, "lock-held")


def test_the_risks_of_this_very_probe_are_told(site: Site) -> None:
    site.edit("fleet.yaml", "1001: {profile: chat}", "1001: {profile: chat, protected: true}")
    site.edit("site.yaml", "  requests_per_second", "  insecure: true\n  requests_per_second")
    ended = site.run("probe", "demo", "--agent", "1001", "--dry-run", "--allow-protected")

    assert "The agent is protected; --allow-protected says that it is meant." in ended.out
    assert "The site says insecure: nobody checks who gets the agent's Guid." in ended.out


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        ((), 3, "--agent"),
        (("--agent", "1001-1003", "--yes"), 3, "is a range, and one agent id is wanted here"),
        (("--agent", "12", "--yes"), 3, "not an agent id"),
        (("--agent", "1001"), 3, "standard input is no terminal"),
        (("--agent", "1001", "--yes", "--pause"), 3, "--pause asks what is seen, and standard input is no terminal"),
        (("--agent", "4711", "--yes"), 3, "agent 4711 is neither recorded nor desired"),
        (("--agent", "4711", "--dry-run"), 3, "agent 4711 is neither recorded nor desired"),
    ],
    ids=["no-agent", "range", "no-id", "nobody-to-ask", "nobody-to-look", "unknown", "unknown-dry"],
)
def test_what_cannot_be_probed_is_refused_with_the_reason(
    site: Site, flags: tuple[str, ...], code: int, words: str
) -> None:
    ended = site.run("probe", "demo", *flags, "--json")

    assert ended.code == ended.document["exit_code"] == code
    assert words in ended.document["diagnostics"][0]["summary"]
    jsonschema.validate(ended.document, json.loads(schema_text("probe")))


@pytest.mark.parametrize("flags", [("--yes",), ("--dry-run",)], ids=["yes", "dry-run"])
def test_a_protected_agent_is_refused(site: Site, flags: tuple[str, ...]) -> None:
    site.edit("fleet.yaml", "1001: {profile: chat}", "1001: {profile: chat, protected: true}")
    ended = site.run("probe", "demo", "--agent", "1001", *flags)

    assert ended.code == 5
    assert "agent 1001 is protected; nothing was sent" in ended.err
    assert "--allow-protected" in ended.err


def test_a_gateway_that_is_not_there_is_told_before_a_session_is_looked_for(site: Site) -> None:
    ended = site.run("probe", "demo", "--agent", "1001", "--yes", "--json")

    assert (ended.code, ended.document["end"], ended.document["calls"]) == (8, "unreachable", [])
    assert ended.document["restoration"] == "not-touched"
    assert "probe of agent 1001" in ended.err  # with --json the script goes to stderr
    jsonschema.validate(ended.document, json.loads(schema_text("probe")))


def test_a_ca_file_that_is_missing_is_a_mistake_in_the_settings(site: Site) -> None:
    site.edit("site.yaml", "  requests_per_second", "  ca_file: ca.pem\n  requests_per_second")
    ended = site.run("probe", "demo", "--agent", "1001", "--yes")

    assert ended.code == 3
    assert "gateway.ca_file ca.pem cannot be read" in ended.err
