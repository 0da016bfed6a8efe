"""Which pull request is meant: what a job's variables and flags say, and what is refused of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import UsageError
from reconciler.review.address import api_address
from reconciler.review.pull_request import HostKind, PullRequest, Wishes, find_pull_request

GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "octo-org/floor", "GITHUB_REF": "refs/pull/7/merge"}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_API_V4_URL": "https://gitlab.example/api/v4",
    "CI_PROJECT_ID": "43",
    "CI_MERGE_REQUEST_PROJECT_ID": "42",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "43",
    "CI_MERGE_REQUEST_IID": "7",
}
SHA = "c" * 40


def found(environ: dict[str, str], **wishes: object) -> PullRequest:
    return find_pull_request(Wishes(**wishes), environ)  # type: ignore[arg-type]  # as flags give them


def test_a_job_of_github_is_about_its_pull_request() -> None:
    assert found(GITHUB) == PullRequest(
        kind=HostKind.GITHUB, api="https://api.github.com", repository="octo-org/floor", number=7
    )


def test_a_job_of_gitlab_is_about_the_project_that_is_asked_to_merge() -> None:
    assert found(GITLAB) == PullRequest(
        kind=HostKind.GITLAB, api="https://gitlab.example/api/v4", repository="42", number=7, from_fork=True
    )


@pytest.mark.parametrize(
    ("environ", "api"),
    [
        ({**GITLAB, "CI_API_V4_URL": "", "CI_SERVER_URL": "https://git.example"}, "https://git.example/api/v4"),
        ({**GITLAB, "CI_API_V4_URL": ""}, "https://gitlab.com/api/v4"),
        ({**GITHUB, "GITHUB_API_URL": "https://ghe.example/api/v3/"}, "https://ghe.example/api/v3"),
    ],
    ids=["server", "gitlab.com", "enterprise"],
)
def test_the_address_is_that_of_the_job_s_host(environ: dict[str, str], api: str) -> None:
    assert found(environ).api == api


@pytest.mark.parametrize(
    ("event", "number", "from_fork"),
    [
        ({"pull_request": {"number": 9, "head": {"repo": {"id": 1}}}, "repository": {"id": 1}}, 9, False),
        ({"pull_request": {"number": 9, "head": {"repo": {"id": 2}}}, "repository": {"id": 1}}, 9, True),
        ({"pull_request": {"number": 9, "head": {"repo": None}}, "repository": {"id": 1}}, 9, True),
        ({"issue": {"number": 9, "pull_request": {}}, "repository": {"id": 1}}, 9, False),
        ({"issue": {"number": 9}, "repository": {"id": 1}}, 7, False),
        ({"pull_request": {"number": "9"}, "repository": {"id": 1}}, 7, True),
        ({"pull_request": []}, 7, False),
        ([], 7, False),
        (None, 7, False),
    ],
    ids=["own", "fork", "deleted-fork", "comment", "issue", "no-number", "no-object", "list", "none"],
)
def test_the_event_says_more_than_the_ref(tmp_path: Path, event: object, number: int, from_fork: bool) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event))
    pull_request = found({**GITHUB, "GITHUB_EVENT_PATH": str(file)})
    assert (pull_request.number, pull_request.from_fork) == (number, from_fork)


def test_an_event_that_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "event").write_bytes(b"\xff{")
    for path in (tmp_path / "event", tmp_path / "none", tmp_path):
        assert found({**GITHUB, "GITHUB_EVENT_PATH": str(path)}).number == 7


def test_a_job_says_nothing_of_another_repository() -> None:
    with pytest.raises(UsageError, match="the number of the pull request is not known"):
        found({**GITHUB, "GITHUB_SHA": SHA}, repository="octo-org/other")
    with pytest.raises(UsageError, match="the number of the pull request is not known"):
        found({**GITLAB, "CI_COMMIT_SHA": SHA}, repository="ops/other")
    assert not found(GITLAB, repository="ops/other", number=3).from_fork


def test_where_no_pull_request_is_known_its_commit_will_do() -> None:
    github = {**GITHUB, "GITHUB_REF": "refs/heads/main", "GITHUB_SHA": SHA}
    gitlab = {"GITLAB_CI": "true", "CI_PROJECT_ID": "42", "CI_COMMIT_SHA": SHA}
    for environ in (github, gitlab):
        assert (found(environ).number, found(environ).commit) == (None, SHA)


def test_flags_go_before_the_job() -> None:
    wished = found(GITLAB, kind=HostKind.GITHUB, repository="octo-org/other", number=3)
    assert (wished.kind, wished.repository, wished.number) == (HostKind.GITHUB, "octo-org/other", 3)


@pytest.mark.parametrize("name", ["", "a", "a/b/c", "a/..", "./b", "a/b?c", "a/b#c", "a/ b", "a/b\n", "ä/b"])
def test_what_is_no_repository_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="the repository of the pull request is not"):
        found({}, kind=HostKind.GITHUB, repository=name or None, number=1)


@pytest.mark.parametrize("name", ["a", "a/../b", "0", "a/b?c", "a//b", "-1"])
def test_what_is_no_project_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="the repository of the pull request is not"):
        found({}, kind=HostKind.GITLAB, repository=name, number=1)


@pytest.mark.parametrize(
    "url",
    [
        *("", "host", "http://host.example", "ftp://host", "https://", "https://user:secret@host", "https://host/?a=b"),
        *("https://host/#a", "https://host/../x", "https://host:99999", "https://[::1", "https://höst", "https://a b"),
    ],
)
def test_what_a_token_may_not_be_sent_to_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        api_address(url)
    assert "secret" not in f"{caught.value}{caught.value.hint}"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost/api/v4", "http://[::1]:1", "https://host/a"]
)
def test_plain_http_is_for_this_machine(url: str) -> None:
    assert api_address(f"{url}/") == url


@given(st.text())
def test_any_text_is_an_address_or_is_refused(text: str) -> None:
    try:
        address = api_address(text)
    except UsageError:
        return
    assert address.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]"))
