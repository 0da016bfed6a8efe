"""Ctrl-C while the command itself is still being loaded, or when it is over already: words and a code, no traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# A real signal, at an instant that does not depend on the machine: when the first of these modules is looked for.
_INTERRUPTED = """
import os, signal, sys
class Interrupter:
    left = set(sys.argv.pop(1).split(","))
    def find_spec(self, name, path=None, target=None):
        if name in self.left:
            self.left.discard(name)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupter())
from reconciler.__main__ import main
code = main()
if sys.argv[1:] == ["version"]:
    os.kill(os.getpid(), signal.SIGINT)
sys.exit(code)
"""


def run(*words: str, at: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _INTERRUPTED, at, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "at",
    [
        "reconciler.cli",
        "click.core",
        "reconciler.cli.interrupts",
        "reconciler.cli.commands.validate",
        "click,click.core",
    ],
    ids=["first-module", "a-library", "last-modules", "the-command", "and-once-more"],
)
def test_an_interrupt_while_the_program_is_loaded_ends_in_words_and_130(at: str) -> None:
    ended = run("validate", at=at)

    assert (ended.returncode, ended.stdout, ended.stderr.strip()) == (130, "", "error[interrupted]: interrupted")


def test_with_json_it_leaves_a_document_as_well() -> None:
    ended = run("plan", "--json", at="reconciler.cli.border")

    assert (ended.returncode, json.loads(ended.stdout)["exit_reason"]) == (130, "interrupted")


def test_an_interrupt_when_all_is_told_ends_the_process_without_a_word() -> None:
    ended = run("version", at="none")

    assert ended.stdout.startswith("reconciler ")
    assert (ended.returncode, ended.stderr) == (-2, "")
