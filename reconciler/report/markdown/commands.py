"""Commands to go on with, as a reader would type them."""

from __future__ import annotations

import shlex

from reconciler.report.markdown.text import code
from reconciler.report.reported import Envelope

_LONGEST_DIRECTORY = 150
_LIMIT = 300


def command_line(*words: str) -> str:
    """Return `reconciler` with these words, quoted for a shell."""
    return code(shlex.join(["reconciler", *words]), limit=_LIMIT)


def environment_word(envelope: Envelope) -> str:
    """Return the environment's directory, or what stands for it where that is not known or too long to be typed."""
    given = envelope.environment
    return given if given and len(given) <= _LONGEST_DIRECTORY else "ENVIRONMENT"
