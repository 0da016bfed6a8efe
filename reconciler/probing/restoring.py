"""How the agent gets its own numbers back, and whether it has them. Pure.

A call that was acknowledged has set something, one without an answer may have, and one that was refused for a number
that is too high may have set the other channels before. Only the agent's own numbers, acknowledged, end all of that;
and not even they, while a call that nobody waited out may still be at work.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.probe import Restoration
from reconciler.probing.spelling import is_read
from reconciler.probing.trials import Answer, Kind, Message, Trial, other_key

RESTORING_ATTEMPTS = 3
"""Calls in each spelling, as long as they fail for now or get no answer."""

_ABOUT_IT = (Answer.ACKNOWLEDGED, Answer.REFUSED)


def keys_to_restore_with(trials: Sequence[Trial], configured: CallnumsKey) -> tuple[CallnumsKey, ...]:
    """Return the spellings in which to send the agent's own numbers, best first; the next one if one is refused.

    The spelling it began with, unless another is certain to be the one that is read, or the first was refused.
    """
    other = other_key(configured)
    plain, plain_other = (_last_answer(Message(kind=Kind.PLAIN, key=key), trials) for key in (configured, other))
    if is_read(other, trials) and plain_other is not Answer.REFUSED:
        return other, configured
    if plain is Answer.REFUSED and plain_other is Answer.ACKNOWLEDGED:
        return other, configured
    return (configured,)


def standing(trials: Sequence[Trial], configured: CallnumsKey) -> Restoration:
    """Return how the agent stands after `trials`; in doubt, as long as its own numbers are to be sent again."""
    own = Message(kind=Kind.PLAIN, key=keys_to_restore_with(trials, configured)[0])
    for trial in reversed(trials):
        if may_have_set(trial):
            restored = trial.step.message == own and trial.answer is Answer.ACKNOWLEDGED and not trial.overlapping
            return Restoration.RESTORED if restored else Restoration.IN_DOUBT
    return Restoration.NOT_TOUCHED


def may_have_set(trial: Trial) -> bool:
    """Tell whether the call can have changed anything at the agent."""
    if trial.answer is Answer.REFUSED:
        return trial.step.message.kind is not Kind.PLAIN
    return trial.answer in (Answer.ACKNOWLEDGED, Answer.NO_ANSWER)


def _last_answer(message: Message, trials: Sequence[Trial]) -> Answer | None:
    """Return the last answer to `message` that is about it; without cookies it is about them."""
    answers = [t.answer for t in trials if t.step.message == message and t.step.cookies and t.answer in _ABOUT_IT]
    return answers[-1] if answers else None
