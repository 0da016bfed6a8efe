"""What a step of a GitHub workflow leaves behind: its summary, its outputs and its annotations.

The host names two files, and reads commands from everything a step prints. Gitea and Forgejo do the same.

Rules of this file: it only ever adds to those files, since a step may run several commands; the summary is held to what
the host takes of a step, or it takes nothing.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from reconciler.cli.streams import write
from reconciler.errors import InputError, UsageError
from reconciler.report import Format, Reported, Repository, fewest_chars, output_lines, render, step_outputs
from reconciler.values import Struct

_MOST = 1024 * 1024
"""Bytes of summary that the host takes of one step."""
_OUTPUT, _SUMMARY = "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"


class GithubJob(Struct, frozen=True, kw_only=True):
    """The files that the host has made for this step."""

    outputs: Path
    summary: Path | None
    """Older hosts have none."""


def github_job(environ: Mapping[str, str]) -> GithubJob:
    """Return the files of the step that this process runs in.

    Raises:
        UsageError: this is no step of a workflow.
    """
    if not environ.get(_OUTPUT):
        raise UsageError(f"--ci github: {_OUTPUT} is not set", hint="leave it out where no GitHub workflow runs this")
    summary = environ.get(_SUMMARY)
    return GithubJob(outputs=Path(environ[_OUTPUT]), summary=Path(summary) if summary else None)


def leave_in_job(report: Reported, job: GithubJob, *, repository: Repository, places: Mapping[str, str]) -> None:
    """Leave what there is to say of `report` where the host looks for it.

    Args:
        report: what the command came to.
        job: the step's files.
        repository: where the report's files are.
        places: outputs that name files, which the steps after this one can take up.

    Raises:
        InputError: a file of the host's cannot be written; what comes after it in this function is still done.
    """
    write(sys.stderr, render(report, Format.ANNOTATIONS, repository=repository))
    outputs = output_lines({**step_outputs(report), **places}, delimiter=f"end{secrets.token_hex(16)}")
    try:
        _add(job.outputs, outputs)
    finally:
        if job.summary is not None:
            _add(job.summary, _summary(report, job.summary, repository))


def _summary(report: Reported, file: Path, repository: Repository) -> str:
    """Return the report as Markdown in what room there is left, or nothing where there is none."""
    try:
        room = _MOST - file.stat().st_size - 1
    except OSError:  # not there yet; if it is worse, writing it says so
        room = _MOST - 1
    if room < fewest_chars():
        return ""
    return render(report, Format.MARKDOWN, repository=repository, max_chars=room) + "\n"


def _add(file: Path, text: str) -> None:
    try:
        # A name of a file need not be UTF-8: what cannot be said in it is escaped rather than refused.
        with file.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as opened:
            opened.write(text)
    except OSError as error:
        raise InputError(f"--ci github: {file.as_posix()} cannot be written: {error.strerror}") from error
