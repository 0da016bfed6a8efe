"""The name of the site that a report is of.

A command that found the files wrong does not know it, and its comment must still take the place of the last one of that
site. So the name is looked for in the text of `site.yaml`, which may be wrong in everything else.
"""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.errors import UsageError
from reconciler.model.printable import printable
from reconciler.report import Reported

_NAME = re.compile(rb"^name:[ \t]+[\"']?([a-z0-9][a-z0-9._-]{0,62})[\"']?[ \t]*(?:#.*)?\r?$", re.MULTILINE)
_LARGEST = 1 << 20


def site_of(report: Reported, *, name: str, given: str | None) -> str:
    """Return the site's name: what the report says, or a flag, or the file of its environment.

    Args:
        report: what is told.
        name: its file, for messages.
        given: what `--site` says.

    Raises:
        UsageError: nobody says it, or flag and report contradict each other.
    """
    said = report.envelope.site
    if said is not None and given is not None and said != given:
        raise UsageError(
            f"{printable(name)} is of site {printable(said, limit=60)}, not of {printable(given, limit=60)}",
            hint="leave --site out",
        )
    found = said or given or _in_file(report.envelope.environment)
    if found is None:
        raise UsageError(f"{printable(name)} does not say of which site it is", hint="give its name: --site NAME")
    return found


def _in_file(environment: str | None) -> str | None:
    if environment is None:
        return None
    file = Path(environment) / "site.yaml"
    try:
        text = file.read_bytes() if file.stat().st_size <= _LARGEST else b""
    except (OSError, ValueError):
        return None
    names = set(_NAME.findall(text))
    return names.pop().decode() if len(names) == 1 else None
