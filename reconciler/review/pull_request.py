"""Which pull request, at which host: from the variables of a CI job, and from flags, which go before them.

Rules of this file: of the variables it reads only those of the host that is meant, and no secret is among them. What
somebody gave wrongly is refused here, before any request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import assert_never

from reconciler.errors import UsageError
from reconciler.review.address import api_address
from reconciler.review.github_event import GithubEvent, github_event
from reconciler.values import Struct

_NUMBER = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40,64}", re.ASCII)
_WORD = r"(?!\.{1,2}(?:/|\Z))[A-Za-z0-9_.-]{1,100}"
_GITHUB_REPOSITORY = re.compile(rf"{_WORD}/{_WORD}", re.ASCII)
_GITLAB_PROJECT = re.compile(rf"[1-9][0-9]{{0,18}}|{_WORD}(?:/{_WORD}){{1,20}}", re.ASCII)
_MERGE_REF = re.compile(r"refs/pull/([1-9][0-9]{0,9})/(?:merge|head)", re.ASCII)


class HostKind(StrEnum):
    """The hosts that are known."""

    GITHUB = "github"
    """github.com, GitHub Enterprise Cloud and GitHub Enterprise Server."""
    GITLAB = "gitlab"
    """gitlab.com, GitLab Dedicated and self-managed GitLab."""


class PullRequest(Struct, frozen=True, kw_only=True):
    """Where the comment goes."""

    kind: HostKind
    api: str
    """The address of the host's API, without a slash at its end."""
    repository: str
    """`OWNER/NAME`; with GitLab the project's path, or its number."""
    number: int | None
    """`None` when only the commit is known: the host is asked which pull request that belongs to."""
    commit: str | None = None
    from_fork: bool = False
    """It asks to take over commits of another repository, so that this job's token may be for reading only."""


class Wishes(Struct, frozen=True, kw_only=True):
    """What flags say; whatever is `None` is taken from the job."""

    kind: HostKind | None = None
    api: str | None = None
    repository: str | None = None
    number: int | None = None


def find_pull_request(wishes: Wishes, environ: Mapping[str, str]) -> PullRequest:
    """Return the pull request that is meant.

    Raises:
        UsageError: it is not known, or an address or a name is none.
    """
    kind = wishes.kind or _kind_of_job(environ)
    match kind:
        case HostKind.GITHUB:
            return _at_github(wishes, environ)
        case HostKind.GITLAB:
            return _at_gitlab(wishes, environ)
        case None:
            raise UsageError(
                "no pull request is known: this is no job of GitHub or GitLab",
                hint="name it: --host github --repository OWNER/NAME --pull-request NUMBER",
            )
        case _:
            assert_never(kind)


def _kind_of_job(environ: Mapping[str, str]) -> HostKind | None:
    if environ.get("GITLAB_CI"):
        return HostKind.GITLAB
    return HostKind.GITHUB if environ.get("GITHUB_ACTIONS") or environ.get("GITHUB_REPOSITORY") else None


def _at_github(wishes: Wishes, environ: Mapping[str, str]) -> PullRequest:
    own = environ.get("GITHUB_REPOSITORY")
    repository = _named(wishes.repository or own, _GITHUB_REPOSITORY, form="OWNER/NAME", variable="GITHUB_REPOSITORY")
    # What the job is about says nothing of a pull request in another repository.
    at_home = repository == own
    event = github_event(environ.get("GITHUB_EVENT_PATH")) if at_home else GithubEvent()
    ref = _MERGE_REF.fullmatch(environ.get("GITHUB_REF", "")) if at_home else None
    number = wishes.number or event.number or (int(ref[1]) if ref else None)
    return _found(
        PullRequest(
            kind=HostKind.GITHUB,
            api=api_address(wishes.api or environ.get("GITHUB_API_URL") or "https://api.github.com"),
            repository=repository,
            number=number,
            commit=_commit(environ.get("GITHUB_SHA")) if at_home else None,
            from_fork=event.from_fork,
        )
    )


def _at_gitlab(wishes: Wishes, environ: Mapping[str, str]) -> PullRequest:
    # Of a merge request from a fork, the project that is asked to take it over.
    own = environ.get("CI_MERGE_REQUEST_PROJECT_ID") or environ.get("CI_PROJECT_ID")
    project = _named(wishes.repository or own, _GITLAB_PROJECT, form="GROUP/PROJECT", variable="CI_PROJECT_ID")
    at_home = project in {own, environ.get("CI_PROJECT_PATH"), environ.get("CI_MERGE_REQUEST_PROJECT_PATH")}
    iid = environ.get("CI_MERGE_REQUEST_IID", "") if at_home else ""
    server = environ.get("CI_SERVER_URL")
    url = wishes.api or environ.get("CI_API_V4_URL") or (f"{server}/api/v4" if server else "https://gitlab.com/api/v4")
    source = environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID")
    return _found(
        PullRequest(
            kind=HostKind.GITLAB,
            api=api_address(url),
            repository=project,
            number=wishes.number or (int(iid) if _NUMBER.fullmatch(iid) else None),
            commit=_commit(environ.get("CI_COMMIT_SHA")) if at_home else None,
            from_fork=at_home and source is not None and source != environ.get("CI_MERGE_REQUEST_PROJECT_ID"),
        )
    )


def _found(pull_request: PullRequest) -> PullRequest:
    if pull_request.number is None and pull_request.commit is None:
        raise UsageError("the number of the pull request is not known", hint="give it: --pull-request NUMBER")
    return pull_request


def _named(name: str | None, pattern: re.Pattern[str], *, form: str, variable: str) -> str:
    if name is None or not pattern.fullmatch(name):
        what = "is not known" if name is None else f"is not {form}"
        raise UsageError(f"the repository of the pull request {what}", hint=f"give --repository {form}, or {variable}")
    return name


def _commit(text: str | None) -> str | None:
    return text if text is not None and _COMMIT.fullmatch(text) else None
