"""docs/planning.md is true: each row of its tables is planned here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import NODEFAULT
from msgspec.structs import fields
from support.fleets import EARLIER, NOW, Situation, agent_id, desired, record, site, state

from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Desired
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.plan import Action, PlanOptions, Reason
from reconciler.model.site import GuardrailSettings, OnAgentRemoval, OnChannelRemoval
from reconciler.model.state import AgentRecord, RecordStatus
from reconciler.planning import make_plan
from reconciler.schemas import schema_text

DOC = Path(__file__).parents[2] / "docs" / "planning.md"
NONE = "–"

Row = dict[str, str]

RECORDED: dict[str, dict[str, Any]] = {
    "recorded as callnums": {"callnums_key": CallnumsKey.LOWER},
    "recorded in doubt": {"status": RecordStatus.IN_DOUBT},
    "recorded in login-1, now in login-2": {"session": "login-1"},
    "acknowledged 4 h ago, asked for 2 h": {"acknowledged_at": EARLIER},
}
SETTINGS: dict[str, dict[str, Any]] = {
    "on_agent_removal: reset": {"on_agent_removal": OnAgentRemoval.RESET},
    "on_channel_removal: omit": {"on_channel_removal": OnChannelRemoval.OMIT},
}
OPTIONS = {
    "acknowledged 4 h ago, asked for 2 h": PlanOptions(reassert_older_than=7200, at=NOW),
    "asked for all": PlanOptions(reassert_all=True),
}
PER_CHANNEL = ("max_delta", "capacity_floor")
SESSIONS = {"recorded in login-1, now in login-2": {agent_id(1001): "login-2"}}


def table(*columns: str) -> list[Row]:
    """The rows of the document's table that has these columns."""
    lines = DOC.read_text(encoding="utf-8").splitlines()
    start = lines.index(f"| {' | '.join(columns)} |") + 2
    rows: list[Row] = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        cells = (cell.strip().strip("`") for cell in line.strip("|").split("|"))
        rows.append(dict(zip(columns, cells, strict=True)))
    return rows


def as_written(name: str) -> str:
    """Name a field of `GuardrailSettings` as the document does: `protected` is one setting with two parts."""
    return name.replace("protected_", "protected.")


def settings_in(schema: dict[str, Any], prefix: str = "") -> list[str]:
    """Every setting that can be written, a nested one with a dot; one for each channel is one setting."""
    if "properties" not in schema or prefix in PER_CHANNEL:
        return [prefix]
    parts = schema["properties"].items()
    return [name for key, part in parts for name in settings_in(part, f"{prefix}.{key}" if prefix else key)]


def in_words(default: object) -> str:
    """Write a setting's default as the document does."""
    return {None: "off", (): "none", NODEFAULT: "none"}.get(default) or f"{default:g}"  # type: ignore[call-overload]


def values(text: str) -> Concurrency | None:
    """Read `total 25, web_chat 9`."""
    if text == NONE:
        return None
    numbers = {name: int(number) for name, number in (item.split() for item in text.split(", "))}
    return Concurrency.of(numbers.pop("total"), {Channel.from_label(label): n for label, n in numbers.items()})


def situation(row: Row) -> Situation:
    wanted, recorded, besides = values(row["Desired"]), values(row["Recorded"]), row["Besides"]
    assert besides in {"", *RECORDED, *SETTINGS, *OPTIONS, *SESSIONS}
    records: dict[int, Concurrency | AgentRecord] = {}
    if recorded is not None:
        records = {1001: record(recorded, **RECORDED.get(besides, {}))}
    environment: Desired = desired({} if wanted is None else {1001: wanted}, at=site(**SETTINGS.get(besides, {})))
    return Situation(
        desired=environment,
        state=state(records),
        options=OPTIONS.get(besides, PlanOptions()),
        session_keys=SESSIONS.get(besides, {}),
    )


REASONS = table("Planned", "Reason", "When", "Desired", "Recorded", "Besides", "Sent")
GUARDRAILS = table("Setting", "Default", "Refuses when")


@pytest.mark.parametrize("row", REASONS, ids=[f"{row['Planned']}-{row['Reason']}".strip(f"-{NONE}") for row in REASONS])
def test_the_document_tells_what_is_planned(row: Row) -> None:
    case = situation(row)
    plan = make_plan(case.desired, case.state, case.options, session_keys=case.session_keys)
    said = [(str(change.action), str(change.reason), change.after) for change in plan.changes]
    said += [(str(Action.UNCHANGED), NONE, None) for _ in plan.unchanged]
    assert [(row["Planned"], row["Reason"], values(row["Sent"]))] == said


def test_the_document_has_every_action_and_every_reason() -> None:
    assert {str(action) for action in Action} == {row["Planned"] for row in REASONS}
    assert {NONE, *(str(reason) for reason in Reason)} == {row["Reason"] for row in REASONS}


def test_the_document_has_every_guardrail_with_its_default() -> None:
    expected = {as_written(setting.name): in_words(setting.default) for setting in fields(GuardrailSettings)}
    assert expected == {row["Setting"]: row["Default"] for row in GUARDRAILS}


def test_the_document_names_the_guardrails_as_a_site_file_does() -> None:
    schema = json.loads(schema_text("site"))
    assert settings_in(schema["properties"]["guardrails"]) == [row["Setting"] for row in GUARDRAILS]
