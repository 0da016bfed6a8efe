"""What is particular to GitLab: tokens, folding, labels in one request, an address with a path, forks."""

from __future__ import annotations

from pathlib import Path

import pytest
from review.conftest import Desk, set_gitlab_job
from review.gitlab_host import IID, JOB_TOKEN, MERGED, PROJECT, TOKEN, GitlabHost, gitlab
from review.served import Answer
from support.site import Site


@pytest.fixture
def desk(on_gitlab: Desk) -> Desk:
    return on_gitlab


@pytest.fixture
def host(desk: Desk) -> GitlabHost:
    assert isinstance(desk.host, GitlabHost)
    return desk.host


def test_an_old_comment_is_folded_by_its_text(desk: Desk, host: GitlabHost) -> None:
    desk.run(desk.plan())
    _, _, text = host.notes[0].body.partition("\n")
    desk.run(desk.change(), "--minimize-old")
    marker, opening, _, *rest = host.notes[0].body.split("\n")
    assert marker.startswith("<!-- reconciler:demo:folded:")
    assert opening == "<details><summary>Outdated: a newer comment has taken its place</summary>"
    assert "\n".join(rest).removesuffix("\n\n</details>\n") == text.rstrip()


def test_the_label_changes_in_one_request(desk: Desk, host: GitlabHost) -> None:
    host.labels = ["reconciler/failed", "bug"]
    desk.run(desk.plan())
    (changed,) = [each.body for each in host.writes if each.method == "PUT"]
    assert changed == {"add_labels": "reconciler/changes", "remove_labels": "reconciler/failed"}


def test_what_gitlab_itself_notes_is_no_comment(desk: Desk, host: GitlabHost) -> None:
    desk.run(desk.plan())
    host.notes[0].system = True
    desk.run(desk.plan())
    assert len(host.notes) == 2


def test_a_gitlab_below_a_path_and_a_project_by_name_are_found(
    tmp_path: Path, authorities: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gitlab(prefix="/git") as host:
        set_gitlab_job(monkeypatch, host, prefix="/git")
        desk = Desk(Site(tmp_path), host, ("--ca-file", authorities, "--repository", PROJECT))
        assert desk.run(desk.plan()).code == 0
        assert host.asked[0].path == f"/git/api/v4/projects/ops%2Ffloor/merge_requests/{IID}/notes"


def test_after_the_merge_the_merge_request_is_found_by_its_commit(
    desk: Desk, host: GitlabHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI_MERGE_REQUEST_IID")
    monkeypatch.setenv("CI_COMMIT_SHA", MERGED)
    assert desk.run(desk.plan()).code == 3
    host.pulls[MERGED] = [3, IID]
    assert desk.run(desk.plan()).code == 0
    assert len(host.notes) == 1


def test_a_job_token_is_told_to_be_of_no_use(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_JOB_TOKEN", JOB_TOKEN)
    ended = desk.run(desk.plan(), "--token", "env:CI_JOB_TOKEN")
    assert ended.code == 11
    assert "a CI_JOB_TOKEN cannot write notes; make a project access token with the scope api" in ended.err
    assert JOB_TOKEN not in ended.err


def test_a_scope_that_is_missing_is_named(desk: Desk, host: GitlabHost) -> None:
    host.scopes = ("read_api",)
    ended = desk.run(desk.plan())
    assert ended.code == 11
    assert "the comment cannot be added: the host answered 403 Forbidden: insufficient_scope" in ended.err
    assert "env:GITLAB_TOKEN lacks the scope api" in ended.err


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "env:GITLAB_TOKEN is no token of this host, or has expired; it needs the scope api"),
        (403, "give the account of env:GITLAB_TOKEN the role Developer in the project"),
        (404, "look at --repository and --pull-request"),
        (302, "a redirect is not followed"),
    ],
)
def test_each_refusal_says_what_to_do(desk: Desk, host: GitlabHost, status: int, words: str) -> None:
    host.hurt(Answer(status, {"message": f"{status} no"}))
    ended = desk.run(desk.plan())
    assert ended.code == 11
    assert words in ended.err
    assert TOKEN not in ended.err


def test_a_fork_is_told(desk: Desk, host: GitlabHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "43")
    host.hurt(Answer(403, {"message": "403 Forbidden"}))
    ended = desk.run(desk.plan())
    assert "the merge request comes from a fork, whose pipelines have no token of this project" in ended.err


@pytest.mark.parametrize("path", ["user", "merge_requests/7"])
def test_an_answer_that_is_not_what_the_api_gives_is_told(desk: Desk, host: GitlabHost, path: str) -> None:
    desk.run(desk.plan())
    host.hurt(Answer(200, ["odd"]), at=lambda asked: asked.path.endswith(path))
    ended = desk.run(desk.change())
    assert (ended.code, "the host's answer is not what its API gives" in ended.err) == (11, True)


def test_a_commit_whose_merge_request_may_not_be_read_is_told(
    desk: Desk, host: GitlabHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI_MERGE_REQUEST_IID")
    monkeypatch.setenv("CI_COMMIT_SHA", MERGED)
    host.hurt(Answer(403, {"message": "403 Forbidden"}))
    ended = desk.run(desk.plan())
    assert (ended.code, "the merge request of this commit cannot be read" in ended.err) == (11, True)
