"""Files to `Desired`, or every problem at once.

The only room that knows YAML and JSON Schema. `load` never raises for what a user wrote and never prints: problems are
`model.diagnostic.Diagnostic` values, and the exit code is the business of whoever called.
"""

from __future__ import annotations

from reconciler.desired.environments import TooManyDirectoriesError, environments_below
from reconciler.desired.loading import Loaded, load

__all__ = ["Loaded", "TooManyDirectoriesError", "environments_below", "load"]
