"""The state as the tip of a ref of its own in a Git repository, and its lock as the tip of another.

Rules of this file: objects are written with plumbing (`hash-object`, `mktree`, `commit-tree`) into a repository that is
thrown away, and pushed: no work tree, index, branch or hook of anybody's is touched. The push is the compare-and-swap:
`--force-with-lease=REF:COMMIT` on our side, and on the server's the lock it takes on a ref while it replaces exactly
the commit it announced. Every version is a commit on top of the one before, so the ref's history is the audit log; a
lock's history ends with the lock, whose ref is removed.

A push has succeeded when Git says so of this very ref, in the lines that it writes for programs. Why another failed is
never read from what Git says to people: the ref is looked at again.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

from reconciler.errors import StateConflictError, StateError, StateUnansweredError
from reconciler.git import Finished
from reconciler.state.backend import Stored
from reconciler.state.backends.git_program import SHA1, SHA256, Git, format_of
from reconciler.state.backends.git_remote import GitRemote
from reconciler.state.backends.lease import Clocks
from reconciler.state.backends.leased import LeasedBackend
from reconciler.state.files import MAX_READ
from reconciler.state.locks.lock import LEASE

_TIP = "refs/reconciler/tip"
_STATE_FILE = "state.json"
_LOCK_FILE = "lock.json"
_ONE_FILE = re.compile(rb"100\d+ blob (?P<blob>[0-9a-f]+) +(?P<size>\d+)\t(?P<name>[^\0]+)\0")
_TOLD = re.compile(r"^[^!\t]\t\S*:(?P<ref>\S+)\t", re.MULTILINE)
"""What a push says of a ref in its lines for programs, unless it was refused."""
_NOT_OURS = "look what is kept under that ref, and let state.ref in site.yaml name one that holds the state alone"
_WAITS = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between pushes that a server refused though nothing had changed."""
_OTHER = {SHA1: SHA256, SHA256: SHA1}
_TRIES = 3  # to fetch a ref that may be removed, and made again, in the same moment
_AGAIN = "run again; if it stays so, look whether this user may read and push that ref"


class _UnheardError(StateUnansweredError):
    """A push ended without a word of our ref, and the ref is as it was."""


class GitPlace:
    """A file in the commit at the tip of a ref."""

    def __init__(self, remote: Callable[[], tuple[Git, GitRemote]], *, ref: str, file: str, name: str) -> None:
        """Remember where it is; `remote` is asked when it is first needed."""
        self.name = name
        self._remote = remote
        self._reached: tuple[Git, GitRemote] | None = None
        self._ref = ref
        self._file = file
        self._one_at_a_time = threading.RLock()  # the renewal of a lock runs in a thread of its own

    def load(self) -> Stored | None:
        """Fetch the tip; see `backend.Place`."""
        with self._one_at_a_time:
            why = ""
            for _ in range(_TRIES):
                if self._tip() is None:
                    return None
                git, remote = self._reach()
                fetched = git.run(
                    *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--depth=1", "--end-of-options"),
                    *(remote.url, f"+{self._ref}:{_TIP}"),
                )
                if fetched.code == 0:
                    return self._fetched(git)
                why = fetched.reason
            raise StateError(f"{self.name} cannot be read: {why}", hint=_AGAIN)

    def _fetched(self, git: Git) -> Stored:
        tip = git.output("rev-parse", "--verify", _TIP).decode()
        is_commit = git.output("cat-file", "-t", tip) == b"commit"
        held = _ONE_FILE.fullmatch(git.output("ls-tree", "--long", "-z", tip)) if is_commit else None
        if held is None or held["name"] != self._file.encode():
            # The next write would leave that file alone in it, so nothing else may be there.
            raise StateError(f"{self.name} is no commit that holds {self._file} and nothing else", hint=_NOT_OURS)
        if int(held["size"]) > MAX_READ:
            raise StateError(f"{self.name} is larger than {MAX_READ // 1024**3} GiB", hint=_NOT_OURS)
        return Stored(data=git.run("cat-file", "blob", held["blob"].decode()).out, version=tip)

    def save(self, data: bytes, *, expected: str | None, note: str = "") -> str:
        """Push a commit; see `backend.Place`."""
        with self._one_at_a_time:
            git, _ = self._reach()
            if expected is not None and git.run("cat-file", "-e", f"{expected}^{{commit}}").code != 0:
                self._require_tip(expected)
            try:
                return self._write(data, expected, note)
            except _UnheardError as unheard:
                if expected is not None:
                    raise
                return self._write_as_they_do(data, note, unheard)

    def _write(self, data: bytes, expected: str | None, note: str) -> str:
        git, _ = self._reach()
        blob = git.output("hash-object", "-w", "--stdin", stdin=data).decode()
        tree = git.output("mktree", stdin=f"100644 blob {blob}\t{self._file}\n".encode()).decode()
        parents = () if expected is None else ("-p", expected)
        message = f"{note or 'state'}\n".encode()
        commit = git.output("commit-tree", tree, *parents, "-F", "-", stdin=message).decode()
        self._push(commit, expected)
        return commit

    def _write_as_they_do(self, data: bytes, note: str, unheard: _UnheardError) -> str:
        """Write a first version by the hash that the repository names objects by, if that may be why it was unheard.

        Of a repository without any objects it cannot be seen.
        """
        git, _ = self._reach()
        before, ids = git.object_format, self._listed()
        git.speak(format_of(next(iter(ids.values()))) if ids else _OTHER[before])
        if git.object_format == before:
            raise unheard
        try:
            return self._write(data, None, note)
        except _UnheardError:
            git.speak(before)
            raise unheard from None

    def remove(self, *, expected: str) -> None:
        """Remove the ref, if `expected` is its tip.

        Raises:
            StateConflictError: something else is.
            StateError: it cannot be removed.
        """
        with self._one_at_a_time:
            self._push("", expected)

    def _push(self, commit: str, expected: str | None) -> None:
        git, remote = self._reach()
        for wait in (*_WAITS, None):
            pushed = git.run(
                *("push", "--porcelain", "--no-verify", "--no-signed", "--recurse-submodules=no"),
                *(f"--force-with-lease={self._ref}:{expected or ''}", "--end-of-options"),
                *(remote.url, f"{commit}:{self._ref}"),
            )
            if self._is_told(pushed) or self._is_done(pushed, commit, expected):
                return
            if wait is None:
                raise StateError(f"{self.name} cannot be written: {_refusal(pushed)}", hint=_AGAIN)
            time.sleep(wait)

    def _is_told(self, pushed: Finished) -> bool:
        """Tell whether the push says that this very ref is done. It can also end well without having sent it."""
        told = _TOLD.finditer(pushed.out.decode("utf-8", "replace"))
        return pushed.code == 0 and any(line["ref"] == self._ref for line in told)

    def _is_done(self, pushed: Finished, commit: str, expected: str | None) -> bool:
        """Tell what any other push has done, by looking at the ref again; `False` if the server did not want it.

        That may be for good, or because somebody else was at the ref in the same moment and let it go again.

        Raises:
            StateConflictError: another commit is there.
            StateUnansweredError: nobody can say.
        """
        unanswered = _UnheardError(f"{self.name} cannot be written: {_refusal(pushed)}", hint=_AGAIN)
        try:
            tip = self._tip()
        except StateError as error:
            raise StateUnansweredError(str(unanswered), hint=unanswered.hint) from error
        if tip == (commit or None):
            return True
        if tip != expected:
            raise self._overtaken()
        if not any(line.startswith(b"!") for line in pushed.out.splitlines()):
            raise unanswered
        return False

    def _require_tip(self, commit: str) -> None:
        """Fetch `commit`, on which the next one is to stand, if it is the tip."""
        found = self.load()
        if found is None or found.version != commit:
            raise self._overtaken()

    def _overtaken(self) -> StateConflictError:
        return StateConflictError(
            f"{self.name} was written by somebody else meanwhile; it was left as it is", hint="run again"
        )

    def _tip(self) -> str | None:
        tip = self._listed(self._ref).get(self._ref)
        if tip is not None:
            self._reach()[0].speak(format_of(tip))
        return tip

    def _listed(self, *refs: str) -> dict[str, str]:
        """Return the ids of the remote's refs: of all, or of those whose names end so."""
        git, remote = self._reach()
        listed = git.run("ls-remote", "--quiet", "--end-of-options", remote.url, *refs)
        if listed.code != 0:
            raise StateError(f"{self.name} cannot be read: {listed.reason}", hint=_AGAIN)
        lines = (line.split("\t") for line in listed.out.decode("utf-8", "replace").splitlines())
        return {ref: object_id for object_id, ref in lines}

    def _reach(self) -> tuple[Git, GitRemote]:
        if self._reached is None:
            self._reached = self._remote()
        return self._reached


class _LockPlace:
    """A ref that is there as long as the lock is held."""

    def __init__(self, place: GitPlace) -> None:
        self.name = place.name
        self._place = place

    def load(self) -> Stored | None:
        return self._place.load()

    def save(self, data: bytes, *, expected: str | None, note: str = "") -> str:
        """Push a commit, or remove the ref when there is nothing to be said any more."""
        if data.strip() or expected is None:
            return self._place.save(data, expected=expected, note=note)
        self._place.remove(expected=expected)
        return ""


def git_backend(
    remote: Callable[[], tuple[Git, GitRemote]], *, ref: str, name: str, clocks: Clocks, lease: float = LEASE
) -> LeasedBackend:
    """Return the backend of the state at `ref`, whose lock is in the ref beside it.

    Args:
        remote: makes a Git and tells the repository; asked once for the state and once for the lock.
        ref: the full name of the state's ref.
        name: how to name the state in messages.
        clocks: for the lock.
        lease: seconds without a sign of life after which the lock is free.
    """
    state = GitPlace(remote, ref=ref, file=_STATE_FILE, name=name)
    lock = GitPlace(remote, ref=lock_ref(ref), file=_LOCK_FILE, name=f"the lock on {name}")
    return LeasedBackend(state, _LockPlace(lock), clocks=clocks, lease=lease)


def lock_ref(ref: str) -> str:
    """Return the ref of the lock on the state at `ref`. No site's name has a `+`, and no ref may end in `.lock`."""
    return f"{ref}+lock"


def _refusal(pushed: Finished) -> str:
    """Return why the server did not want it: what it says of the ref in brackets, or what Git says."""
    for line in pushed.out.decode("utf-8", "replace").splitlines():
        if line.startswith("!"):
            return line.rpartition("\t")[2]
    return pushed.reason
