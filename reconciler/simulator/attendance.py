"""Who came and went: counts of signing in, signing out and staying, for tests to look at.

Rules of this file: counting only. A count is of things that were done, not of calls for them; a call that was refused
is counted under its return code. Nothing of a session but its agent and its status comes here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from reconciler.simulator.sessions import SimulatedSession


class Step(StrEnum):
    """Something that happened to an agent's session."""

    SIGN_IN = "sign_ins"
    """A caller signed in, by force too."""
    FORCE = "forced"
    """A caller signed in by force."""
    THROWN_OUT = "thrown_out"
    """A session ended because somebody else signed in by force."""
    SIGN_OUT = "sign_outs"
    """A caller signed out."""
    TIMED_OUT = "timed_out"
    """A session ended because its caller was silent."""
    LOST = "lost"
    """The gateway forgot a session."""
    POLL = "polls"
    HEARTBEAT = "heartbeats"
    GUID_UPDATE = "guid_updates"
    ROTATION = "rotations"
    """A Guid was replaced because of its age."""


class Attendance:
    """Counts steps, in all and per agent."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._all: Counter[Step] = Counter()
        self._agents: dict[int, Counter[Step]] = {}
        self._statuses: dict[int, str] = {}
        self._refused: Counter[str] = Counter()

    def note(self, step: Step, agent: int) -> None:
        """Count one step of an agent."""
        self._all[step] += 1
        self._agents.setdefault(agent, Counter())[step] += 1

    def note_status(self, agent: int, status: str) -> None:
        """Remember the status that a caller asked for when it signed in."""
        self._statuses[agent] = status

    def note_refusal(self, retcode: str) -> None:
        """Count a call about sessions that was refused."""
        self._refused[retcode] += 1

    def count(self, step: Step, agent: int | None = None) -> int:
        """Return how often a step was seen, of one agent or of all."""
        counts = self._all if agent is None else self._agents.get(agent, Counter())
        return counts[step]

    def status(self, agent: int) -> str | None:
        """Return the status that a caller last asked for when it signed this agent in; `None`: none ever did."""
        return self._statuses.get(agent)

    def document(self, sessions: Iterable[SimulatedSession]) -> dict[str, object]:
        """Return the counts, and who is signed in and by whom, as JSON values; agents appear once they took a step."""
        return {
            **_named(self._all),
            "refused": dict(sorted(self._refused.items())),
            "signed_in": {str(session.agent): str(session.keeper) for session in sessions if not session.lost},
            "agents": {
                str(agent): {**_named(counts), "status": self._statuses.get(agent)}
                for agent, counts in sorted(self._agents.items())
            },
        }


def _named(counts: Counter[Step]) -> dict[str, int]:
    return {str(step): counts[step] for step in Step}
