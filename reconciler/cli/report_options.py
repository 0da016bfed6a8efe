"""The flags that ask for reports."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.invocation import ReportFile, Reports
from reconciler.cli.report_targets import ask_for
from reconciler.report import ALL_FORMATS, MAX_CHARS, Format, fewest_chars

if TYPE_CHECKING:
    from reconciler.cli.github_job import GithubJob

_F = TypeVar("_F", bound=Callable[..., Any])

_STDOUT = "-"


class FormatType(click.ParamType[Format]):
    """A format that makes sense of the command."""

    name = "FORMAT"

    def __init__(self, formats: Sequence[Format]) -> None:
        """Take the formats that do."""
        self._formats = {str(each): each for each in formats}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Format:
        """Parse, or name the nearest one."""
        try:
            return self._formats[str(value)]
        except KeyError:
            self.fail(self._advice(str(value)), param, ctx)

    def _advice(self, word: str) -> str:
        formats = f"formats are: {', '.join(self._formats)}"
        if word in list(Format):
            return f"{word} makes no sense of this command; {formats}"
        from difflib import get_close_matches  # noqa: PLC0415 - only a slip of the keyboard needs it

        near = get_close_matches(word, self._formats, n=1)
        return f"no format {word!r}; " + (f"did you mean {near[0]!r}?" if near else formats)


class ReportType(click.ParamType[ReportFile]):
    """`FORMAT=FILE`, with `-` for standard output."""

    name = "FORMAT=FILE"

    def __init__(self, formats: Sequence[Format]) -> None:
        """Take the formats that make sense of the command."""
        self._format = FormatType(formats)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ReportFile:
        """Parse, or say how it is written."""
        word, equals, name = str(value).partition("=")
        format_ = self._format.convert(word, param, ctx)
        if not equals or not name:
            self.fail(f"{value!r} names no file; write {word}=FILE, or {word}=- for standard output", param, ctx)
        return ReportFile(format_=format_, path=None if name == _STDOUT else Path(name))


def report_options(*formats: Format) -> Callable[[_F], _F]:
    """Return a decorator that adds the flags for reports in these formats, which the border then writes.

    A command that has one of the options `ci_option` and `format_option` names it outside of these.
    """

    def add(command: _F) -> _F:
        @click.option(
            "--report",
            "files",
            type=ReportType(formats),
            multiple=True,
            help=f"Also write a report (repeatable), also on failure; FILE - is stdout. {', '.join(formats)}.",
        )
        @click.option(
            "--max-chars",
            type=click.IntRange(min=1),
            default=MAX_CHARS,
            show_default=True,
            metavar="N",
            help="What a report in Markdown may take.",
        )
        @functools.wraps(command)
        @click.pass_context
        def with_reports(ctx: click.Context, /, files: tuple[ReportFile, ...], max_chars: int, **rest: Any) -> Any:
            _require_room(max_chars)
            format_, host = rest.pop("format_", None), rest.pop("ci", None)
            shown = () if format_ is None else (ReportFile(format_=format_, path=None),)
            reports = Reports(
                files=(*files, *shown),
                max_chars=max_chars,
                github=None if host is None else _github(),
                plan_file=ctx.params.get("out"),
            )
            ask_for(ctx, reports)
            return command(**rest)

        return with_reports  # type: ignore[return-value]  # the flags are gone: click calls it

    return add


def _github() -> GithubJob:
    from reconciler.cli.github_job import github_job  # noqa: PLC0415 - only its own jobs need it

    return github_job(os.environ)


format_option = click.option(
    "--format", "format_", type=FormatType(ALL_FORMATS), help=f"Show it in this format: {', '.join(ALL_FORMATS)}."
)
ci_option = click.option(
    "--ci",
    type=click.Choice(["github"]),
    help="Also write the step summary, the step's outputs and annotations, where the host looks for them.",
)


def _require_room(max_chars: int) -> None:
    # What there is by default is room enough; only then need Markdown not be loaded to be asked.
    if max_chars < MAX_CHARS and max_chars < fewest_chars():
        raise click.UsageError(f"--max-chars {max_chars} is too few for a report: give at least {fewest_chars()}")
