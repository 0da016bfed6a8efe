"""The jobs of the GitLab component, carried out on the example repository."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pipelines.gitlab import GitlabHost, served, zipped
from pipelines.gitops import NORTH, Repository, repository
from support.counterparts import require_program
from support.rehearsal import RehearsalServer
from support.site import run_in


@dataclass(slots=True)
class Floor:
    """A repository on the host, everybody recorded."""

    made: Repository
    host: GitlabHost

    def plan(self) -> tuple[str, Path]:
        """Propose the work tree, and run the job of a merge request; return its head and the job's workspace."""
        base = self.made.checkout.git("rev-parse", "main")
        head, _ = self.made.propose()
        variables = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
        code, log, workspace = self.host.job("reconciler:plan", sha=head, variables=variables)
        assert code == 0, log
        return head, workspace

    def merge(self, head: str, archive: bytes) -> tuple[str, str]:
        """Merge it, and let the host know which request the commit came from and what its job left."""
        before, after = self.made.merge(head)
        request = {"iid": 5, "state": "merged", "target_branch": "main"}
        pipelines = [
            {"id": 72, "source": "push"},
            {"id": 71, "source": "merge_request_event"},
            {"id": 70, "source": "merge_request_event"},
        ]
        self.host.answers |= {
            f"repository/commits/{after}/merge_requests": [request],
            "merge_requests/5/pipelines": pipelines,
            "pipelines/71/jobs?per_page=100": [{"id": 8, "name": "lint"}, {"id": 9, "name": "reconciler:plan"}],
            "jobs/9/artifacts": archive,
        }
        return before, after

    def apply(self, before: str, after: str) -> tuple[int, str]:
        """Run the job of a push to main."""
        variables = {"CI_COMMIT_BEFORE_SHA": before, "RECONCILER_READ_TOKEN": "reads"}
        return self.host.job("reconciler:apply", sha=after, variables=variables)[:2]

    def scheduled(self, name: str) -> str:
        """Run a job of the clock, which must succeed."""
        sha = self.made.checkout.git("rev-parse", "main")
        code, log, _ = self.host.job(name, sha=sha, variables={"RECONCILER_ISSUE_TOKEN": "writes"})
        assert code == 0, log
        return log


@pytest.fixture
def server() -> Iterator[RehearsalServer]:
    with RehearsalServer(agents=NORTH) as running:
        yield running


@pytest.fixture
def floor(tmp_path: Path, server: RehearsalServer) -> Iterator[Floor]:
    require_program("curl", package="curl")
    made = repository(tmp_path, server)
    ended = run_in(made.checkout.top, "apply", "desired/north", "--yes", "--rollback-out", str(tmp_path))
    assert ended.code == 0, ended.err
    with served(GitlabHost(tmp_path / "gitlab", made.bare)) as host:
        yield Floor(made, host)


def test_what_was_reviewed_is_applied_after_the_merge_and_who_was_away_is_reached_later(
    floor: Floor, server: RehearsalServer
) -> None:
    made, calls = floor.made, floor.made.calls
    made.edit("whatsapp: 2", "whatsapp: 3")
    made.edit("1001: {profile: chat}", "1001: {profile: chat, channels: {sms: 5}}")

    head, workspace = floor.plan()
    assert made.calls == calls
    counts = json.loads((workspace / "plans" / "desired-north.tfplan.json").read_text())
    assert counts["update"] == 2

    server.call(lambda gateway: gateway.sign_out(1002))
    made.publish_sessions()
    code, log = floor.apply(*floor.merge(head, zipped(workspace, "plans")))
    assert code == 0, log
    assert made.calls == calls + 1
    assert floor.host.tokens == {"reads"}

    server.sign_in([1002])
    made.publish_sessions()
    assert "desired/south: nobody waits" in floor.scheduled("reconciler:converge")
    assert made.calls == calls + 2


def test_an_archive_that_was_altered_is_refused_before_the_first_call(floor: Floor) -> None:
    calls = floor.made.calls
    floor.made.edit("whatsapp: 2", "whatsapp: 3")
    head, workspace = floor.plan()
    plan = workspace / "plans" / "desired-north.json"
    plan.write_text(plan.read_text().replace('"61": 3', '"61": 60'))

    code, _ = floor.apply(*floor.merge(head, zipped(workspace, "plans")))

    assert code == 6
    assert floor.made.calls == calls


def test_yaml_that_changes_between_review_and_merge_is_refused(floor: Floor) -> None:
    calls = floor.made.calls
    floor.made.edit("whatsapp: 2", "whatsapp: 3")
    head, workspace = floor.plan()
    before, after = floor.merge(head, zipped(workspace, "plans"))
    floor.made.edit("whatsapp: 3", "whatsapp: 4")
    later = floor.made.checkout.commit("Merge what was proposed, and more")
    floor.made.push()
    requests = floor.host.answers[f"repository/commits/{after}/merge_requests"]
    floor.host.answers[f"repository/commits/{later}/merge_requests"] = requests

    code, log = floor.apply(before, later)

    assert code == 6, log
    assert floor.made.calls == calls


def test_a_commit_without_a_merge_request_is_not_applied(floor: Floor) -> None:
    calls, before = floor.made.calls, floor.made.checkout.git("rev-parse", "main")
    floor.made.edit("whatsapp: 2", "whatsapp: 3")
    after = floor.made.checkout.commit("Push past everybody")
    floor.made.push()
    floor.host.answers[f"repository/commits/{after}/merge_requests"] = []

    code, log = floor.apply(before, after)

    assert code == 6
    assert "nobody has reviewed a plan of it" in log
    assert floor.made.calls == calls


def test_drift_is_an_issue_that_opens_follows_and_closes(floor: Floor, tmp_path: Path) -> None:
    floor.made.edit("whatsapp: 2", "whatsapp: 3")
    floor.made.checkout.commit("Not applied yet")
    floor.made.push()

    floor.host.issues.append({"iid": 1, "open": True, "title": "Not converged: desired/north", "description": "old"})

    floor.scheduled("reconciler:drift")
    north, south = floor.host.issues
    assert (north["title"], south["title"]) == ("Not converged: desired/north", "Not converged: desired/south")
    assert "whatsapp" in north["description"]

    ended = run_in(floor.made.checkout.top, "apply", "desired/north", "--yes", "--rollback-out", str(tmp_path))
    assert ended.code == 0, ended.err
    floor.scheduled("reconciler:drift")
    assert [issue["open"] for issue in floor.host.issues] == [False, True]
