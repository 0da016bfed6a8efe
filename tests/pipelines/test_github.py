"""The workflows of the example repository, carried out: a plan for the reviewer, and after the merge what it said."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pipelines.github import REPOSITORY, GithubHost, Ran
from pipelines.gitops import NORTH, Repository, github, repository
from pipelines.test_files import blocks
from support.checkout import Checkout
from support.counterparts import require_program
from support.rehearsal import RehearsalServer
from support.site import run_in


@pytest.fixture
def server() -> Iterator[RehearsalServer]:
    with RehearsalServer(agents=NORTH) as running:
        yield running


@dataclass(slots=True)
class Floor:
    """A repository on the host, everybody recorded."""

    made: Repository
    host: GithubHost

    def plan(self, *, fork: bool = False) -> tuple[str, int, dict[str, list[Ran]]]:
        """Propose the work tree, and run the workflow of a pull request; return its head, the run and the jobs."""
        head, merge = self.made.propose()
        owner = "somebody/contact-centre" if fork else REPOSITORY
        event = {"pull_request": {"number": 1, "head": {"sha": head, "repo": {"full_name": owner}}}}
        secrets, self.host.secrets = self.host.secrets, {}
        run, jobs = self.host.run("plan", event, event_name="pull_request", sha=merge)
        self.host.secrets = secrets
        self.host.answer(
            f"repos/{REPOSITORY}/actions/workflows/plan.yml/runs?head_sha={head}&event=pull_request&status=completed",
            {"workflow_runs": [{"id": run}, {"id": 7}]},
        )
        return head, run, jobs

    def merge(self, head: str) -> tuple[str, str]:
        """Merge it, and let the host know which pull request the commit came from."""
        before, after = self.made.merge(head)
        pull = {"merged_at": "2026-01-31T09:30:00Z", "base": {"ref": "main"}, "head": {"sha": head}}
        self.host.answer(f"repos/{REPOSITORY}/commits/{after}/pulls", [pull])
        return before, after

    def apply(self, before: str, after: str) -> list[Ran]:
        """Run the workflow of a push; return its last job."""
        _, jobs = self.host.run("apply", {"before": before}, event_name="push", sha=after)
        return [*jobs["apply"], *(job for job in jobs["reviewed"] if job.result != "success")]

    def scheduled(self, name: str) -> dict[str, list[Ran]]:
        """Run a workflow of the clock."""
        return self.host.run(name, {}, event_name="schedule", sha=self.made.checkout.git("rev-parse", "main"))[1]


@pytest.fixture
def floor(tmp_path: Path, server: RehearsalServer) -> Floor:
    require_program("jq", package="jq")
    made = repository(tmp_path, server)
    ended = run_in(made.checkout.top, "apply", "desired/north", "--yes", "--rollback-out", str(tmp_path))
    assert ended.code == 0, ended.err
    return Floor(made, github(tmp_path, made))


def results(jobs: dict[str, list[Ran]]) -> dict[str, list[str]]:
    return {name: [job.result for job in ran] for name, ran in jobs.items()}


def plan_fingerprint(artifact: Path) -> str:
    fingerprint: str = json.loads((artifact / "plan.json").read_text())["fingerprint"]
    return fingerprint


def test_what_was_reviewed_is_applied_after_the_merge_and_who_was_away_is_reached_later(
    floor: Floor, server: RehearsalServer
) -> None:
    made, before_all = floor.made, floor.made.calls
    made.edit("whatsapp: 2", "whatsapp: 3")
    made.edit("1001: {profile: chat}", "1001: {profile: chat, channels: {sms: 5}}")

    # 1. The pull request: one environment is touched, two agents are looked at, and nothing is called.
    head, run, jobs = floor.plan()
    assert results(jobs) == {
        "touched": ["success"],
        "plan": ["success"],
        "planned": ["success"],
        "comment": ["success"],
    }
    assert f"https://api.github.example/repos/{REPOSITORY}/issues/1/comments" in jobs["comment"][0].log
    assert plan_fingerprint(floor.host.artifact(run, "plan-desired-north")) in jobs["comment"][0].log
    plan = json.loads((floor.host.artifact(run, "plan-desired-north") / "plan.json").read_text())
    assert [change["agent"] for change in plan["changes"]] == ["1001", "1002"]
    assert "whatsapp" in jobs["plan"][0].summary
    assert made.calls == before_all

    # 2. The merge: exactly those are called, one of whom is away.
    server.call(lambda gateway: gateway.sign_out(1002))
    made.publish_sessions()
    (applied,) = floor.apply(*floor.merge(head))
    assert applied.result == "success", applied.log
    assert "1 deferred" in applied.log
    assert made.calls == before_all + 1
    assert made.values(1001)["channels"] == {"51": 6, "52": 5}

    # 3. Converge: nobody but who waits is called, and only once there.
    server.sign_in([1002])
    made.publish_sessions()
    north, south = floor.scheduled("converge")["converge"]
    assert (north.result, south.result) == ("success", "success"), north.log + south.log
    assert "nobody waits, and nobody is in doubt" in south.log
    assert made.calls == before_all + 2


def test_the_commands_of_the_guide_run_on_the_example(floor: Floor) -> None:
    commands = [shlex.split(line) for block in blocks("sh") for line in block.replace("\\\n", "").splitlines()]
    assert [words[1] for words in commands] == ["validate", "plan", "environments"]
    for words in commands:
        ended = run_in(floor.made.checkout.top, *(word for word in words[1:] if not word.startswith(">")))
        assert ended.code == 0, ended.err


def test_an_artifact_that_was_altered_is_refused_before_the_first_call(floor: Floor) -> None:
    calls = floor.made.calls
    floor.made.edit("whatsapp: 2", "whatsapp: 3")
    head, run, _ = floor.plan()
    plan = floor.host.artifact(run, "plan-desired-north") / "plan.json"
    plan.write_text(plan.read_text().replace('"61": 3', '"61": 60'))

    (refused,) = floor.apply(*floor.merge(head))

    assert refused.result == "failure"
    assert "[exit code 6]" in refused.log
    assert floor.made.calls == calls


def test_a_forged_plan_that_fits_together_can_only_refuse(floor: Floor, tmp_path: Path) -> None:
    calls = floor.made.calls
    floor.made.edit("whatsapp: 2", "whatsapp: 3")
    head, run, _ = floor.plan()
    forged = Checkout.__new__(Checkout)
    forged.top = tmp_path / "forged"
    forged.top.mkdir()
    floor.made.checkout.git("worktree", "add", "--quiet", "--detach", str(forged.top / "tree"), head)
    fleet = forged.top / "tree" / "desired" / "north" / "fleet.yaml"
    fleet.write_text(fleet.read_text().replace("whatsapp: 3", "whatsapp: 60"))
    plan = floor.host.artifact(run, "plan-desired-north") / "plan.json"
    ended = run_in(forged.top / "tree", "plan", "desired/north", "--changed-since", "main", "--out", str(plan))
    assert ended.code == 0, ended.err

    (refused,) = floor.apply(*floor.merge(head))

    assert "[exit code 6]" in refused.log
    assert "whatsapp" in refused.log
    assert floor.made.calls == calls


def test_yaml_that_changes_between_review_and_merge_is_refused(floor: Floor) -> None:
    calls = floor.made.calls
    floor.made.edit("whatsapp: 2", "whatsapp: 3")
    head, _, _ = floor.plan()
    before, _ = floor.merge(head)
    floor.made.edit("whatsapp: 3", "whatsapp: 4")
    after = floor.made.checkout.commit("Merge what was proposed, and more")
    floor.made.push()
    pull = {"merged_at": "2026-01-31T09:30:00Z", "base": {"ref": "main"}, "head": {"sha": head}}
    floor.host.answer(f"repos/{REPOSITORY}/commits/{after}/pulls", [pull])

    (refused,) = floor.apply(before, after)

    assert "[exit code 6]" in refused.log
    assert floor.made.calls == calls


def test_a_change_beside_all_environments_is_planned_and_applied_by_nobody(floor: Floor) -> None:
    (floor.made.checkout.top / "README.md").write_text("read me\n")

    head, _, jobs = floor.plan()
    applied = floor.apply(*floor.merge(head))

    assert results(jobs) == {
        "touched": ["success"],
        "plan": ["skipped"],
        "planned": ["success"],
        "comment": ["skipped"],
    }
    assert [job.result for job in applied] == ["skipped"]


@pytest.mark.parametrize("name", ["$(id)", 'x","slug":"y'])
def test_a_name_that_is_none_ends_a_run_by_hand(floor: Floor, name: str) -> None:
    inputs = {"commit": "0" * 40, "environment": name, "allow-changes": ""}
    after = floor.made.checkout.git("rev-parse", "main")

    _, jobs = floor.host.run("apply", {}, event_name="workflow_dispatch", sha=after, inputs=inputs)

    assert results(jobs) == {"reviewed": ["failure"], "apply": ["skipped"]}
    assert "this is no environment's name" in jobs["reviewed"][0].log


def test_a_commit_without_a_pull_request_is_not_applied(floor: Floor) -> None:
    calls, before = floor.made.calls, floor.made.checkout.git("rev-parse", "main")
    floor.made.edit("whatsapp: 2", "whatsapp: 3")
    after = floor.made.checkout.commit("Push past everybody")
    floor.made.push()
    floor.host.answer(f"repos/{REPOSITORY}/commits/{after}/pulls", [])

    skipped, refused = floor.apply(before, after)

    assert (skipped.result, refused.result) == ("skipped", "failure")
    assert "nobody has reviewed a plan of it" in refused.log
    assert floor.made.calls == calls


def test_a_guardrail_refuses_on_the_pull_request_and_is_lifted_by_hand_for_that_plan(floor: Floor) -> None:
    calls = floor.made.calls
    floor.made.edit("web_chat: 6", "web_chat: 7")

    head, run, jobs = floor.plan(fork=True)
    assert results(jobs) == {
        "touched": ["success"],
        "plan": ["failure"],
        "planned": ["failure"],
        "comment": ["skipped"],
    }
    assert "[exit code 5]" in jobs["plan"][0].log
    assert (floor.host.artifact(run, "plan-desired-north") / "plan.json").is_file()
    before, after = floor.merge(head)
    (refused,) = floor.apply(before, after)
    assert "[exit code 5]" in refused.log
    assert floor.made.calls == calls

    inputs = {"commit": after, "environment": "desired/north", "allow-changes": "20"}
    _, jobs = floor.host.run("apply", {}, event_name="workflow_dispatch", sha=after, inputs=inputs)
    assert results(jobs) == {"reviewed": ["success"], "apply": ["success"]}, jobs
    assert floor.made.calls == calls + 20


def test_drift_is_an_issue_for_each_environment_that_opens_and_closes(floor: Floor) -> None:
    floor.made.edit("whatsapp: 2", "whatsapp: 3")
    head, _, _ = floor.plan()
    floor.merge(head)

    assert floor.scheduled("drift")["drift"][0].result == "success"
    north, south = floor.host.issues
    assert (north["title"], south["title"]) == ("Not converged: desired/north", "Not converged: desired/south")
    assert "whatsapp" in north["body"]
    assert "Who has waited for a day" in north["body"]

    ended = run_in(floor.made.checkout.top, "apply", "desired/north", "--yes", "--rollback-out", str(floor.host.folder))
    assert ended.code == 0, ended.err
    assert floor.scheduled("drift")["drift"][0].result == "success"
    assert [issue["open"] for issue in floor.host.issues] == [False, True]
