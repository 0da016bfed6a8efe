from __future__ import annotations

from typing import Any

import pytest
from support.fleets import NOW, agent_id

from reconciler.model.attendance import SessionsSeen, Waits


def agents(*numbers: int) -> tuple[Any, ...]:
    return tuple(map(agent_id, numbers))


def test_who_is_absent_or_waits_is_sorted_whatever_order_they_come_in() -> None:
    seen = SessionsSeen(asked=3, known=0, keyless=0, absent=agents(10_001, 999, 1001))
    assert seen.absent == Waits(agents=agents(1001, 10_001, 999), since=NOW).agents == agents(999, 1001, 10_001)


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param({"asked": 1, "known": 2, "keyless": 0, "absent": ()}, id="more-known-than-asked-for"),
        pytest.param({"asked": 2, "known": 1, "keyless": 2, "absent": ()}, id="more-without-a-key-than-known"),
        pytest.param({"asked": 2, "known": 2, "keyless": 0, "absent": agents(1001)}, id="there-and-absent"),
        pytest.param({"asked": 2, "known": 1, "keyless": -1, "absent": ()}, id="less-than-none"),
    ],
)
def test_numbers_that_cannot_be_are_refused(numbers: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="agents asked for"):
        SessionsSeen(**numbers)


def test_a_wait_of_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="needs one who waits"):
        Waits(agents=(), since=NOW)
