"""Any document of a run read back: a plan, saved or printed; the outcome of an apply or a rollback; a failure.

Every field is checked and nothing is guessed: the file has been in an artifact store and in other hands, and what it
says may end on a page that somebody trusts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Action
from reconciler.report.documents.outcomes import outcome_summary
from reconciler.report.reading.border import Kind, read_file_of
from reconciler.report.reading.change import agent_id
from reconciler.report.reading.change_lines import split_agent
from reconciler.report.reading.envelope import (
    agents_once,
    base,
    envelope,
    finding,
    fingerprint_text,
    require_format,
)
from reconciler.report.reading.going_back import going_back
from reconciler.report.reading.plan import plan_report
from reconciler.report.reading.values import (
    ContradictionError,
    Fields,
    Members,
    MisreadError,
    count,
    keyed,
    listed,
    optional,
    shown,
    text,
    word_of,
)
from reconciler.report.reported import OutcomeReport, ProblemReport, Reported

_KIND = Kind(
    noun="a plan or an outcome",
    advice="name a file of `plan --out`, or what `--json` or `--report json=FILE` gave; it is not meant to be edited",
    altered="have it made anew: nobody can say what it was before",
    upgrade="upgrade this reconciler to the version that wrote it",
)

_COMMAND = re.compile(r"[a-z][a-z-]{0,20}( [a-z][a-z-]{0,20})?", re.ASCII)
_PLANS = ("plan", "rollback")
_RUNS = ("apply", "rollback")
_action = keyed({str(action): action for action in Action if action is not Action.UNCHANGED})
_result = word_of(Result)


def read_report(data: bytes, *, name: str) -> Reported:
    """Return what the document in `data` tells of.

    Args:
        data: the bytes of the file.
        name: the file's name as the user wrote it, for messages.

    Raises:
        InputError: it is no document of a run, or one of another format version; the message names the field.
        StalePlanError: one part of it contradicts another: somebody edited it.
    """
    return read_file_of(_KIND, data, _document, name=name)


def _document(value: object) -> Reported:
    fields = Fields(value)
    require_format(fields.take("format_version", text))
    if "document" in fields.remaining():
        raise MisreadError("it is a rollback file; `reconciler rollback FILE --preview` shows it")
    command = fields.take("command", _command)
    if "changes" in fields.remaining():
        _require_one_of(command, _PLANS, "changes")
        return plan_report(fields, command=command)
    if "outcomes" in fields.remaining():
        _require_one_of(command, _RUNS, "outcomes")
        return _outcome_report(fields, command)
    return _problem_report(fields, command)


def _outcome_report(fields: Fields, command: str) -> OutcomeReport:
    outcomes = fields.take("outcomes", _outcomes)
    fields.take("summary", lambda summary: _require_counts(summary, outcome_summary(outcomes)))
    rollback = command == "rollback"
    report = OutcomeReport(
        envelope=envelope(fields, command=command, site=fields.take("site", text)),
        outcomes=outcomes,
        fingerprint=fields.take("fingerprint", fingerprint_text),
        base=fields.take("base", base),
        saved=fields.take("saved", base),
        rollback_file=fields.take("rollback_file", optional(text)),
        going_back=fields.take("going_back", going_back) if rollback else None,
        still_desired=fields.take("still_desired", agents_once) if rollback else None,
    )
    fields.finish()
    return report


def _problem_report(fields: Fields, command: str) -> ProblemReport:
    told = envelope(fields, command=command, site=fields.take("site", optional(text)))
    summary = fields.take("summary", Fields)
    agents, teams = None, None
    if command == "validate":
        agents, teams = summary.take("agents", optional(count)), summary.take("teams", optional(count))
        severities = [f"{each.severity}s" for each in told.diagnostics]
        for name in ("errors", "warnings"):
            _require_count(summary, name, severities.count(name), f".summary.{name}")
    elif told.exit_code == 0:
        raise MisreadError("has neither changes nor outcomes, and so failed", ".exit_code")
    summary.finish()
    refused = "guardrails" in fields.remaining()
    report = ProblemReport(
        envelope=told,
        notes=fields.take_or("notes", listed(text), ()),
        agents=agents,
        teams=teams,
        fingerprint=fields.take("fingerprint", fingerprint_text) if refused else None,
        findings=fields.take("guardrails", listed(finding)) if refused else (),
        going_back=fields.take_or("going_back", going_back, None),
    )
    fields.finish()
    return report


def _outcomes(value: object) -> tuple[Outcome, ...]:
    outcomes = listed(_OutcomeReader())(value)
    if len({each.agent for each in outcomes}) != len(outcomes):
        raise MisreadError("names an agent twice")
    return outcomes


class _OutcomeReader:
    """Reads the entries of `outcomes`. Most agents end alike, so each distinct end is read once."""

    def __init__(self) -> None:
        self._seen: dict[str, Callable[..., Outcome]] = {}

    def __call__(self, value: object) -> Outcome:
        """Return the outcome that `value` describes."""
        if not isinstance(value, Members):
            fields = Fields(value)
            agent = fields.take("agent", agent_id)
            return _end(fields)(agent=agent)
        agent, shared = split_agent(value)
        end = self._seen.get(shared)
        if end is None:
            end = self._seen[shared] = _end(Fields(Members(shared)))
        return end(agent=agent)


def _end(fields: Fields) -> Callable[..., Outcome]:
    end = partial(
        Outcome,
        action=fields.take("action", _action),
        result=fields.take("outcome", _result),
        retcode=fields.take("retcode", optional(text)),
        message=fields.take("message", text),
        attempts=fields.take("attempts", count),
    )
    fields.finish()
    return end


def _require_counts(value: object, wanted: dict[str, int]) -> None:
    fields = Fields(value)
    for name, number in wanted.items():
        _require_count(fields, name, number, f".{name}")
    fields.finish()


def _require_count(fields: Fields, name: str, wanted: int, place: str) -> None:
    told = fields.take(name, count)
    if told != wanted:
        raise ContradictionError(f"{told} contradicts what stands beside it, which makes it {wanted}", place)


def _command(value: object) -> str:
    if not _COMMAND.fullmatch(text(value)):
        raise MisreadError(f"{shown(value)} is no command")
    return text(value)


def _require_one_of(command: str, commands: tuple[str, ...], name: str) -> None:
    if command not in commands:
        raise MisreadError(f"{command} has no {name}", ".command")
