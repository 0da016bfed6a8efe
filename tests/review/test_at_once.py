"""Several jobs really at once, each a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

from review.conftest import Desk


def test_processes_at_once_leave_one_comment_and_one_label(on_github: Desk) -> None:
    on_github.plan()
    on_github.change()
    for name, total in (("one.json", 13), ("two.json", 14), ("three.json", 15)):
        on_github.site.edit("fleet.yaml", f"total: {total - 1}", f"total: {total}")
        on_github.plan(name)
    command = [sys.executable, "-m", "reconciler", "comment", *on_github.arguments]
    jobs = [
        subprocess.Popen(
            [*command, name], cwd=on_github.site.work, env=dict(os.environ), stdout=subprocess.PIPE, text=True
        )
        for name in ("one.json", "two.json", "three.json")
    ]
    told = [job.communicate(timeout=60)[0] for job in jobs]

    assert [job.returncode for job in jobs] == [0, 0, 0], told
    assert len(on_github.texts) == 1
    assert on_github.host.labels == ["reconciler/changes"]
