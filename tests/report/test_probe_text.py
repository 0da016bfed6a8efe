"""A probe as text and as documents: what is asked about, what was found, and nothing that a server could slip in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest
from report.examples import COLORED, PLAIN
from support.fleets import agent_id

from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.probe import (
    Certificate,
    Finding,
    Grade,
    MadeCall,
    ProbeEnd,
    ProbeOutcome,
    ProbeScript,
    Restoration,
    ScriptedBranch,
    ScriptedMessage,
    Spread,
    Topic,
)
from reconciler.report import (
    FORMAT_VERSION,
    diagnostic_documents,
    probe_document,
    probe_script_document,
    probe_script_text,
    probe_summary,
    probe_text,
)
from reconciler.schemas import schema_text
from reconciler.values import replace

HOSTILE = "\x1b[2J\n::error::owned\u202e"
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

SCRIPT = ProbeScript(
    site="demo",
    agent=agent_id(1001),
    url="https://gateway.example:8043",
    method="POST",
    path="/agentgateway/resource/mediacall/1001/setcallnumsbymediatype",
    source="recorded",
    messages=(ScriptedMessage(letter="A", body='{"totalCallNum": 12}', purpose="the recorded numbers"),),
    branches=(
        ScriptedBranch(depth=0, condition="", letters=("A",)),
        ScriptedBranch(depth=1, condition="A is acknowledged", letters=("A", "B"), note="as before"),
    ),
    at_most=12,
    restoring_attempts=3,
    seconds=11.0,
    pause=300.0,
)

OUTCOME = ProbeOutcome(
    agent=agent_id(1001),
    end=ProbeEnd.COMPLETE,
    restoration=Restoration.RESTORED,
    calls=(
        MadeCall(letter="A", answer="acknowledged", retcode="0", milliseconds=12.4),
        MadeCall(letter="B", answer="refused", retcode="000-006", message="a parameter is invalid", milliseconds=8.0),
        MadeCall(letter="B", answer="refused", retcode="000-006", message="a parameter is invalid", milliseconds=7.6),
        MadeCall(letter="A", answer="not signed in", retcode="100-006", milliseconds=5.0, with_cookies=False),
    ),
    findings=(
        Finding(
            topic=Topic.CALLNUMS_KEY,
            grade=Grade.CONFIRMED,
            value="callNums",
            conclusion="the gateway reads callNums",
            evidence=("one number too high: refused (000-006), 2 times",),
        ),
        Finding(topic=Topic.UNLISTED_CHANNELS, grade=Grade.UNKNOWN, conclusion="replies do not tell"),
    ),
    certificates=(
        Certificate(
            subject="CN=gateway",
            issuer="CN=site",
            names=("gateway.example", "[::1]"),
            not_before="2026-01-01T00:00:00Z",
            not_after="2027-01-01T00:00:00Z",
            sha256="AB:CD",
            authority=False,
            self_signed=False,
            pem=PEM,
        ),
    ),
    ca_pem=PEM,
    latency=(Spread(what="answer", count=4, low=5.0, median=7.8, high=12.4),),
    site_lines=("gateway:", "  callnums_key: callNums  # confirmed by probe"),
)

TEXT = """\
probe of agent 1001

  A      12 ms  acknowledged
  B       8 ms  refused  000-006: a parameter is invalid
  B       8 ms  refused  000-006
  A       5 ms  not signed in, without its cookies  100-006

key spelling       confirmed  the gateway reads callNums
                   - one number too high: refused (000-006), 2 times
unlisted channels  unknown    replies do not tell

certificate CN=gateway
    issued by  CN=site
    names      gateway.example, [::1]
    valid      2026-01-01T00:00:00Z to 2027-01-01T00:00:00Z
    SHA-256    AB:CD

answer     4 taken: 5 / 7.8 / 12.4 ms (least, median, most)

to be saved as ca.pem beside site.yaml, once its fingerprint was compared:
-----BEGIN CERTIFICATE-----
MIIB
-----END CERTIFICATE-----

for site.yaml:
    gateway:
      callnums_key: callNums  # confirmed by probe

the agent has its own numbers back: the gateway acknowledged them last

Probe: complete; 1 confirmed, 0 likely, 1 unknown; 4 calls; agent restored.
"""


def enveloped(sections: Mapping[str, object], **more: object) -> dict[str, Any]:
    problem = Diagnostic(severity=Severity.ERROR, code="bug", summary="what")
    return {
        "format_version": FORMAT_VERSION,
        "tool_version": "1.2.3",
        "command": "probe",
        "environment": "desired",
        "site": "demo",
        "exit_code": 0,
        "exit_reason": "done",
        "summary": {},
        "diagnostics": diagnostic_documents([problem]),
        **sections,
        **more,
    }


def test_a_result_reads_from_the_calls_to_the_line_to_grep_for() -> None:
    assert probe_text(OUTCOME, style=PLAIN) == TEXT


def test_colour_changes_nothing_but_colour() -> None:
    painted = probe_text(OUTCOME, style=COLORED)
    assert painted != TEXT
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == TEXT


@pytest.mark.parametrize(
    ("restoration", "words"),
    [
        (Restoration.NOT_TOUCHED, "nothing was taken, so the agent has what it had before"),
        (Restoration.IN_DOUBT, "apply with --agent 1001 now"),
    ],
    ids=["not-touched", "in-doubt"],
)
def test_how_the_agent_was_left_is_told_with_what_to_do(restoration: Restoration, words: str) -> None:
    text = probe_text(replace(OUTCOME, restoration=restoration), style=PLAIN)

    assert words in " ".join(text.split())
    assert text.endswith(f"agent {restoration}.\n")


def test_a_probe_that_ended_early_says_why_in_its_last_line() -> None:
    text = probe_text(replace(OUTCOME, end=ProbeEnd.UNTRUSTED, calls=()), style=PLAIN)

    assert "Probe: the gateway's identity could not be verified; " in text


def test_what_will_be_sent_is_shown_with_its_order_and_its_risk() -> None:
    text = probe_script_text(SCRIPT, style=PLAIN)

    assert '  A  the recorded numbers\n     {"totalCallNum": 12}\n' in text
    assert "  A\n     if A is acknowledged: A, B  (as before)\n" in text
    assert "With --pause one channel stays closed for up to 5m while you look." in text
    assert text.endswith("or the agent as in doubt; nobody is signed in or out\n")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (replace(SCRIPT, protected=True), "The agent is protected; --allow-protected says that it is meant."),
        (replace(SCRIPT, insecure=True), "The site says insecure: nobody checks who gets the agent's Guid."),
        (replace(SCRIPT, signs_in=True), "The session source signs the agent in for this, and out again."),
        (replace(SCRIPT, in_doubt=True), "The recorded numbers are in doubt:"),
        (replace(SCRIPT, source="desired"), "Nothing is recorded of this agent:"),
    ],
    ids=["protected", "insecure", "signs-in", "in-doubt", "never-recorded"],
)
def test_a_further_risk_is_told_where_there_is_one(script: ProbeScript, words: str) -> None:
    assert words not in probe_script_text(SCRIPT, style=PLAIN)
    assert words in probe_script_text(script, style=PLAIN)


def test_nothing_a_server_or_a_certificate_says_moves_a_terminal_or_gives_orders() -> None:
    hostile = replace(
        OUTCOME,
        calls=(replace(OUTCOME.calls[1], message=HOSTILE),),
        findings=(replace(OUTCOME.findings[0], conclusion=HOSTILE, evidence=(HOSTILE,)),),
        certificates=(replace(OUTCOME.certificates[0], subject=HOSTILE, issuer=HOSTILE, names=(HOSTILE,)),),
        site_lines=(HOSTILE,),
    )
    text = probe_text(hostile, style=PLAIN)

    assert text.replace("\n", "").isprintable()
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_the_documents_are_after_the_schema() -> None:
    schema = json.loads(schema_text("probe"))
    script = {"script": probe_script_document(SCRIPT)}

    jsonschema.validate(enveloped({}), schema)
    jsonschema.validate(enveloped(script), schema)
    jsonschema.validate(enveloped({**script, **probe_document(OUTCOME)}, summary=probe_summary(OUTCOME)), schema)


def test_the_schema_describes_everything_and_is_closed() -> None:
    schema = json.loads(schema_text("probe"))
    jsonschema.Draft202012Validator.check_schema(schema)
    document = enveloped({"script": probe_script_document(SCRIPT), **probe_document(OUTCOME)})
    assert set(document) == set(schema["properties"])
    for name, part in {"": schema, **schema["$defs"], "script": schema["properties"]["script"]}.items():
        assert part["additionalProperties"] is False, name
        assert all(each.get("description") for each in part["properties"].values() if "$ref" not in each), name


@pytest.mark.parametrize("values", [(Grade, "grade"), (Topic, "topic")], ids=["grades", "topics"])
def test_the_schema_knows_every_value_of(values: tuple[Any, str]) -> None:
    kind, name = values
    schema = json.loads(schema_text("probe"))
    assert set(schema["$defs"]["finding"]["properties"][name]["enum"]) == {str(each) for each in kind}


def test_the_schema_knows_every_end() -> None:
    schema = json.loads(schema_text("probe"))
    ends = {probe_document(replace(OUTCOME, end=each))["end"] for each in ProbeEnd}
    left = {probe_document(replace(OUTCOME, restoration=each))["restoration"] for each in Restoration}

    assert set(schema["properties"]["end"]["enum"]) == ends
    assert set(schema["properties"]["restoration"]["enum"]) == left
