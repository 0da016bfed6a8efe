"""What a run reports as it ends is what `show` makes of its document later."""

from __future__ import annotations

import json

import jsonschema
import pytest
from support.site import Site

from reconciler.report import RUN_FORMATS
from reconciler.schemas import schema_text

_FLAGS = [word for each in RUN_FORMATS for word in ("--report", f"{each}=run.{each}")]


def _way_back(site: Site) -> str:
    """The file that leads back from the run just reported."""
    file: str = json.loads((site.work / "run.json").read_text())["rollback_file"]
    return file


def _require_same_when_shown(site: Site) -> None:
    jsonschema.validate(json.loads((site.work / "run.json").read_text()), json.loads(schema_text("outcome")))
    for each in RUN_FORMATS:
        shown = site.run("show", "run.json", "--format", each)
        assert (shown.code, shown.err) == (0, "")
        assert (site.work / f"run.{each}").read_bytes().decode() == shown.out


@pytest.fixture
def changed(site: Site) -> Site:
    site.write("fleet.yaml", "agents: {1001-1005: {total: 3, channels: {web_chat: 3}}}\n")
    assert site.run("apply", "demo", "--yes").code == 0
    site.edit("fleet.yaml", "web_chat: 3", "web_chat: 2")
    return site


def test_an_apply_with_deferred_agents_and_its_rollback(changed: Site) -> None:
    changed.edit("fleet.yaml", "1001-1005", "1001-1005: {total: 3, channels: {web_chat: 1}}, 4001-4002")
    assert changed.run("apply", "demo", "--yes", *_FLAGS).code == 9
    _require_same_when_shown(changed)
    assert "2 deferred" in (changed.work / "run.markdown").read_text()

    assert changed.run("rollback", _way_back(changed), "demo", "--yes", *_FLAGS).code == 0
    _require_same_when_shown(changed)
    assert "the YAML still asks for something else" in (changed.work / "run.markdown").read_text()


def test_a_run_that_a_guardrail_refused(changed: Site) -> None:
    changed.edit("site.yaml", "max_changed_percent: null", "max_changed_agents: 1")
    assert changed.run("apply", "demo", "--yes", *_FLAGS).code == 5
    _require_same_when_shown(changed)
    assert "`max_changed_agents`" in (changed.work / "run.markdown").read_text()


def test_a_rollback_that_is_looked_at_first(changed: Site) -> None:
    changed.run("apply", "demo", "--yes", *_FLAGS)
    assert changed.run("rollback", _way_back(changed), "demo", "--preview", *_FLAGS).code == 0
    for each in RUN_FORMATS:
        shown = changed.run("show", "run.json", "--format", each)
        assert (changed.work / f"run.{each}").read_bytes().decode() == shown.out
    assert "### The way back" in (changed.work / "run.markdown").read_text()


def test_a_document_on_stdout_is_one_and_the_progress_is_elsewhere(changed: Site) -> None:
    ended = changed.run("apply", "demo", "--yes", "--report", "junit=-")
    assert ended.code == 0
    assert ended.out.startswith("<?xml")
    assert ended.out.rstrip().endswith("</testsuites>")
