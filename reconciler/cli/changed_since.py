"""`--changed-since REV`: whom an edit is about, resolved against the files as an earlier commit had them.

Rules of this file: where the comparison cannot be made, everybody is looked at and the plan says why. A plan that shows
too much costs a minute; one that silently shows too little gets something approved that nobody saw.
"""

from __future__ import annotations

import os

from reconciler.cli.environment import Environment
from reconciler.desired import load
from reconciler.model.agent import summarise_agents
from reconciler.model.changed_since import ChangedSince
from reconciler.model.desired import Desired
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.planning import affected_agents, shaping_settings
from reconciler.revisions import Revision, UnreadableTreeError, environment_at, find_revision


def changed_since(given: str, opened: Environment) -> tuple[ChangedSince, tuple[Diagnostic, ...]]:
    """Return the agents whose desired values differ from those of the revision `given`, and what there is to warn of.

    Raises:
        UsageError: there is no such revision to compare with.
    """
    revision = find_revision(given, place=opened.root, environ=os.environ)
    try:
        with environment_at(revision, opened.root) as earlier:
            if earlier is None:
                return _everybody(revision, "the environment was not there"), ()
            # What it takes to be applied is of no interest any more, only what it said.
            then = load(earlier, allow_empty=True)
    except UnreadableTreeError as error:
        return _unknown(revision, opened, str(error))
    if then.desired is None:
        first = next(each for each in then.diagnostics if each.severity is Severity.ERROR)
        return _unknown(revision, opened, f"{_told(first)}")
    return _compared(revision, opened.desired, then.desired), ()


def _compared(revision: Revision, desired: Desired, earlier: Desired) -> ChangedSince:
    settings = shaping_settings(desired, earlier)
    if settings:
        return _everybody(revision, f"{' and '.join(settings)} in site.yaml {_differ(len(settings))}")
    agents = summarise_agents(affected_agents(desired, earlier))
    return ChangedSince(revision=revision.given, commit=revision.commit, agents=agents)


def _unknown(revision: Revision, opened: Environment, why: str) -> tuple[ChangedSince, tuple[Diagnostic, ...]]:
    warning = Diagnostic(
        path=opened.name,
        code="changed-since-unknown",
        summary=f"what has changed since {revision.given} cannot be told, so everybody is looked at: {why}",
        severity=Severity.WARNING,
    )
    return _everybody(revision, "the environment could not be read there"), (warning,)


def _everybody(revision: Revision, why: str) -> ChangedSince:
    return ChangedSince(revision=revision.given, commit=revision.commit, everybody=why)


def _told(problem: Diagnostic) -> str:
    place = ":".join(str(part) for part in (problem.path, problem.line) if part)
    return f"{place}: {problem.summary}" if place else problem.summary


def _differ(count: int) -> str:
    return "differs" if count == 1 else "differ"
