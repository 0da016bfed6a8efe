"""The real command killed, told to stop, and refused by the system at instants that nobody chose.

What the enumerating tests show for every operation in one process, these show for a sample of real ones: real TLS, real
files, real signals. The sample is larger under `make torture`.
"""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from crash.processes import AGENTS, PATIENCE, Workplace, outcomes, traced
from crash.scale import INTERRUPTS, KILLS, TORTURE, TRACED
from support.counterparts import require_program
from support.rehearsal import RehearsalServer
from support.site import live_site

from reconciler.simulator import Rules

TWICE = 30 if TORTURE else 1
"""How many of those interrupted are told a second time."""
SLOW = 2
"""Seconds that some answers take, longer than it takes to leave at once."""
FULL_AT = 6000
"""Bytes at which a file cannot grow any more: the way back of a first run takes less, its state more, and its journal
as much or more, as chance has it."""
WITHIN = 7.0
"""Seconds in which an interrupted command has to be over."""


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Workplace]:
    with (
        RehearsalServer(agents=AGENTS, rules=Rules(latency=0.02)) as server,
        live_site(tmp_path, server) as site,
    ):
        place = Workplace(site=site, server=server, dice=random.Random(20))  # noqa: S311 - an instant, not a secret
        place.want(1)
        yield place


def test_a_command_killed_at_any_instant_leaves_what_the_next_one_finishes(workplace: Workplace) -> None:
    killed = 0
    for number in range(2 * KILLS.now):
        if killed == KILLS.now:
            break
        total = 2 + number % 50
        workplace.want(total)
        process = workplace.start_and_meet()
        process.kill()
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        workplace.told_by_the_state(set(), total=total)
        if not (TORTURE and number % 3 == 2):  # else the next kill meets what this one has left
            workplace.finish(total)
    assert killed == KILLS.now


def test_a_command_told_to_stop_at_any_instant_tells_every_outcome_within_seven_seconds(workplace: Workplace) -> None:
    for number in range(INTERRUPTS.now - TWICE):
        total = 2 + number % 50
        workplace.want(total)
        workplace.server.add_faults(f"%9=slow:{SLOW}")
        before, process = workplace.calls(), workplace.start_and_meet()
        process.send_signal(workplace.dice.choice((signal.SIGINT, signal.SIGTERM)))
        out, _ = process.communicate(timeout=WITHIN)
        workplace.server.call(lambda gateway: gateway.faults.clear())

        told = outcomes(out)
        assert json.loads(out)["exit_code"] == process.returncode in (0, 130)
        assert len(told) == len(AGENTS) or (told == {} and workplace.calls() == before)
        workplace.told_by_the_state({agent for agent, each in told.items() if each == "applied"}, total=total)
        workplace.finish(total)


def test_a_command_told_twice_leaves_at_once_and_loses_nothing(workplace: Workplace) -> None:
    for number in range(TWICE):
        total = 2 + number % 50
        workplace.want(total)
        workplace.server.add_faults(f"%4=slow:{SLOW}")
        process = workplace.start_and_meet()
        process.send_signal(signal.SIGTERM)
        time.sleep(workplace.dice.uniform(0.05, 0.5))
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=WITHIN)
        workplace.server.call(lambda gateway: gateway.faults.clear())
        time.sleep(SLOW)  # until the gateway is done with calls that nobody waits for any more: they must not overlap
        assert json.loads(out)["exit_code"] == process.returncode in (0, 130)
        workplace.told_by_the_state(set(), total=total)
        workplace.finish(total)


JOURNAL, LOCK, TEMPORARY = "state.json.journal", "state.json.lock", ".state.json.tmp"
REFUSED = [(JOURNAL, "fsync:error=EIO:when=3"), (TEMPORARY, "write:error=ENOSPC:when=1+")]
KILLED = [(JOURNAL, "fsync:signal=KILL:when=3")]
INTERRUPTED = [(JOURNAL, "fsync:error=EINTR:when=2+3")]
"""What Python itself does again."""
if TORTURE:
    REFUSED += [
        (JOURNAL, f"{call}:error={error}:when={when}")
        for call, error, when in product(("write", "fsync"), ("ENOSPC", "EIO", "EROFS"), ("1", "2", "5", "9+", "14"))
    ]
    REFUSED += [
        (TEMPORARY, f"{call}:error={error}:when=1")
        for call, error in product(("openat", "write", "fsync", "fchmod", "rename"), ("ENOSPC", "EIO", "EROFS"))
    ]
    REFUSED += [
        (name, f"openat:error={error}:when=1")
        for name, error in product((JOURNAL, LOCK), ("EMFILE", "ENFILE", "EROFS", "EIO"))
    ]
    REFUSED += [(TEMPORARY, "openat:error=EMFILE:when=1"), (LOCK, "flock:error=ENOLCK:when=1")]
    INTERRUPTED += [(TEMPORARY, f"{call}:error=EINTR:when=1") for call in ("openat", "write", "fsync", "fchmod")]
    INTERRUPTED += [(LOCK, "openat:error=EINTR:when=1"), (JOURNAL, "write:error=EINTR:when=2+2")]
    KILLED += [(JOURNAL, f"{call}:signal=KILL:when={when}") for call, when in product(("write", "fsync"), range(1, 16))]
    KILLED += [
        (TEMPORARY, f"{call}:signal=KILL:when=1") for call in ("openat", "write", "fsync", "close", "fchmod", "rename")
    ]


def ids(cases: list[tuple[str, str]]) -> list[str]:
    return [re.sub("[^a-z0-9]+", "-", f"{name} {what}".lower()).strip("-") for name, what in cases]


def test_as_many_commands_run_under_strace_as_the_docs_say() -> None:
    assert len(REFUSED) + len(KILLED) + len(INTERRUPTED) >= TRACED.now


@pytest.mark.parametrize(("name", "injection"), REFUSED, ids=ids(REFUSED))
def test_a_system_call_refused_under_strace_ends_in_words_and_is_made_up_for(
    workplace: Workplace, name: str, injection: str
) -> None:
    process, out, err = under_strace(workplace, name, injection)
    assert process.returncode == 10, err
    assert json.loads(out)["exit_code"] == process.returncode
    workplace.told_by_the_state(surely_applied(out), total=9)
    workplace.finish(9)


@pytest.mark.parametrize(("name", "injection"), INTERRUPTED, ids=ids(INTERRUPTED))
def test_a_system_call_interrupted_under_strace_is_made_again(workplace: Workplace, name: str, injection: str) -> None:
    process, out, err = under_strace(workplace, name, injection)
    assert process.returncode == 0, err
    assert set(outcomes(out).values()) == {"applied"}
    workplace.finish(9)


def test_a_disk_that_takes_half_a_write_and_then_none_ends_in_words_and_is_made_up_for(workplace: Workplace) -> None:
    limited = require_program("prlimit", package="util-linux")
    process = workplace.start(limited, f"--fsize={FULL_AT}")  # the write that crosses it is short, the next is refused
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 10, err
    assert "File too large" in err
    workplace.told_by_the_state(surely_applied(out), total=1)
    workplace.finish(1)


@pytest.mark.parametrize(("name", "injection"), KILLED, ids=ids(KILLED))
def test_a_command_killed_at_a_system_call_under_strace_is_made_up_for(
    workplace: Workplace, name: str, injection: str
) -> None:
    process, _, _ = under_strace(workplace, name, injection)
    assert process.returncode == -signal.SIGKILL
    workplace.told_by_the_state(set(), total=9)
    workplace.finish(9)


def surely_applied(out: str) -> set[str]:
    """Return whom the run tells of as applied, unless it says itself that its last answers may be missing."""
    told = outcomes(out).items()
    return set() if "may be missing" in out else {agent for agent, each in told if each == "applied"}


def under_strace(workplace: Workplace, name: str, injection: str) -> tuple[subprocess.Popen[str], str, str]:
    strace = require_program("strace", package="strace")
    assert workplace.site.run("apply", "demo", "--yes").code == 0
    workplace.want(9)
    process = workplace.start(*traced(strace, workplace.site.root / name, injection))
    out, err = process.communicate(timeout=PATIENCE)
    return process, out, err
