"""What a command hands to the border: an exit code, and its result in several forms, made only when asked for.

Rule of this file: making a result does nothing: whatever costs time or a library is a function in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler.errors import ExitCode
from reconciler.model.diagnostic import Diagnostic
from reconciler.values import Struct, field

if TYPE_CHECKING:
    from reconciler.report import Envelope, Reported


class CommandResult(Struct, frozen=True, kw_only=True):
    """The end of a command that ran."""

    command: str
    exit_code: int = ExitCode.DONE
    """The number for the shell; not always a member of `ExitCode`: `--deferred-exit-code` takes any."""
    exit_reason: str = ""
    """Empty for the reason that goes with `exit_code`."""
    text: Callable[[], str] = str
    """Makes the result for people, ending in a newline; empty for none."""
    raw: bool = False
    """The text is a document itself (a schema, say): `--json` prints it as it is."""
    environment: str | None = None
    site: str | None = None
    report: Callable[[Envelope], Reported] | None = None
    """Makes what its reports and its JSON document are about; `None`: the document is `summary` and `sections`."""
    summary: Mapping[str, object] = field(default_factory=dict)
    diagnostics: Sequence[Diagnostic] = ()
    diagnostics_in_text: bool = False
    """They are the result itself, so stderr need not repeat them."""
    sections: Callable[[], Mapping[str, object]] = dict
    """Makes what the JSON document holds beyond the envelope."""
    notes: Sequence[str] = ()
    """Sentences for stderr, after everything else."""
