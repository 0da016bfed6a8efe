"""The flags that say where a comment goes and with which token, handed to the command as one value."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

from reconciler.cli.options import DurationType
from reconciler.cli.writing import read_file
from reconciler.credentials import read_secret
from reconciler.model.secret_reference import SecretReference
from reconciler.review import (
    Access,
    HostKind,
    PullRequest,
    ReviewHost,
    Wishes,
    exchanging,
    find_pull_request,
    headers_of,
    open_pull_request,
    ways_of,
)
from reconciler.values import Struct

_F = TypeVar("_F", bound=Callable[..., Any])


class ReferenceType(click.ParamType[SecretReference]):
    """Where a secret is; never a secret."""

    name = "REFERENCE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> SecretReference:
        """Parse, or say how it is written without repeating it."""
        try:
            return value if isinstance(value, SecretReference) else SecretReference.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class ReviewPlace(Struct, frozen=True, kw_only=True):
    """A pull request, and how to get at it."""

    pull_request: PullRequest
    token: SecretReference
    ca_file: Path | None
    patience: float
    """Seconds that may be spent waiting for a host that asks to wait."""

    @property
    def access(self) -> Access:
        """What an error says of how the host was asked."""
        return Access(token=str(self.token), from_fork=self.pull_request.from_fork)

    @contextlib.contextmanager
    def opened(self) -> Iterator[ReviewHost]:
        """Read the token, and yield the pull request.

        Raises:
            CredentialError: the token is not where its reference says.
            InputError: the file of authorities cannot be read, or no pull request has the commit.
            ReviewHostError: the host was asked which pull request is meant, and refused.
        """
        token = read_secret(self.token, root=Path(), environ=os.environ, what="--token")
        with exchanging(
            api=self.pull_request.api,
            headers=headers_of(self.pull_request.kind, token=token, reference=self.token),
            authorities=None if self.ca_file is None else read_file(self.ca_file, what="CA certificate"),
            patience=self.patience,
            secret=token,
        ) as exchange:
            yield open_pull_request(exchange, self.pull_request, self.access)


def review_place_options(command: _F) -> _F:
    """Add the flags, handed to the command as one `place`."""

    @click.option(
        "--host", type=click.Choice([str(each) for each in HostKind]), help="The host; in a CI job it is known."
    )
    @click.option(
        "--api-url", metavar="URL", help="Its API: https://github.example.com/api/v3; in a CI job it is known."
    )
    @click.option(
        "--repository", metavar="NAME", help="OWNER/NAME, or GitLab's GROUP/PROJECT; in a CI job it is known."
    )
    @click.option(
        "--pull-request",
        type=click.IntRange(min=1),
        metavar="NUMBER",
        help="Its number; in a CI job it is known, also after the merge.",
    )
    @click.option("--token", type=ReferenceType(), help="Where the token is; env:GITHUB_TOKEN or env:GITLAB_TOKEN.")
    @click.option(
        "--ca-file", type=click.Path(path_type=Path), help="Authorities to trust instead of the machine's, PEM."
    )
    @click.option(
        "--max-wait",
        type=DurationType(),
        default="5m",
        show_default=True,
        help="How long to wait in all for a host that asks to wait.",
    )
    @functools.wraps(command)
    def with_place(
        *,
        host: str | None,
        api_url: str | None,
        repository: str | None,
        pull_request: int | None,
        token: SecretReference | None,
        ca_file: Path | None,
        max_wait: float,
        **rest: Any,
    ) -> Any:
        kind = None if host is None else HostKind(host)
        wishes = Wishes(kind=kind, api=api_url, repository=repository, number=pull_request)
        found = find_pull_request(wishes, os.environ)
        place = ReviewPlace(
            pull_request=found, token=token or ways_of(found.kind).token, ca_file=ca_file, patience=max_wait
        )
        return command(place=place, **rest)

    return with_place  # type: ignore[return-value]  # the flags are gone and the place is there: click calls it
