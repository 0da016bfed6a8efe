"""Git in a bare repository of its own that is thrown away, never in anybody's checkout.

Rules of this file: a secret goes in through the environment (`GIT_CONFIG_…`), never as an argument; nobody's hooks are
run. How Git is run at all stands in `reconciler.git`; that it cannot be, or does not end, becomes an error of the
state's here.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler import git
from reconciler.errors import StateError, StateUnansweredError
from reconciler.git import Finished, GitSilentError, GitUnavailableError, plain_environment

SHA1, SHA256 = "sha1", "sha256"
_SHA256_DIGITS = 64
_IDENTITY = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "reconciler"), ("EMAIL", "reconciler@localhost"))
}


_OURS = (
    ("core.hooksPath", os.devnull),
    # What is thrown away needs no syncing. Git keeps these settings from the other side of a push, on this machine too.
    ("core.fsync", "none"),
    # A person may have set that a push sends submodules, and not what it was told to, or options a host may not know.
    ("push.recurseSubmodules", "no"),
    ("push.pushOption", ""),
)
"""Settings that stand above anybody's own."""


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
        self.object_format = SHA1

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

    def speak(self, object_format: str) -> None:
        """Name objects by this hash from now on; what was made by the other is forgotten."""
        if object_format != self.object_format:
            self.object_format, self._directory = object_format, None

    def _repository(self) -> str:
        if self._directory is None:
            directory = tempfile.mkdtemp(prefix="reconciler-git-")
            weakref.finalize(self, shutil.rmtree, directory, ignore_errors=True)
            kind = ["--bare", "--template=", f"--object-format={self.object_format}"]
            made = run_git(["init", "--quiet", *kind, directory], cwd=self._cwd, environ=self._environ)
            if made.code != 0:
                raise StateError(f"git init: {made.reason}", hint="look at the directory for temporary files")
            self._directory = directory
        return self._directory


def format_of(object_id: str) -> str:
    """Return by which hash an object is named."""
    return SHA256 if len(object_id) == _SHA256_DIGITS else SHA1


def run_git(arguments: Sequence[str], *, cwd: Path, environ: Mapping[str, str], stdin: bytes = b"") -> Finished:
    """Run `git ARGUMENTS` in `cwd` with exactly `environ`.

    Raises:
        StateError: Git is not there, or took too long.
    """
    try:
        return git.run_git(arguments, cwd=cwd, environ=environ, stdin=stdin)
    except GitUnavailableError as error:
        raise StateError(str(error), hint=error.hint) from None
    except GitSilentError as error:
        raise StateUnansweredError(str(error), hint=error.hint) from None


def _surroundings(environ: Mapping[str, str], config: Sequence[tuple[str, str]]) -> dict[str, str]:
    found = plain_environment(environ) | _IDENTITY
    count = int(found.get("GIT_CONFIG_COUNT", "0")) if found.get("GIT_CONFIG_COUNT", "0").isdecimal() else 0
    config = (*config, *_OURS)
    for index, (key, value) in enumerate(config, start=count):
        found |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
    return found | {"GIT_CONFIG_COUNT": str(count + len(config))}
