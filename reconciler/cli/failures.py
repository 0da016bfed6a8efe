"""Errors that only the command line knows."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.errors import InputError
from reconciler.model.diagnostic import Diagnostic


class InvalidFilesError(InputError):
    """The environment's files are wrong; every problem is in `diagnostics`."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        """Take all problems at once."""
        super().__init__(f"{len(diagnostics)} problems in the environment's files")
        self.diagnostics = tuple(diagnostics)
