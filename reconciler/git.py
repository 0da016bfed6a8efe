"""Git, run as a program for what it says.

Rules of this file: what Git is told of the world around it is chosen here: no variable that would lead it into another
repository, no repository that somebody has committed into a checkout, no transport but https, http, ssh and plain
files, no question on a terminal. Whatever Git writes on standard error is freed of user information before it is shown.
A program that takes too long is ended with all it has started. What a failure means is the caller's to say.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.model.printable import printable
from reconciler.programs import ended, start
from reconciler.values import Struct

TIMEOUT = 60.0
"""Seconds one command may take."""

_LEADING_ELSEWHERE = frozenset(
    {
        *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
        *("GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_CEILING_DIRECTORIES"),
        *("GIT_SHALLOW_FILE", "GIT_REPLACE_REF_BASE", "GIT_CURL_VERBOSE", "GIT_EXTERNAL_DIFF"),
        *("GIT_CONFIG", "GIT_ATTR_SOURCE", "GIT_DEFAULT_HASH"),
        *("GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS"),
    }
)
"""Variables that lead Git into another repository, make it read names otherwise, or, like the family of `GIT_TRACE`,
make it print secrets."""
_FIXED = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "file:http:https:ssh",
    "LC_ALL": "C",
}
_SAFE = ("-c", "safe.bareRepository=explicit")
"""A repository without a work tree is one only where it is named; Git before 2.38 does not know this."""
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")
_MAX_WORDS = 400


class GitUnavailableError(Exception):
    """Git cannot be started."""

    hint = "install Git 2.31 or newer"


class GitSilentError(Exception):
    """Git did not end in time."""

    hint = "look at the network and the repository's host"


class Finished(Struct, frozen=True, kw_only=True):
    """How a command ended."""

    code: int
    out: bytes
    err: str

    @property
    def reason(self) -> str:
        """What Git said was wrong, on one line and fit to be shown."""
        lines = [_USER_INFO.sub("", line).strip() for line in self.err.splitlines() if line.strip()]
        telling = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))] or lines[-1:]
        return printable(" | ".join(telling), limit=_MAX_WORDS) or f"git ended with exit code {self.code}"


def run_git(arguments: Sequence[str], *, cwd: Path, environ: Mapping[str, str], stdin: bytes = b"") -> Finished:
    """Run `git ARGUMENTS` in `cwd` with exactly `environ`.

    Raises:
        GitUnavailableError: Git is not there.
        GitSilentError: it took too long.
    """
    try:
        program = start(["git", *_SAFE, *arguments], cwd=cwd, environ=environ, stdin=subprocess.PIPE)
    except OSError as error:
        raise GitUnavailableError(f"git cannot be started: {error.strerror}") from None
    with ended(program):
        try:
            out, err = program.communicate(stdin, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            raise GitSilentError(f"git {arguments[0]} did not end within {TIMEOUT:g} s") from None
    return Finished(code=program.returncode, out=out, err=err.decode("utf-8", "replace"))


def checkout_around(place: Path) -> Path:
    """Return the top of the checkout that `place` is in, and the root of the file system where it is in none.

    Git is to begin there and not at `place`. On its way up it would take a directory with `HEAD`, `config`, `objects`
    and `refs` for a repository, and run what that `config` names. A pull request can hold such a directory, but no
    `.git`.
    """
    here = Path(os.path.realpath(place))
    return next((each for each in (here, *here.parents) if os.path.lexists(each / ".git")), Path(here.anchor))


def plain_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` without what would lead Git elsewhere, and with what keeps it from asking."""
    kept = {
        name: value
        for name, value in environ.items()
        if name not in _LEADING_ELSEWHERE and not name.startswith("GIT_TRACE")
    }
    return kept | _FIXED
