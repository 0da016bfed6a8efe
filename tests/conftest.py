"""What every test starts from: a plain environment, and one idea of how long property tests search.

Rule of this file: nothing a single room's tests need stands here; that belongs to the folder of those tests.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings
from support.counterparts import REQUIRE

# Machines are shared, so no deadline. CI draws the same examples every time: a change must not be refused for what a
# throw of dice found in another one. The searching is done locally, where each run draws new examples.
settings.register_profile("local", max_examples=50, deadline=None, print_blob=True)
settings.register_profile("ci", max_examples=100, deadline=None, print_blob=True, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")

# A shell has what it starts in the background ignore Ctrl-C, and children inherit that: the tests are about it.
signal.signal(signal.SIGINT, signal.default_int_handler)

_STEERING = ("CI", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM", "LINES")
"""Variables that steer colour, progress and layout. A test that is about one of them sets it itself."""

_STEERING_PREFIXES = ("RECONCILER_", "GITHUB_", "GITLAB_", "CI_", "GIT_")
"""Families of the same kind: a CI host's, and those Git sets around a hook, which would redirect the tests' own Git."""


@pytest.fixture(scope="session", autouse=True)
def _plain_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in tuple(os.environ):
            if name != REQUIRE and (name in _STEERING or name.startswith(_STEERING_PREFIXES)):
                patch.delenv(name)
        patch.setenv("COLUMNS", "120")
        yield
