"""The front is reloaded in the middle of a run, as whoever operates it may at any time, and nothing is lost."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from cluster.floor import AGENTS, in_force, numbers_of, publish, recorded, site_before
from cluster.front import Front, sign_in
from cluster.nodes import PATIENCE, Node
from support.processes import start_apply, wait_until

CALL = "setcallnumsbymediatype"


def test_a_graceful_reload_in_the_middle_of_an_apply_loses_nothing(nodes: tuple[Node, ...], tmp_path: Path) -> None:
    with Front(tmp_path, nodes) as front:
        site = site_before(front, tmp_path)
        site.edit("site.yaml", "requests_per_second: 1000", "requests_per_second: 10")
        publish(site, sign_in(front, AGENTS))

        with start_apply(site) as run:
            wait_until(lambda: len(front.seen(CALL)) >= 3)
            (old,) = {call.worker for call in front.seen(CALL)}
            front.reload()
            run.communicate(timeout=PATIENCE)
        workers = Counter(call.worker for call in front.seen(CALL))

    assert run.returncode == 0
    assert recorded(site) == in_force(nodes) == {str(agent): numbers_of(agent) for agent in AGENTS}
    assert workers[old] >= 3
    assert sum(workers.values()) - workers[old] >= 1, "the new worker took no call: the reload came after the run"
