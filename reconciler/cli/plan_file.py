"""A plan saved for review, and what is to be done with it.

Rule of this file: the sentence it returns is a command that can be typed as it stands.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from reconciler import __version__
from reconciler.cli.environment import Environment
from reconciler.cli.meanwhile import meanwhile
from reconciler.cli.writing import write_file
from reconciler.model.plan import Plan
from reconciler.model.printable import printable
from reconciler.report import document_pieces, saved_plan


def save_plan(opened: Environment, plan: Plan, out: Path) -> str:
    """Save the plan of `opened`, and return the sentence that says what to do with it."""
    with meanwhile("saving the plan"):
        write_file(out, document_pieces(saved_plan(plan, tool_version=__version__)))
    if plan.refusals:
        return f"saved for review in {printable(out.as_posix())}; as it stands, apply would refuse it too"
    approval = ["--allow-changes", str(len(plan.changes))] if plan.findings else []
    command = shlex.join(["reconciler", "apply", opened.name, "--plan", out.as_posix(), *approval])
    return f"saved: apply exactly this with: {printable(command)}"
