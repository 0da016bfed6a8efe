"""A command by hand that died: nothing of it lies around once the next run has come."""

from __future__ import annotations

import pytest
from crash.scale import TORTURE, amount, sample
from crash.test_histories import AGENTS, KINDS, History
from crash.world import Death

from reconciler.model.site import OnAgentRemoval

OPERATIONS = 60
"""More than a command by hand has."""


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_whatever_a_command_by_hand_left_half_done_is_gone_after_the_next_run(kind: str) -> None:
    for at in sample(range(OPERATIONS), amount(20, OPERATIONS), seed=5):
        for moment in ("before", "torn", "after") if TORTURE else ("torn",):
            site = History()
            site.begin(kind=kind, workers=1, removal=OnAgentRemoval.FORGET)
            site.come_to_rest()
            site.drop_a_record_by_hand(agent=AGENTS[0], fate=Death(at, moment))
            site.come_to_rest()
