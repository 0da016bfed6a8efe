"""What people are told of a run that signed agents in. No I/O.

Rules of this file: said on every run, with numbers, and with every agent named whom somebody has to look after. A ghost
that stays signed in is busy, yet it is counted as staff, and whoever it stands for cannot sign in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from reconciler.model.agent import AgentId, summarise_agents
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.values import Struct, field

_SIGN_OUT = (
    "sign them out in the console, or wait: the gateway signs out whoever has shown no sign of life for two minutes; "
    "until then the person is told that they are already signed in"
)
_LOST = "values set in such a session may be lost when it ends; docs/sessions.md says how to find out"


class Tally(Struct):
    """What one run did to the floor; kept while it goes."""

    signed_in: set[AgentId] = field(default_factory=set)
    forced: set[AgentId] = field(default_factory=set)
    """Signed in by force, over somebody who was signed in."""
    doubtful: set[AgentId] = field(default_factory=set)
    """A sign-in was sent, and no answer says what it came to or has the Guid to sign out with."""
    left: dict[AgentId, str] = field(default_factory=dict)
    """Signed in and not signed out again, with the reason; empty while nobody has tried."""

    def begin(self, agent: AgentId, *, by_force: bool) -> None:
        """Note that `agent` is signed in now."""
        self.doubtful.discard(agent)
        self.signed_in.add(agent)
        self.left[agent] = ""
        if by_force:
            self.forced.add(agent)

    def end(self, agent: AgentId) -> None:
        """Note that `agent` is signed out again."""
        self.left.pop(agent, None)


def remarks(tally: Tally) -> tuple[Diagnostic, ...]:
    """Return what is to be told: what needs somebody's hand first."""
    return tuple(_remarks(tally))


def _remarks(tally: Tally) -> Iterator[Diagnostic]:
    if tally.left:
        reasons = "; ".join(dict.fromkeys(reason for reason in tally.left.values() if reason))
        summary = f"{_named(tally.left)} could not be signed out again and may still be signed in, busy"
        yield _warning("left-signed-in", f"{summary}: {reasons}" if reasons else summary, _SIGN_OUT)
    if tally.doubtful:
        summary = (
            f"{_named(tally.doubtful)} may be signed in, busy: a sign-in was sent, and no answer gave a usable Guid"
        )
        yield _warning("maybe-signed-in", summary, _SIGN_OUT)
    if tally.forced:
        summary = f"{_named(tally.forced)} had to be signed in by force: whoever was signed in has been thrown out"
        yield _warning("forced-sign-in", summary, "tell them; --force-sign-in and sessions.force: true asked for it")
    if tally.signed_in:
        out = len(tally.signed_in) - len(tally.left)
        summary = (
            f"sessions.source is signin: {_count(tally.signed_in)} signed in (status busy), {out} signed out again"
        )
        yield _warning("signed-in", summary, _LOST)


def _warning(code: str, summary: str, detail: str) -> Diagnostic:
    return Diagnostic(severity=Severity.WARNING, code=code, summary=summary, detail=detail)


def _named(agents: Collection[AgentId] | Mapping[AgentId, str]) -> str:
    ranges = ", ".join(str(span) for span in summarise_agents(agents))
    return f"agent{'' if len(agents) == 1 else 's'} {ranges}"


def _count(agents: Collection[AgentId]) -> str:
    return f"{len(agents)} agent{'' if len(agents) == 1 else 's'} {'was' if len(agents) == 1 else 'were'}"
