"""`reconciler explain [CODE] [ENVIRONMENT]`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import click

from reconciler.cli.environment import open_environment
from reconciler.cli.options import json_option
from reconciler.cli.result import CommandResult
from reconciler.errors import UsageError
from reconciler.gateway import SUCCESS, Grade, Row, VerdictTable, lookup, verdict_table
from reconciler.model.printable import printable
from reconciler.model.site import RetcodeClass

_RETCODE = re.compile(r"[0-9]{3}-(?:[0-9]{3}|\*)", re.ASCII)
_STATUS = re.compile(r"http-[1-5](?:[0-9]{2}|xx)", re.ASCII)
_ALL = "all"
_CONSEQUENCES = {
    RetcodeClass.DEFERRED: "the agent is deferred: nothing is wrong, the next plan lists it again",
    RetcodeClass.REREAD_SESSION: "the session is read once more; if that does not help, the agent is deferred",
    RetcodeClass.TRANSIENT: "the call is tried again after a wait, a few times; then the agent has failed",
    RetcodeClass.PERMANENT: "the agent has failed; the others go on",
    RetcodeClass.STOP: "the run ends: no other agent would fare better",
}
_IN_DOUBT = "the call is tried again after a wait, a few times; then the agent is in doubt"
_GRADES = {
    Grade.DOCUMENTED: "documented on page {page} of the API reference",
    Grade.REFERENCE: "named on the page {page} of the API reference",
    Grade.CLIENT_CODE: "seen in public client code",
    Grade.INFERRED: "concluded from the rest; no page gives its text",
    Grade.STANDARD: "its meaning is that of {page}; what is done about it is concluded",
    Grade.TESTED: "what the network does, held by tests over real connections; what is done about it is concluded",
    Grade.SITE: "this site's own site.yaml says so",
}
_LEGEND = {
    Grade.DOCUMENTED: "a page of the API reference",
    Grade.REFERENCE: "the interface's own page",
    Grade.CLIENT_CODE: "public client code",
    Grade.INFERRED: "concluded",
    Grade.STANDARD: "an internet standard",
    Grade.TESTED: "tested over real connections",
    Grade.SITE: "this site.yaml",
}


@click.command
@click.argument("code", default=_ALL, metavar="[CODE]")
@click.argument("environment", type=click.Path(path_type=Path), required=False)
@json_option
def command(code: str, environment: Path | None) -> CommandResult:
    """Say what CODE means, what reconciler does about it, and what you can do.

    CODE is a retcode (100-006), an HTTP status (http-502, or 502) or a word for what went wrong (timeout, wrong-name).
    Without it, or with `all`, every row is listed. With ENVIRONMENT, as that site judges it: `retcodes:` in site.yaml
    can override a row.
    """
    overrides = {} if environment is None else open_environment(environment, allow_empty=True).desired.site.retcodes
    table = verdict_table(overrides)
    where = None if environment is None else environment.as_posix()
    return _listed(table, where) if code == _ALL else _explained(code, table, where)


def _listed(table: VerdictTable, environment: str | None) -> CommandResult:
    rows = list(table.values())
    return CommandResult(
        command="explain",
        text=lambda: _table_text(rows),
        environment=environment,
        sections=lambda: {"rows": [_document(row) for row in rows]},
    )


def _explained(code: str, table: VerdictTable, environment: str | None) -> CommandResult:
    asked = f"http-{code}" if re.fullmatch(r"[1-5][0-9]{2}", code, re.ASCII) else code
    row = _row(asked, table)
    lines = [
        f"{asked}  {row.meaning}",
        f"  class    {row.kind}: {_IN_DOUBT if row.doubt else _CONSEQUENCES[row.kind]}",
        f"  remedy   {row.remedy}",
        f"  source   {_GRADES[row.grade].format(page=row.page)}",
    ]
    return CommandResult(
        command="explain",
        text=lambda: "".join(f"{line}\n" for line in lines),
        environment=environment,
        sections=lambda: {"retcode": asked, **_document(row), "code": asked},
    )


def _row(code: str, table: VerdictTable) -> Row:
    if code == SUCCESS:
        raise UsageError("0 is no refusal: the gateway acknowledged exactly the values that were sent")
    if code in table or _RETCODE.fullmatch(code) or _STATUS.fullmatch(code):
        return lookup(code, table)
    near = get_close_matches(code, table, n=1)
    hint = (
        f"did you mean {near[0]}?" if near else "codes look like 100-006, http-502 or timeout; all of them: explain all"
    )
    raise UsageError(f"{printable(code, limit=60)!r} is no code of the table", hint=hint)


def _document(row: Row) -> dict[str, object]:
    return {
        "code": row.code,
        "class": str(row.kind),
        "in_doubt": row.doubt,
        "meaning": row.meaning,
        "remedy": row.remedy,
        "grade": str(row.grade),
        "page": row.page,
    }


def _table_text(rows: Sequence[Row]) -> str:
    width = max(len(row.code) for row in rows)
    kinds = {row.code: f"{row.kind}{', in doubt' if row.doubt else ''}" for row in rows}
    breadth = max(map(len, kinds.values()))
    lines = [f"{row.code:<{width}}  {kinds[row.code]:<{breadth}}  {row.grade:<4}  {row.meaning}" for row in rows]
    grades = "; ".join(f"{grade} {words}" for grade, words in _LEGEND.items())
    head = f"{'code':<{width}}  {'class':<{breadth}}  grade meaning"
    return "\n".join([head, *lines, "", f"grades: {grades}", ""])
