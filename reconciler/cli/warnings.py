"""Which warnings are told on stderr: all of some, the first few of the others.

Rule of this file: a warning that says a safeguard is off is never among those that are left out, and is told before
the first call too.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from reconciler.cli.streams import stderr_style, write
from reconciler.model.diagnostic import Diagnostic, Severity

_ALWAYS_TOLD = frozenset({"certificate-not-checked", "sessions-not-encrypted"})
_FEW = 10


def warn_first(warnings: Sequence[Diagnostic]) -> None:
    """Tell on stderr, before anything else happens, which safeguards are off."""
    from reconciler.report import diagnostics_text  # noqa: PLC0415 - most runs have none to tell

    told = [each for each in warnings if each.code in _ALWAYS_TOLD]
    if told:
        write(sys.stderr, diagnostics_text(told, style=stderr_style()))


def shortened(diagnostics: Sequence[Diagnostic]) -> tuple[Sequence[Diagnostic], int]:
    """Return what is to be shown, in the same order, and the number of warnings that are left out."""
    usual = [each for each in diagnostics if each.severity is Severity.WARNING and each.code not in _ALWAYS_TOLD]
    hidden = set(map(id, usual[_FEW:]))
    return [each for each in diagnostics if id(each) not in hidden], len(hidden)
