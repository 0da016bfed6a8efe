"""A command by hand that died: nothing of it lies around once the next run has come, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from crash.fleets import NEW
from crash.scale import TORTURE, amount, sample
from crash.test_histories import AGENTS, KINDS, History
from crash.world import Death

from reconciler.model.site import OnAgentRemoval

OPERATIONS = 70
"""More than a command by hand has."""
AMID_ITS_CALLS = 25
"""An operation at which a run has begun and not ended."""
WAYS: dict[str, Callable[[History, Death], None]] = {
    "drop": lambda site, fate: site.drop_a_record_by_hand(agent=AGENTS[0], fate=fate),
    "push": lambda site, fate: site.push_by_hand(agent=AGENTS[3], fate=fate, forced=False),
    "push-by-force": lambda site, fate: site.push_by_hand(agent=AGENTS[0], fate=fate, forced=True),
}


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("unfinished", [False, True], ids=["at-rest", "over-an-unfinished-run"])
def test_whatever_a_command_by_hand_left_half_done_is_gone_after_the_next_run(
    kind: str, way: str, unfinished: bool
) -> None:
    for at in sample(range(OPERATIONS), amount(12, OPERATIONS), seed=5):
        for moment in ("before", "torn", "after") if TORTURE else ("torn",):
            site = History()
            site.begin(kind=kind, workers=1, removal=OnAgentRemoval.FORGET)
            site.come_to_rest()
            if unfinished:
                site.edit(agent=AGENTS[0], value=NEW)
                site.apply(fate=Death(AMID_ITS_CALLS, "before"))
                assert site.place.journal.name in site.place.disk.files()
            WAYS[way](site, Death(at, moment))
            site.come_to_rest()
