"""A clock that jumps, within a run and between two: nothing ends by it, and no wait and no age becomes absurd."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

import pytest
from crash.fleets import EVERYBODY, NEW, OLD, fleet
from crash.laws import check_convergence, check_truth
from crash.runs import Place, live
from crash.scale import TORTURE
from crash.stories import tell
from support.fleets import NOW

from reconciler.model.agent import AgentId
from reconciler.model.plan import PlanOptions, Reason
from reconciler.planning import make_plan, older_than
from reconciler.values import replace

BACK, AHEAD = timedelta(hours=-1), timedelta(days=3653)
JUMPS = pytest.mark.parametrize("jump", [BACK, AHEAD], ids=["an-hour-back", "ten-years-ahead"])


def shifted(jump: timedelta) -> str:
    return f"{datetime.fromisoformat(NOW) + jump:%Y-%m-%dT%H:%M:%SZ}"


def jumping(at: int, jump: timedelta) -> Callable[[], str]:
    """A clock that stands still but for a jump at its reading number `at`."""
    readings = count()
    return lambda: NOW if next(readings) < at else shifted(jump)


@JUMPS
@pytest.mark.parametrize("name", ["forget-1", "reset-8", "away-3"])
def test_a_clock_that_jumps_in_the_midst_of_a_run_changes_nothing_but_times(name: str, jump: timedelta) -> None:
    told, readings = tell(name), count()
    live(told.story.place.copy(), told.story.desired, now=lambda: (next(readings), NOW)[1])
    for at in range(0, next(readings) + 1, 1 if TORTURE else 4):
        place = told.story.place.copy()
        life = live(place, told.story.desired, now=jumping(at, jump))
        assert life.report is not None
        assert life.report.error is None
        assert life.told == told.life.told
        check_truth(told.before, told.plan, life.told, place.floor.book[life.first_call :], place.read())
        check_convergence(place, told.story.desired, life.told, EVERYBODY)


@JUMPS
@pytest.mark.parametrize("name", ["forget-3", "away-1"])
def test_a_clock_that_jumps_between_a_kill_and_the_next_run_stops_nobody(name: str, jump: timedelta) -> None:
    told = tell(name)
    for remains in told.remains[:: 7 if TORTURE else 40]:
        place = remains.place.copy()
        place.floor.heal(EVERYBODY)
        life = live(place, told.story.desired, now=lambda: shifted(jump))
        assert life.report is not None
        assert life.report.error is None
        assert make_plan(told.story.desired, place.read()).changes == ()


def deferred(*moments: str) -> Place:
    """Let 1011 be away in runs at these moments."""
    place = tell("forget-1").story.place.copy()
    place.floor.heal(EVERYBODY)
    place.floor.arrange(absent=[1011])
    for moment in moments:
        live(place, fleet({1011: NEW}), now=lambda now=moment: now)  # type: ignore[misc]
    return place


def test_nobody_waits_since_later_than_they_were_last_seen_waiting() -> None:
    place = deferred(shifted(AHEAD), NOW)
    pending = place.read().pending[AgentId(1011)]
    assert pending.first_deferred_at <= pending.last_deferred_at
    assert older_than(pending.first_deferred_at, 3600, at=shifted(timedelta(hours=2)))


def test_an_acknowledgement_from_before_the_clock_went_back_is_no_reason_to_fail() -> None:
    place = tell("forget-1").story.place.copy()
    place.floor.heal(EVERYBODY)
    wanted = fleet({1009: OLD})
    live(place, fleet({1009: NEW}), now=lambda: shifted(AHEAD))
    live(place, wanted, now=lambda: NOW)
    state = place.read()
    assert state.agents[AgentId(1009)].acknowledged_at == NOW
    options = PlanOptions(reassert_older_than=3600, at=shifted(timedelta(hours=2)))
    later = make_plan(wanted, state, options)
    assert [change.reason for change in later.changes] == [Reason.OLDER_THAN]
    assert make_plan(wanted, state, replace(options, at=shifted(BACK))).changes == ()
