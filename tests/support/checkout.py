"""A Git checkout for a test: a repository with one branch, committed to as a user would."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_WHO = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "somebody"), ("EMAIL", "somebody@example.com"), ("DATE", "2026-01-31T09:30:00Z"))
}
GIT_ENVIRONMENT = {
    **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
    **_WHO,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}
"""What the tests' own Git is told of the world: nothing of the machine's settings."""


class Checkout:
    """A repository with its work tree."""

    def __init__(self, top: Path) -> None:
        """Make one at `top`, which may hold files already, on the branch `main`."""
        top.mkdir(parents=True, exist_ok=True)
        self.top = top
        self.git("init", "--quiet", "--initial-branch", "main")

    def git(self, *arguments: str, stdin: bytes | None = None) -> str:
        """Run `git ARGUMENTS` here, and return what it says."""
        command = ("git", "-c", "protocol.file.allow=always", *arguments)
        ended = subprocess.run(
            command, cwd=self.top, env=GIT_ENVIRONMENT, input=stdin, capture_output=True, check=False, timeout=30
        )
        assert ended.returncode == 0, ended.stderr.decode()
        return ended.stdout.decode().strip()

    def write(self, files: dict[str, str]) -> None:
        """Write files."""
        for name, text in files.items():
            path = self.top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def commit(self, message: str = "Change something") -> str:
        """Commit everything, and return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def blob(self, data: bytes) -> str:
        """Write a blob, and return its hash."""
        return self.git("hash-object", "-w", "--stdin", stdin=data)

    def tree(self, *entries: tuple[str, bytes, str]) -> str:
        """Write a tree as it is said, however wrong, and return its hash.

        Args:
            entries: mode, name and the hash of what it names.
        """
        raw = b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(object_) for mode, name, object_ in entries)
        return self.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=raw)

    def commit_tree(self, tree: str, *parents: str) -> str:
        """Commit a tree by its hash, and return the commit."""
        return self.git("commit-tree", tree, "-m", "odd", *(word for each in parents for word in ("-p", each)))
