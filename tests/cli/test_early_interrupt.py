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
    left, number = set(sys.argv.pop(1).split(",")), signal.Signals[sys.argv.pop(1)]
    def find_spec(self, name, path=None, target=None):
        if name in self.left:
            self.left.discard(name)
            os.kill(os.getpid(), self.number)
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup` has it ignored, and so had whatever it began
sys.meta_path.insert(0, Interrupter())
from reconciler.__main__ import main
code = main()
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    os.kill(os.getpid(), number)
sys.exit(code)
"""


def run(*words: str, at: str, number: str = "SIGINT") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _INTERRUPTED, at, number, *words], cwd=ROOT, capture_output=True, text=True, check=False
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


@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP"])
def test_other_signals_end_it_in_the_same_way(number: str) -> None:
    ended = run("validate", at="reconciler.cli.border", number=number)

    assert (ended.returncode, ended.stderr.strip()) == (130, "error[interrupted]: interrupted")


def test_with_json_it_leaves_a_document_as_well() -> None:
    ended = run("plan", "--json", at="reconciler.cli.border")

    assert (ended.returncode, json.loads(ended.stdout)["exit_reason"]) == (130, "interrupted")


def test_a_signal_while_the_document_is_told_leaves_it_the_only_one_and_whole() -> None:
    ended = run("version", "--json", at="reconciler.cli.document")

    assert (ended.returncode, json.loads(ended.stdout)["exit_code"]) == (0, 0)


def test_a_signal_when_all_is_told_costs_neither_a_word_nor_the_exit_code() -> None:
    ended = run("version", at="none")

    assert ended.stdout.startswith("reconciler ")
    assert (ended.returncode, ended.stderr) == (0, "")


_AS_IT_FALLS_DEAF = """
import os, signal, sys
from reconciler.cli import border
fall_deaf = border.fall_deaf
def late():
    os.kill(os.getpid(), signal.SIGINT)
    fall_deaf()
border.fall_deaf = late
from reconciler.__main__ import main
sys.exit(main())
"""


def test_a_signal_in_the_last_instant_in_which_one_is_heard_ends_in_130_and_no_traceback() -> None:
    words = [sys.executable, "-c", _AS_IT_FALLS_DEAF, "validate", "nowhere"]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (ended.returncode, "Traceback" in ended.stderr) == (130, False)
