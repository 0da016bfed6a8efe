"""docs/comment.md says what is."""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.cli.commands.comment import command
from reconciler.errors import ExitCode
from reconciler.review.standing import Standing

DOC = (Path(__file__).parents[2] / "docs" / "comment.md").read_text(encoding="utf-8")


def test_every_flag_is_described_and_no_other() -> None:
    flags = {flag for parameter in command.params for flag in parameter.opts if flag.startswith("--")}
    described = set(re.findall(r"^\| `(--[a-z-]+)", DOC, re.MULTILINE))
    assert described | {"--dry-run", "--json"} == flags


def test_every_label_is_described_worst_first() -> None:
    assert re.findall(r"^\| `(reconciler/[a-z-]+)` \|", DOC, re.MULTILINE) == [each.label for each in Standing]


def test_every_exit_code_it_names_is_one() -> None:
    listed = [int(code) for code in re.findall(r"^\| (\d+) \|", DOC, re.MULTILINE)]
    assert listed == [0, 3, 6, 11]
    assert set(listed) <= {int(code) for code in ExitCode}
