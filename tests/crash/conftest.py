"""What is particular to the tests of this folder: nobody measures which lines they reach.

They run the same few thousand lines ten thousand times over, and counting them takes longer than all the rest of it.
Each of these lines is reached by the ordinary tests of its room too, which are measured.
"""

from __future__ import annotations

from collections.abc import Generator

import coverage
import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    measuring = coverage.Coverage.current()
    if measuring is not None:
        measuring.stop()
    try:
        return (yield)
    finally:
        if measuring is not None:
            measuring.start()
