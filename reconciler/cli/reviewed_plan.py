"""The saved plan that an apply is to hold to, and what is shown of it where it cannot be held to.

Rules of this file: a file that was altered, or made by another version, is refused before anything is locked; whatever
is refused is shown beside what would be planned now, since the next thing its reader wants to know is what differs.
"""

from __future__ import annotations

from pathlib import Path

from reconciler import __version__
from reconciler.cli.environment import Environment
from reconciler.cli.failures import error_diagnostic
from reconciler.cli.meanwhile import meanwhile
from reconciler.cli.result import CommandResult
from reconciler.cli.store import open_store, read_state
from reconciler.cli.writing import read_file
from reconciler.collector import paused_collector
from reconciler.errors import StalePlanError
from reconciler.model.printable import printable
from reconciler.planning import PlanDifference, compare_plans, make_plan, require_unaltered
from reconciler.report import ProblemReport, SavedPlan, difference_text, read_saved_plan


@paused_collector()
def read_reviewed(file: Path) -> SavedPlan:
    """Return the plan saved in `file`, whatever may be said against it.

    Raises:
        InputError: it is none.
        StalePlanError: it contradicts itself.
    """
    with meanwhile("reading the plan"):
        return read_saved_plan(read_file(file, what="plan"), name=file.as_posix())


def flaw_of(saved: SavedPlan, file: Path) -> StalePlanError | None:
    """Return why no apply holds to this plan, whatever would be planned now, or `None`."""
    try:
        require_unaltered(saved.plan, name=file.as_posix())
    except StalePlanError as altered:
        return altered
    if saved.tool_version != __version__:
        return StalePlanError(
            f"{printable(file.as_posix())}: made by reconciler {printable(saved.tool_version, limit=40)}, and this is "
            f"{__version__}; nothing was sent",
            hint="plan again with this version and have it reviewed, or apply with the version that made the plan",
        )
    return None


def difference_from_now(opened: Environment, saved: SavedPlan) -> PlanDifference | None:
    """Return how the plan made now departs from `saved`; `None` where that would need the session source."""
    if saved.plan.options.sessions:
        return None
    state = read_state(open_store(opened))
    with meanwhile("comparing with the plan made now"):
        return compare_plans(saved.plan, make_plan(opened.desired, state, saved.plan.options))


def stale_result(opened: Environment, error: StalePlanError, difference: PlanDifference | None) -> CommandResult:
    """Return the refusal, with the difference where there is one."""
    notes = () if difference is None else _notes(difference)
    return CommandResult(
        command="apply",
        exit_code=error.exit_code,
        environment=opened.name,
        site=opened.desired.site.name,
        report=lambda envelope: ProblemReport(envelope=envelope, notes=notes),
        diagnostics=[*opened.warnings, error_diagnostic(error)],
        notes=notes,
    )


def _notes(difference: PlanDifference) -> tuple[str, ...]:
    text = difference_text(
        settings=difference.settings, gone=difference.gone, come=difference.come, altered=difference.altered
    )
    if not text:
        return ("the plan made now would do the same",)
    return ("reviewed (-) and planned now (+):", *text.splitlines())
