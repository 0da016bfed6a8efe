"""`make demo` is the first thing somebody runs: it ends well, shows what it promises and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_demo_shows_one_deferred_agent_converge_after_signing_in(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "demo.py")],
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    story = [
        "deferred   agent 1002",
        "1002    east  waiting since ",
        "1 of 1 waiting agent listed",
        "1002 signs in",
        "1 of these changes has been waiting for its agent",
        "applied    agent 1002",
        "the gateway counted 1 call",
        "No changes: 59 agents are recorded as desired",
    ]
    places = [ended.stdout.find(line) for line in story]
    assert -1 not in places
    assert places == sorted(places)
    assert list(tmp_path.iterdir()) == []
