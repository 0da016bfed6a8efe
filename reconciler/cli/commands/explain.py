"""`reconciler explain CODE`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from reconciler.cli.environment import open_environment
from reconciler.cli.options import json_option
from reconciler.cli.result import CommandResult
from reconciler.errors import UsageError
from reconciler.gateway import RETCODES, SUCCESS, Row, lookup, with_overrides
from reconciler.model.site import RetcodeClass

_RETCODE = re.compile(r"[0-9]{3}-(?:[0-9]{3}|\*)", re.ASCII)
_CONSEQUENCES = {
    RetcodeClass.DEFERRED: "the agent is deferred: nothing is wrong, the next plan lists it again",
    RetcodeClass.REREAD_SESSION: "the session is read once more; if that does not help, the agent is deferred",
    RetcodeClass.TRANSIENT: "the call is tried again after a wait, a few times; then the agent has failed",
    RetcodeClass.PERMANENT: "the agent has failed; the others go on",
    RetcodeClass.STOP: "the run ends: no other agent would fare better",
}
_GRADES = {
    "D": "documented on page {page} of the API reference",
    "S": "named on the page {page} of the API reference",
    "C": "seen in public client code",
    "I": "concluded from the rest; no page gives its text",
    "site": "this site's own site.yaml says so",
}


@click.command
@click.argument("code")
@click.argument("environment", type=click.Path(path_type=Path), required=False)
@json_option
def command(code: str, environment: Path | None) -> CommandResult:
    """Say what the gateway's retcode CODE means, what reconciler does about it, and what you can do.

    With ENVIRONMENT, as that site judges it: `retcodes:` in site.yaml can override the table.
    """
    row = _row(code, environment)
    source = _GRADES[row.grade].format(page=row.page)
    lines = [
        f"{code}  {row.meaning}",
        f"  class    {row.kind}: {_CONSEQUENCES[row.kind]}",
        f"  remedy   {row.remedy}",
        f"  source   {source}",
    ]
    return CommandResult(
        command="explain",
        text=lambda: "".join(f"{line}\n" for line in lines),
        environment=None if environment is None else environment.as_posix(),
        sections=lambda: {
            "retcode": code,
            "class": str(row.kind),
            "meaning": row.meaning,
            "remedy": row.remedy,
            "grade": str(row.grade),
            "page": row.page,
        },
    )


def _row(code: str, environment: Path | None) -> Row:
    if code == SUCCESS:
        raise UsageError("0 is no refusal: the gateway acknowledged exactly the values that were sent")
    if _RETCODE.fullmatch(code) is None:
        raise UsageError(f"{code!r} is not a retcode of the gateway", hint="retcodes look like 100-006")
    if environment is None:
        return lookup(code, RETCODES)
    return lookup(code, with_overrides(open_environment(environment, allow_empty=True).desired.site.retcodes))
