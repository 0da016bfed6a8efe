"""`reconciler comment FILE…`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from reconciler.cli.ci_job import job_url
from reconciler.cli.options import json_option
from reconciler.cli.result import CommandResult
from reconciler.cli.review_place import ReviewPlace, review_place_options
from reconciler.cli.review_result import Done, comment_result, rehearsal_result
from reconciler.cli.site_name import site_of
from reconciler.cli.writing import read_file
from reconciler.errors import ReviewHostError, UsageError
from reconciler.planning import require_unaltered
from reconciler.report import PlanReport, Reported, fewest_chars, read_report
from reconciler.review import (
    RehearsedExchange,
    ReviewHost,
    StickyComment,
    fold_others,
    label,
    open_pull_request,
    post,
    require_number,
    sticky_comment,
    ways_of,
)
from reconciler.values import Struct


class _Manner(Struct, frozen=True, kw_only=True):
    """How to go about it."""

    minimize_old: bool
    fold_others: bool
    label: bool


@click.command
@click.argument("files", metavar="FILE…", type=click.Path(path_type=Path), nargs=-1)
@click.option("--site", metavar="NAME", help="The site of a FILE that does not know it: of files that were invalid.")
@click.option("--minimize-old", is_flag=True, help="Add a new comment when something changes, and fold the old one.")
@click.option("--fold-others", is_flag=True, help="Fold comments of sites that have no FILE here any more.")
@click.option("--no-label", is_flag=True, help="Leave the pull request's labels alone.")
@click.option(
    "--dry-run", is_flag=True, help="Print the requests of a first comment; nothing is sent, no token is read."
)
@click.option("--max-chars", type=click.IntRange(min=1), metavar="N", help="What a report may take; the host's limit.")
@review_place_options
@json_option
def command(
    files: tuple[Path, ...],
    *,
    place: ReviewPlace,
    site: str | None,
    minimize_old: bool,
    fold_others: bool,
    no_label: bool,
    dry_run: bool,
    max_chars: int | None,
) -> CommandResult:
    """Tell the plan or the outcome in each FILE on its pull request, on GitHub or GitLab.

    A FILE is what `plan --out`, `--json` or `--report json=FILE` saved. Each site has one comment, which is added or
    brought up to date, and left alone when it says the same already; the pull request carries one label, such as
    reconciler/changes, of whichever of its sites is worst off. Only comments that the token's own account has written
    are changed.

    In a CI job the host, the repository and the pull request are known; flags go before that.

    Exits 3 when a FILE or a flag is wrong or the token is not there, 6 when a FILE was altered, and 11 when the host
    refuses or cannot be reached; the message names the permission that is missing.
    """
    if not files and not fold_others:
        raise UsageError("no FILE is given", hint="give what `plan --out`, `--json` or `--report json=FILE` saved")
    comments = _comments(files, place, site=site, max_chars=max_chars)
    manner = _Manner(minimize_old=minimize_old, fold_others=fold_others, label=not no_label)
    if not dry_run:
        with place.opened() as host:
            return comment_result(place, *_carry_out(host, comments, manner))
    require_number(place.pull_request)
    rehearsed = RehearsedExchange()
    _carry_out(open_pull_request(rehearsed, place.pull_request, place.access), comments, manner)
    return rehearsal_result(place, rehearsed.requests)


def _comments(
    files: Sequence[Path], place: ReviewPlace, *, site: str | None, max_chars: int | None
) -> list[StickyComment]:
    """Read all files, and return their comments; nothing is sent before all of them are known to be right."""
    most = ways_of(place.pull_request.kind).most_chars
    room = most if max_chars is None else max_chars
    if not fewest_chars() <= room <= most:
        raise UsageError(f"--max-chars {room} does not do", hint=f"give a number from {fewest_chars()} to {most}")
    if site is not None and len(files) != 1:
        raise UsageError(
            f"--site names the site of one FILE, and there are {len(files)}", hint="call `comment` for each"
        )
    comments: dict[str, StickyComment] = {}
    for file in files:
        report = _read(file)
        name = site_of(report, name=file.as_posix(), given=site)
        if name in comments:
            raise UsageError(f"two files are of site {name}", hint="give one FILE for each site")
        comments[name] = sticky_comment(report, site=name, max_chars=room, page=job_url(os.environ))
    return list(comments.values())


def _read(file: Path) -> Reported:
    report = read_report(read_file(file, what="plan or outcome"), name=file.as_posix())
    if isinstance(report, PlanReport):
        require_unaltered(report.plan, name=file.as_posix())
    return report


def _carry_out(
    host: ReviewHost, comments: Sequence[StickyComment], manner: _Manner
) -> tuple[Done, ReviewHostError | None]:
    """Post, and label; a refusal ends it, and what was done before is told all the same."""
    posted, error = post(host, comments, fold_old=manner.minimize_old)
    done = Done(posted=posted)
    if error is not None:
        return done, error
    try:
        if manner.fold_others:
            done.others = fold_others(host, done.posted)
        if manner.label:
            done.label = label(host, done.posted)
    except ReviewHostError as error:
        return done, error
    return done, None
