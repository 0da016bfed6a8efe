"""What applying a plan would touch and what it would leave alone, in sentences with numbers in them."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.estimate import Estimate
from reconciler.model.plan import Action, EditKind, Plan, Reason
from reconciler.model.printable import printable
from reconciler.report.layout import counted, hang
from reconciler.report.text.attendance import attendance_facts
from reconciler.report.text.estimate import estimate_facts
from reconciler.report.text.going_back import nothing_to_send


def fact_lines(plan: Plan, *, unchanged: int, estimate: Estimate | None = None) -> list[str]:
    """Return the sentences of `facts`, broken where they are long."""
    sentences = facts(plan, unchanged=unchanged, estimate=estimate)
    return [line for fact in sentences for line in hang("", fact.split(" "), indent=4, separator=" ")]


def facts(plan: Plan, *, unchanged: int, estimate: Estimate | None = None) -> list[str]:
    """Return the sentences.

    Args:
        plan: fresh or read from a file.
        unchanged: how many agents have nothing to do.
        estimate: how long it would take, where the site's pace is known.
    """
    if plan.changes:
        return [*_touched(plan, estimate), *_regrouped(plan), _untouched(plan, unchanged)]
    return [*_regrouped(plan), _nothing(plan, unchanged)]


def _touched(plan: Plan, estimate: Estimate | None) -> Iterable[str]:
    calls = len(plan.calls)
    command = "apply" if plan.going_back is None else "rollback"
    when = f"if approved, {command}" if plan.refusals else command
    if calls == 0:
        yield f"{when} would send nothing"
    else:
        each = ", one per agent" if calls > 1 else ""
        yield f"{when} would send {counted(calls, 'setcallnumsbymediatype call')} to {printable(plan.url)}{each}"
        if estimate is not None:
            yield from estimate_facts(estimate)
    for kind, words in _LOSSES.items():
        losing = sum(1 for change in plan.changes if any(edit.kind is kind for edit in change.edits))
        if losing:
            why = "is no longer desired" if plan.going_back is None else "was not recorded before"
            yield f"{counted(losing, 'agent')} would lose a channel that {why}: {words}"
    yield from _signed_in(plan)
    yield from _repeated(plan)
    yield from _dropped(plan)
    yield from attendance_facts(plan)


_LOSSES = {
    EditKind.CLOSED: "it is sent once as 0",
    EditKind.OMITTED: "it is left out of the call, and whether the gateway keeps it is not documented",
}


def _signed_in(plan: Plan) -> Iterable[str]:
    if not plan.signs_in or not plan.calls:
        return
    calls = "call" if len(plan.calls) == 1 else "calls"
    yield (
        f"{counted(len(plan.calls), 'agent')} would be signed in (status busy) for the {calls}, one after another, and "
        "out again right after, which makes it three requests each; whoever is signed in already is left alone, and "
        "deferred"
    )
    yield "what is set in such a session may be lost when it ends: that is not documented, and has to be tried out"


def _repeated(plan: Plan) -> Iterable[str]:
    respelt = sum(1 for change in plan.changes if change.reason is Reason.KEY_SPELLING)
    if respelt:
        values = "its recorded values" if respelt == 1 else "their recorded values"
        yield f"{counted(respelt, 'agent')} would be sent {values} again, with the key spelt {plan.callnums_key}"


def _dropped(plan: Plan) -> Iterable[str]:
    reset, forgotten = plan.count(Action.RESET), plan.count(Action.FORGET)
    if reset:
        yield f"{counted(reset, 'record')} would be dropped after {'its' if reset == 1 else 'their'} last call"
    if forgotten:
        whom = "that agent has" if forgotten == 1 else "those agents have"
        yield f"{counted(forgotten, 'record')} would be dropped without a call: the gateway keeps what {whom}"


def _regrouped(plan: Plan) -> Iterable[str]:
    moved = sum(1 for each in plan.standing if each.moves)
    if moved:
        other = "another team" if moved == 1 else "other teams"
        yield f"{counted(moved, 'agent')} would be recorded in {other}, which the gateway knows nothing of"
    protected = sum(1 for each in plan.standing if not each.before.protected and each.after.protected)
    if protected:
        yield f"{counted(protected, 'agent')} would be remembered as protected"
    bare = sum(1 for each in plan.standing if each.before.protected and not each.after.protected)
    if bare:
        yield f"{counted(bare, 'agent')} would no longer be remembered as protected"


def _untouched(plan: Plan, unchanged: int) -> str:
    left = [f"{counted(unchanged, 'agent')} already as desired"] if unchanged else []
    if plan.going_back is not None:
        left.append("every agent whom that run did not change")
    if plan.options.scope.partial:
        left.append("every agent outside the selection")
    alone = f"left alone: {' and '.join(left)}; " if left else ""
    return f"{alone}{'nothing else is sent, and ' if plan.calls else ''}nobody {_else(plan)}is signed in or out"


def _else(plan: Plan) -> str:
    return "else " if plan.signs_in and plan.calls else ""


def _nothing(plan: Plan, unchanged: int) -> str:
    if plan.going_back is not None:
        return nothing_to_send(plan.going_back)
    if plan.options.scope.changed is not None and not unchanged:
        return "No changes: nobody is affected by what differs from the earlier revision, and apply would send nothing."
    if not unchanged:
        return "No changes: there is no agent to look at, and apply would send nothing."
    if plan.standing:
        have = "has its values" if unchanged == 1 else "have their values"
        return f"no values change: {counted(unchanged, 'agent')} {have} as desired, and apply would send nothing"
    stay = "is recorded as desired" if unchanged == 1 else "are recorded as desired"
    return f"No changes: {counted(unchanged, 'agent')} {stay}, and apply would send nothing."
