"""Real programs the tests run against: found, or the test is skipped with the reason, or fails where that is asked for.

Rules of this file: nothing is installed and nothing is started here. What there is to install stands in one place,
`.ci/counterparts`; a test starts its own instance of a program, on a free port and in its own directory, and never uses
one that the machine happens to run.
"""

from __future__ import annotations

import os
import shutil
from typing import Final

import pytest

REQUIRE: Final = "RECONCILER_REQUIRE_COUNTERPARTS"
"""Set to anything, a missing program is a failure and no reason to skip. Continuous integration sets it."""

_DAEMONS: Final = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where Debian puts daemons such as haproxy; the PATH of a plain user need not name them."""


def require_program(name: str, *, package: str) -> str:
    """Return the path of program `name`, which Debian's `package` brings.

    Skips the test that asks when the program is missing, or fails it when the variable `REQUIRE` is set. `package` must
    stand in `.ci/counterparts`.
    """
    if path := shutil.which(name, path=_search_path()):
        return path
    reason = f"{name} is not installed: run `make counterparts`, or install the Debian package {package}"
    if os.environ.get(REQUIRE):
        pytest.fail(f"{reason} ({REQUIRE} is set, so this is no reason to skip)", pytrace=False)
    pytest.skip(reason)


def _search_path() -> str:
    return os.pathsep.join((os.environ.get("PATH", os.defpath), *_DAEMONS))
