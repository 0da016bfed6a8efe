"""What is recorded of an agent besides the values: the team, and whether it is protected."""

from __future__ import annotations

from reconciler.model.agent import AgentId
from reconciler.values import Struct


class Standing(Struct, frozen=True):
    """Team and protection, as they are to be recorded."""

    team: str | None
    protected: bool


class StandingChange(Struct, frozen=True, kw_only=True):
    """A recorded agent who stays recorded, in another team or otherwise protected.

    The gateway knows of neither, so it is no change of a plan: it comes along with a call, or is recorded without one.
    """

    agent: AgentId
    before: Standing
    after: Standing

    @property
    def moves(self) -> bool:
        """Tell whether the team changes, and not only the protection."""
        return self.before.team != self.after.team
