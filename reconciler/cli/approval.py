"""Showing a plan that is about to be applied, and asking for the one word that starts it.

Rules of this file: what is shown is the plan that is carried out, and one that was reviewed need not be shown again.
Nothing but `yes` starts a run.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from reconciler.cli.streams import stderr_style, stdout_style, write
from reconciler.model.estimate import Estimate
from reconciler.model.gateway_settings import GatewaySettings
from reconciler.model.plan import Plan
from reconciler.model.printable import printable
from reconciler.report import plan_text


class Approval:
    """Shows the plan, asks if somebody must be asked, and remembers what was shown."""

    def __init__(
        self, reviewed: Plan | None, *, plan_file: Path | None, gateway: GatewaySettings, yes: bool, as_json: bool
    ) -> None:
        """Take the reviewed plan and its file, the pace that calls are to keep, and how to ask.

        Args:
            reviewed: the plan that was saved, if there is one.
            plan_file: its file.
            gateway: whose pace the time is estimated by.
            yes: nobody is to be asked.
            as_json: stdout is for a document.
        """
        self._reviewed = reviewed
        self._gateway = gateway
        self._plan_file = plan_file
        self._yes = yes
        self._as_json = as_json
        self.plan: Plan | None = None

    def __call__(self, plan: Plan) -> bool:
        """Return whether `plan` may be applied."""
        self.plan = plan
        _warn(plan)
        stream, style = (sys.stderr, stderr_style()) if self._as_json else (sys.stdout, stdout_style())
        if self._reviewed is not None and self._plan_file is not None:
            how = "as" if plan.fingerprint == self._reviewed.fingerprint else "less than"
            write(stream, f"{how} reviewed in {printable(self._plan_file.as_posix())}: {plan.fingerprint}\n\n")
            return True
        estimate = Estimate.of(len(plan.calls), self._gateway)
        write(stream, plan_text(plan, unchanged=len(plan.unchanged), style=style, estimate=estimate) + "\n")
        if self._yes:
            return True
        answer = click.prompt("apply this? Only `yes` will do", default="no", err=True, show_default=False)
        return bool(answer == "yes")


def _warn(plan: Plan) -> None:
    """Say before anything happens, also where nobody is asked, that people's places on the floor will be taken."""
    if plan.signs_in and plan.calls:
        agents = "1 agent" if len(plan.calls) == 1 else f"{len(plan.calls)} agents"
        write(
            sys.stderr, f"warning: sessions.source is signin: {agents} will be signed in (status busy) and out again\n"
        )
