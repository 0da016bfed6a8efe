"""The formats a report can be had in, which of them make sense of what, and the one function that makes any of them.

To add one, write its module, and add it to `Format`, to `_SENSIBLE` and to `render_pieces`. Modules of formats are
imported when they are asked for: most commands write none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, assert_never

from reconciler.report.reported import OutcomeReport, PlanReport, ProblemReport, Reported

if TYPE_CHECKING:
    from reconciler.report.hosts.problems import Repository

MAX_CHARS = 60_000
"""What a report in Markdown may take unless somebody says otherwise: a comment on GitHub."""


class Format(StrEnum):
    """What a report can be written as."""

    TEXT = "text"
    """What the command prints, without colour."""
    JSON = "json"
    """The document of `--json`."""
    MARKDOWN = "markdown"
    """For a comment or a step summary; held to a number of characters."""
    HTML = "html"
    """One page that needs nothing else."""
    ANNOTATIONS = "annotations"
    """GitHub's workflow commands."""
    SARIF = "sarif"
    """SARIF 2.1.0, for code scanning."""
    CODEQUALITY = "codequality"
    """GitLab Code Quality."""
    JUNIT = "junit"
    """JUnit XML."""
    TERRAFORM = "terraform"
    """GitLab's `reports:terraform`: the counts of a plan."""


_PeoplesFormat = Literal[Format.TEXT, Format.MARKDOWN, Format.HTML]
_HostFormat = Literal[Format.ANNOTATIONS, Format.SARIF, Format.CODEQUALITY, Format.TERRAFORM]

ALL_FORMATS = tuple(Format)
RUN_FORMATS = tuple(each for each in Format if each not in {Format.SARIF, Format.CODEQUALITY, Format.TERRAFORM})
"""Those that make sense of a run: its troubles do not stand in files, and its counts are no plan's."""
FILE_FORMATS = tuple(each for each in Format if each is not Format.TERRAFORM)
"""Those that make sense of files that were only looked at."""

_SENSIBLE: Mapping[type[Reported], tuple[Format, ...]] = {
    PlanReport: ALL_FORMATS,
    OutcomeReport: RUN_FORMATS,
    ProblemReport: ALL_FORMATS,  # also of a plan that failed: a host that waits for its counts is told there are none
}


def fewest_chars() -> int:
    """Return what Markdown needs at least."""
    from reconciler.report.markdown import MIN_CHARS  # noqa: PLC0415 - see the top of this file

    return MIN_CHARS


def makes_sense(report: Reported, format_: Format) -> bool:
    """Tell whether `report` can be said in this format."""
    return format_ in _SENSIBLE[type(report)]


def render(report: Reported, format_: Format, *, repository: Repository, max_chars: int = MAX_CHARS) -> str:
    """Return `report` in a format that makes sense of it, ending in a newline, or empty.

    Args:
        report: what to tell.
        format_: how.
        repository: where its files are, for the formats that CI hosts read.
        max_chars: what Markdown may take.
    """
    return "".join(render_pieces(report, format_, repository=repository, max_chars=max_chars))


def render_pieces(
    report: Reported, format_: Format, *, repository: Repository, max_chars: int = MAX_CHARS
) -> Iterator[str]:
    """Yield what `render` returns, and of a format that has a line for every agent each of them as it is asked for."""
    match format_:
        case Format.JSON:
            from reconciler.report.documents.report import report_document  # noqa: PLC0415 - see the top of this file
            from reconciler.report.documents.text import document_pieces  # noqa: PLC0415 - as above

            yield from document_pieces(report_document(report))
        case Format.JUNIT:
            from reconciler.report.hosts.junit import junit  # noqa: PLC0415 - as above

            yield from junit(report, repository=repository)
        case Format.ANNOTATIONS | Format.SARIF | Format.CODEQUALITY | Format.TERRAFORM:
            yield _for_hosts(report, format_, repository)
        case _:
            yield _for_people(report, format_, max_chars)


def _for_people(report: Reported, format_: _PeoplesFormat, max_chars: int) -> str:
    match format_:
        case Format.TEXT:
            from reconciler.report.text.report import report_text  # noqa: PLC0415 - as above

            return report_text(report)
        case Format.MARKDOWN:
            from reconciler.report.markdown import markdown  # noqa: PLC0415 - as above

            return markdown(report, max_chars=max_chars)
        case Format.HTML:
            from reconciler.report.html import html  # noqa: PLC0415 - as above

            return html(report)
        case _:
            assert_never(format_)


def _for_hosts(report: Reported, format_: _HostFormat, repository: Repository) -> str:
    match format_:
        case Format.ANNOTATIONS:
            from reconciler.report.hosts.annotations import github_annotations  # noqa: PLC0415 - as above

            return github_annotations(report, repository=repository)
        case Format.SARIF:
            from reconciler.report.hosts.sarif import sarif  # noqa: PLC0415 - as above

            return sarif(report, repository=repository)
        case Format.CODEQUALITY:
            from reconciler.report.hosts.code_quality import code_quality  # noqa: PLC0415 - as above

            return code_quality(report, repository=repository)
        case Format.TERRAFORM:
            from reconciler.report.hosts.terraform import terraform  # noqa: PLC0415 - as above

            return terraform(report)
        case _:
            assert_never(format_)
