"""What a report is about: a plan, the outcome of a run, or the problems that kept a command from either.

Rules of this file: values only. Whoever renders one, in whatever format, is given one of these and nothing else, so
that a report made as a command ends and one made later from its saved document are the same. The family is closed:
whoever handles it ends with `assert_never`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.diagnostic import Diagnostic
from reconciler.values import Struct, field

if TYPE_CHECKING:  # a look at files alone needs none of these
    from reconciler.model.agent import AgentId
    from reconciler.model.estimate import Estimate
    from reconciler.model.going_back import GoingBack
    from reconciler.model.outcome import Outcome
    from reconciler.model.plan import Base, GuardrailFinding, Plan


class Envelope(Struct, frozen=True, kw_only=True):
    """What every report has, whatever it is about: the fields of every JSON document."""

    command: str
    """Such as `plan` or `apply`."""
    environment: str | None = None
    """The directory as given; `None` for a plan that was saved, which knows of no place."""
    site: str | None = None
    """`None` where the files could not be read."""
    exit_code: int = 0
    exit_reason: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    """With paths as seen from where the command ran."""
    tool_version: str = ""
    """Of the reconciler that ran the command, which need not be the one that reports it."""


class PlanReport(Struct, frozen=True, kw_only=True):
    """A plan: what an apply would do, or what a guardrail refuses."""

    envelope: Envelope
    plan: Plan
    unchanged: int
    """Agents with nothing to do: a saved plan holds only their number."""
    estimate: Estimate | None = None
    """How long it would take, where the site's pace is known."""


def _unwritten() -> Base:
    from reconciler.model.plan import Base  # noqa: PLC0415 - as at the top

    return Base(lineage=None, serial=0)


class OutcomeReport(Struct, frozen=True, kw_only=True):
    """What became of each agent of a plan that was applied or rolled back."""

    envelope: Envelope
    outcomes: tuple[Outcome, ...]
    fingerprint: str = ""
    """Of the plan that was carried out."""
    base: Base = field(default_factory=_unwritten)
    """The state that plan was made against."""
    saved: Base = field(default_factory=_unwritten)
    """The state as the run left it."""
    rollback_file: str | None = None
    """The way back, as the command `rollback` takes it; `None` where the run changed nothing."""
    going_back: GoingBack | None = None
    """Only of a rollback: whom it could not take back or need not call."""
    still_desired: tuple[AgentId, ...] | None = None
    """Only of a rollback: for whom the YAML still asks for something else."""


class ProblemReport(Struct, frozen=True, kw_only=True):
    """A command that ended without a plan and without an outcome; why stands in the envelope's diagnostics.

    `validate` is one, also where it finds nothing, and so is every command that was refused or failed.
    """

    envelope: Envelope
    notes: tuple[str, ...] = ()
    """What else there is to show, a line each, such as the difference between two plans."""
    agents: int | None = None
    """Only of `validate`, of valid files: how many agents they declare."""
    teams: int | None = None
    """Only of `validate`, of valid files: how many teams those belong to."""
    fingerprint: str | None = None
    """Of the plan that a guardrail refused to carry out, where that is why."""
    findings: tuple[GuardrailFinding, ...] = ()
    """The guardrails that plan exceeds."""
    going_back: GoingBack | None = None
    """Of a rollback that was refused because of records that have changed since."""


Reported = PlanReport | OutcomeReport | ProblemReport
