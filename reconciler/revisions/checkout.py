"""Which commit to compare with, and which files of the checkout differ from it.

Rules of this file: the comparison is with the point where history parted, as a pull request's is (`git diff REV...`):
what others have landed since on the branch that REV names is not a change of this one. A revision comes from a command
line that CI may have put together, so it is never taken for an option.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from reconciler.errors import UsageError
from reconciler.git import Finished, GitSilentError, GitUnavailableError, checkout_around, plain_environment, run_git
from reconciler.model.printable import printable
from reconciler.values import Struct, repr_without

_SHALLOW = "this clone has no whole history: fetch it with `fetch-depth: 0` (GitHub), GIT_DEPTH: 0 (GitLab), or "
_UNSHALLOW = "git fetch --unshallow"
_QUIET = (
    *("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "core.quotePath=false"),
    "--literal-pathspecs",
)


class Revision(Struct, frozen=True, kw_only=True):
    """A commit to compare with."""

    given: str
    """As the user wrote it."""
    commit: str
    """The best common ancestor of it and HEAD, in full."""
    top: Path
    """The top of the checkout, resolved."""
    environ: Mapping[str, str]

    __repr__ = repr_without("environ")

    def git(self, *arguments: str, stdin: bytes = b"") -> Finished:
        """Run `git ARGUMENTS` at the top of the checkout.

        Raises:
            UsageError: Git is not there, or does not end.
        """
        return _git(*arguments, cwd=self.top, environ=self.environ, stdin=stdin)


def find_revision(given: str, *, place: Path, environ: Mapping[str, str]) -> Revision:
    """Return the commit from which `place` is to be compared, for a revision that a user named.

    Raises:
        UsageError: `place` is in no checkout, there is no such revision, or it has no ancestor in common with HEAD.
    """
    around = plain_environment(environ)
    top = _top(place, around)
    theirs = _commit(given, top, around)
    if theirs is None:
        raise _not_found(given, top, around)
    if _commit("HEAD", top, around) is None:
        raise UsageError("--changed-since: this checkout has no commit yet", hint="leave it out")
    base = _git("merge-base", "--end-of-options", theirs, "HEAD", cwd=top, environ=around)
    if base.code != 0:
        text = f"--changed-since: {_shown(given)} has no commit in common with HEAD"
        raise UsageError(text, hint=_depth(top, around) or "name a revision of this history")
    return Revision(given=given, commit=_line(base), top=top, environ=around)


def changed_files(revision: Revision) -> frozenset[Path]:
    """Return the files that differ between the revision and the checkout, those Git does not know yet included.

    Both names of a renamed file are in it; a file that is gone is too.
    """
    differ = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", revision.commit, "--")
    new = ("ls-files", "--others", "--exclude-standard", "-z", "--full-name")
    found: set[Path] = set()
    for arguments in (differ, new):
        ended = revision.git(*_QUIET, *arguments)
        if ended.code != 0:
            raise UsageError(f"--changed-since: git {arguments[0]}: {ended.reason}", hint="look at the checkout")
        found.update(revision.top / os.fsdecode(name) for name in ended.out.split(b"\0") if name)
    return frozenset(found)


def _top(place: Path, environ: Mapping[str, str]) -> Path:
    ended = _git("rev-parse", "--show-toplevel", cwd=checkout_around(place), environ=environ)
    if ended.code != 0 or not ended.out.strip():
        raise UsageError(
            f"--changed-since: the environment is in no Git checkout: {ended.reason}",
            hint="run it in a clone; one that belongs to another user has to be named in Git's safe.directory",
        )
    top = Path(os.path.realpath(os.fsdecode(ended.out.removesuffix(b"\n"))))
    if not Path(os.path.realpath(place)).is_relative_to(top):
        text = f"--changed-since: the work tree of this checkout is elsewhere: {printable(str(top), limit=200)}"
        raise UsageError(text, hint="run it in that directory, or look at core.worktree in Git's settings")
    return top


def _commit(revision: str, top: Path, environ: Mapping[str, str]) -> str | None:
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    ended = _git(*words, cwd=top, environ=environ)
    return _line(ended) if ended.code == 0 else None


def _not_found(given: str, top: Path, environ: Mapping[str, str]) -> UsageError:
    remedy = _depth(top, environ) or "fetch it first, such as: git fetch origin main, and --changed-since origin/main"
    return UsageError(f"--changed-since: there is no revision {_shown(given)} here", hint=remedy)


def _depth(top: Path, environ: Mapping[str, str]) -> str:
    """Return the remedy for a history that was cut short, or nothing where it was not."""
    ended = _git("rev-parse", "--is-shallow-repository", cwd=top, environ=environ)
    return f"{_SHALLOW}{_UNSHALLOW}" if ended.out.strip() == b"true" else ""


def _git(*arguments: str, cwd: Path, environ: Mapping[str, str], stdin: bytes = b"") -> Finished:
    try:
        return run_git(arguments, cwd=cwd, environ=environ, stdin=stdin)
    except (GitUnavailableError, GitSilentError) as error:
        raise UsageError(f"--changed-since: {error}", hint=error.hint) from error
    except ValueError as error:  # a NUL or a lone surrogate in what was given
        raise UsageError("--changed-since: this is no name of a revision", hint="name a branch or a commit") from error


def _line(ended: Finished) -> str:
    return ended.out.decode("ascii", "replace").strip().partition("\n")[0]


def _shown(given: str) -> str:
    return repr(printable(given, limit=100))
