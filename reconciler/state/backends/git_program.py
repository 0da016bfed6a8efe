"""Git, run as a program: in a repository of its own that is thrown away, never in anybody's checkout.

Rules of this file: what Git is told of the world around it is chosen here: no variable that would lead it into another
repository, no transport but https, http, ssh and plain files, no question on a terminal. A secret goes in through the
environment (`GIT_CONFIG_…`), never as an argument, and whatever Git writes on standard error is freed of user
information before it is shown. A program that takes too long is ended with all it has started.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import StateError, StateUnansweredError
from reconciler.model.printable import printable
from reconciler.programs import ended, start

TIMEOUT = 60.0
"""Seconds one command may take."""

_LEADING_ELSEWHERE = frozenset(
    {
        *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
        *("GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_CEILING_DIRECTORIES"),
        *("GIT_SHALLOW_FILE", "GIT_REPLACE_REF_BASE", "GIT_CURL_VERBOSE"),
    }
)
"""Variables that lead Git into another repository, or, like the family of `GIT_TRACE`, make it print secrets."""
_FIXED = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "file:http:https:ssh",
    "LC_ALL": "C",
}
_IDENTITY = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "reconciler"), ("EMAIL", "reconciler@localhost"))
}
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")
_MAX_WORDS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
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


class Git:
    """Git in a bare repository of its own, made when it is first needed and removed with this object."""

    def __init__(self, *, cwd: Path, environ: Mapping[str, str], config: Sequence[tuple[str, str]] = ()) -> None:
        """Remember what to run it with.

        Args:
            cwd: the directory to which relative addresses are relative.
            environ: the environment variables; what would lead elsewhere is left out.
            config: settings that may hold secrets, on top of the user's own.
        """
        self._cwd = cwd
        self._environ = _surroundings(environ, config)
        self._directory: str | None = None

    def run(self, *arguments: str, stdin: bytes = b"") -> Finished:
        """Run `git ARGUMENTS` in the repository.

        Raises:
            StateError: Git is not there, or took too long.
        """
        return run_git(arguments, cwd=self._cwd, environ={**self._environ, "GIT_DIR": self._repository()}, stdin=stdin)

    def output(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Return what a command that must not fail has written, its newline taken off.

        Raises:
            StateError: it failed.
        """
        finished = self.run(*arguments, stdin=stdin)
        if finished.code != 0:
            raise StateError(f"git {arguments[0]}: {finished.reason}", hint="look at Git and at the disk it writes to")
        return finished.out.removesuffix(b"\n")

    def _repository(self) -> str:
        if self._directory is None:
            directory = tempfile.mkdtemp(prefix="reconciler-git-")
            weakref.finalize(self, shutil.rmtree, directory, ignore_errors=True)
            made = run_git(
                ["init", "--quiet", "--bare", "--template=", directory], cwd=self._cwd, environ=self._environ
            )
            if made.code != 0:
                raise StateError(f"git init: {made.reason}", hint="look at the directory for temporary files")
            self._directory = directory
        return self._directory


def run_git(arguments: Sequence[str], *, cwd: Path, environ: Mapping[str, str], stdin: bytes = b"") -> Finished:
    """Run `git ARGUMENTS` in `cwd` with exactly `environ`.

    Raises:
        StateError: Git is not there, or took too long.
    """
    try:
        program = start(["git", *arguments], cwd=cwd, environ=environ, stdin=subprocess.PIPE)
    except OSError as error:
        raise StateError(f"git cannot be started: {error.strerror}", hint="install Git 2.31 or newer") from None
    with ended(program):
        try:
            out, err = program.communicate(stdin, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            raise StateUnansweredError(
                f"git {arguments[0]} did not end within {TIMEOUT:g} s",
                hint="look at the network and the repository's host",
            ) from None
    return Finished(code=program.returncode, out=out, err=err.decode("utf-8", "replace"))


def plain_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` without what would lead Git elsewhere, and with what keeps it from asking."""
    kept = {
        name: value
        for name, value in environ.items()
        if name not in _LEADING_ELSEWHERE and not name.startswith("GIT_TRACE")
    }
    return kept | _FIXED


def _surroundings(environ: Mapping[str, str], config: Sequence[tuple[str, str]]) -> dict[str, str]:
    found = plain_environment(environ) | _IDENTITY
    count = int(found.get("GIT_CONFIG_COUNT", "0")) if found.get("GIT_CONFIG_COUNT", "0").isdecimal() else 0
    config = (*config, ("core.hooksPath", os.devnull))
    for index, (key, value) in enumerate(config, start=count):
        found |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
    return found | {"GIT_CONFIG_COUNT": str(count + len(config))}
