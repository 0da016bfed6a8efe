"""Which warnings are told on stderr: all of most, the first few of those that a large fleet has by the thousand.

Rule of this file: only advice about the files, which `validate` lists in full, is ever left out. A warning that says a
safeguard is off is told before the first call too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from reconciler.cli.streams import stderr_style, write
from reconciler.model.diagnostic import Diagnostic, Severity

_SAFEGUARDS = frozenset({"certificate-not-checked", "sessions-not-encrypted"})
_UNPROTECTED = frozenset({"protects-nobody"})
"""A safeguard is off too, mostly by a slip; of agents who have left there may be many."""
_ADVICE = frozenset(
    {
        "agent-in-reserved-range",
        "all-channels-zero",
        "channel-above-total",
        "dropped-channel-not-inherited",
        "sum-above-total",
        "unused-profile",
    }
)
_FEW = 10


def warn_first(warnings: Sequence[Diagnostic]) -> None:
    """Tell on stderr, before anything else happens, which safeguards are off."""
    from reconciler.report import diagnostics_text  # noqa: PLC0415 - most runs have none to tell

    told = [*_of(_SAFEGUARDS, warnings), *_of(_UNPROTECTED, warnings)[:_FEW]]
    if told:
        write(sys.stderr, diagnostics_text(told, style=stderr_style()))


def shortened(diagnostics: Sequence[Diagnostic]) -> tuple[Sequence[Diagnostic], int]:
    """Return what is to be shown, in the same order, and the number of warnings that are left out."""
    hidden = {id(each) for codes in (_UNPROTECTED, _ADVICE) for each in _of(codes, diagnostics)[_FEW:]}
    return [each for each in diagnostics if id(each) not in hidden], len(hidden)


def _of(codes: frozenset[str], diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    return [each for each in diagnostics if each.code in codes and each.severity is Severity.WARNING]
