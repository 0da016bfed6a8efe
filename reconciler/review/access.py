"""Opens a pull request at its host: with the right headers, limits and number.

Rules of this file: the token goes into a header and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from reconciler.errors import CredentialError, InputError, UsageError
from reconciler.model.secret_reference import SecretReference
from reconciler.review import github, gitlab
from reconciler.review.exchange import Exchange
from reconciler.review.host import ReviewHost
from reconciler.review.pull_request import HostKind, PullRequest
from reconciler.review.refusal import Access
from reconciler.values import Struct, replace

_JOB_TOKEN = "env:CI_JOB_TOKEN"  # noqa: S105 - a reference to one


class HostWays(Struct, frozen=True, kw_only=True):
    """How a host differs from the others before it is asked anything."""

    token: SecretReference
    """Where its token is, unless somebody says otherwise."""
    most_chars: int
    """Of a report in a comment."""


def ways_of(kind: HostKind) -> HostWays:
    """Return what is particular to a host."""
    match kind:
        case HostKind.GITHUB:
            return HostWays(token=SecretReference.parse("env:GITHUB_TOKEN"), most_chars=github.MOST_CHARS)
        case HostKind.GITLAB:
            return HostWays(token=SecretReference.parse("env:GITLAB_TOKEN"), most_chars=gitlab.MOST_CHARS)
        case _:
            assert_never(kind)


def headers_of(kind: HostKind, *, token: str, reference: SecretReference) -> Mapping[str, str]:
    """Return the headers of every request, the token among them.

    Raises:
        CredentialError: the token cannot stand in a header.
    """
    if not token.isascii() or not token.isprintable() or " " in token:
        raise CredentialError(f"--token: {reference}: it holds characters that no token has", hint="store it anew")
    match kind:
        case HostKind.GITHUB:
            return {**github.HEADERS, "Authorization": f"Bearer {token}"}
        case HostKind.GITLAB:
            return {"JOB-TOKEN" if str(reference) == _JOB_TOKEN else "PRIVATE-TOKEN": token}
        case _:
            assert_never(kind)


def open_pull_request(exchange: Exchange, place: PullRequest, access: Access) -> ReviewHost:
    """Return the pull request at its host; which one it is, is asked where only its commit is known.

    Raises:
        InputError: no pull request has the commit.
        ReviewHostError: the host refuses, or cannot be reached.
    """
    match place.kind:
        case HostKind.GITHUB:
            number = place.number or github.pull_request_of(exchange, place, access)
            return github.Github(exchange, _numbered(place, number), access)
        case HostKind.GITLAB:
            number = place.number or gitlab.merge_request_of(exchange, place, access)
            return gitlab.Gitlab(exchange, _numbered(place, number), access)
        case _:
            assert_never(place.kind)


def require_number(place: PullRequest) -> None:
    """Refuse a place that the host would have to be asked for.

    Raises:
        UsageError: its number is not known.
    """
    if place.number is None:
        raise UsageError("--dry-run asks nobody for the pull request", hint="give it: --pull-request NUMBER")


def _numbered(place: PullRequest, number: int | None) -> PullRequest:
    if number is None:
        raise InputError(
            f"commit {place.commit} belongs to no pull request of {place.repository}",
            hint="where people push without one, leave `comment` out; else give --pull-request NUMBER",
        )
    return replace(place, number=number)
