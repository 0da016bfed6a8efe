"""Which files an environment consists of, and their bytes.

Rules of this file: site.yaml and every *.yaml or *.yml below the directory, sorted, hidden names skipped. A link is
followed when it stays inside the directory and refused when it leaves it; a file reached under several names is read
once, under its own name. Only regular files of a sensible size are read. Whatever the operating system objects to
becomes a diagnostic that names the file; no machine path ever appears in one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from reconciler.desired.wording import escape, quote
from reconciler.model.diagnostic import Diagnostic
from reconciler.values import Struct, field

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_FILES = 10_000
SITE_FILE = "site.yaml"
MISNAMED_SITE_FILE = "site.yml"

_ENDINGS = (".yaml", ".yml")


class Found(Struct):
    """The files of an environment, by their names within it."""

    files: dict[str, Path] = field(default_factory=dict)
    """Each name with the real path behind it, sorted."""
    problems: list[Diagnostic] = field(default_factory=list)


def discover(root: Path) -> Found:
    """Return the YAML files of the environment at `root`."""
    try:
        is_there, is_dir, real = root.exists(), root.is_dir(), Path(os.path.realpath(root))
    except OSError as exc:
        return Found(problems=[_unreadable("", exc)])
    if not is_dir:
        return Found(problems=[_no_environment(is_there=is_there)])
    walk = _Walk(real)
    walk.run()
    return walk.result()


def read_bytes(name: str, real: Path) -> bytes | Diagnostic:
    """Return the content of the file called `name`, or why it cannot be had."""
    try:
        # O_NONBLOCK: opening a pipe that took the file's place since must not wait for a writer.
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return _problem(name, "not-a-file", "this is not a regular file")
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError as exc:
        return _unreadable(name, exc)
    if len(data) > MAX_FILE_BYTES:
        return _problem(
            name, "file-too-large", f"the file is larger than {MAX_FILE_BYTES // 1024 // 1024} MiB; split it"
        )
    return data


class _Walk:
    """One walk over the directory: the real tree first, then what links inside it point to."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names: dict[Path, str] = {}
        self._visited: set[Path] = set()
        self._linked: list[tuple[str, Path]] = []
        self._problems: list[Diagnostic] = []

    def run(self) -> None:
        """Walk until everything is seen."""
        pending = [("", self._root)]
        while pending or self._linked:
            if not pending:
                self._linked.sort(reverse=True)
                pending.append(self._linked.pop())
            prefix, folder = pending.pop()
            if folder not in self._visited:
                self._visited.add(folder)
                pending.extend(self._visit(prefix, folder))

    def result(self) -> Found:
        """Return what was found, sorted by name."""
        files = dict(sorted((name, real) for real, name in self._names.items()))
        if len(files) > MAX_FILES:
            summary = f"the environment has {len(files)} files, more than {MAX_FILES}; put more agents into each"
            return Found(problems=[Diagnostic(code="too-many-files", summary=summary)])
        return Found(files, self._problems)

    def _visit(self, prefix: str, folder: Path) -> Iterator[tuple[str, Path]]:
        try:
            with os.scandir(folder) as entries:
                children = sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda e: e.name)
        except OSError as exc:
            self._problems.append(_unreadable(prefix.rstrip("/"), exc))
            return
        for child in children:
            name, real = f"{prefix}{child.name}", folder / child.name
            try:
                yield from self._look_at(child, name, real)
            except OSError as exc:
                self._problems.append(_unreadable(name, exc))

    def _look_at(self, child: os.DirEntry[str], name: str, real: Path) -> Iterator[tuple[str, Path]]:
        if child.is_symlink():
            self._follow(name, real)
        elif child.is_dir(follow_symlinks=False):
            yield f"{name}/", real
        elif _is_wanted(name):
            self._take(name, real, regular=child.is_file(follow_symlinks=False))

    def _follow(self, name: str, link: Path) -> None:
        wanted = _is_wanted(name)
        try:
            real = link.resolve(strict=True)
        except (OSError, RuntimeError):
            if wanted:
                self._problems.append(_problem(name, "broken-link", "this link points to nothing"))
            return
        is_dir = real.is_dir()
        if not (wanted or is_dir):
            return
        if not real.is_relative_to(self._root):
            summary = "this link leaves the environment's directory; put the file itself here"
            self._problems.append(_problem(name, "link-leaves-directory", summary))
        elif is_dir:
            self._linked.append((f"{name}/", real))
        else:
            self._take(name, real, regular=real.is_file(), own_name=False)

    def _take(self, name: str, real: Path, *, regular: bool, own_name: bool = True) -> None:
        if not regular:
            self._problems.append(_problem(name, "not-a-file", "this is not a regular file"))
        elif not name.isprintable() or not name.endswith(_ENDINGS):
            self._problems.append(_odd_name(name))
        elif own_name:
            self._names[real] = name
        else:
            self._names.setdefault(real, name)


def _no_environment(*, is_there: bool) -> Diagnostic:
    if is_there:
        summary, detail = "the environment is not a directory", "name the directory it stands in, where site.yaml is"
    else:
        summary = "the environment's directory does not exist"
        detail = "name the one that holds site.yaml, as seen from the directory this is run in"
    return Diagnostic(code="no-environment", summary=summary, detail=detail)


def _is_wanted(name: str) -> bool:
    return name.lower().endswith(_ENDINGS)


def _odd_name(name: str) -> Diagnostic:
    if name.isprintable():
        return _problem(name, "odd-file-name", "write the ending .yaml or .yml in lower case")
    return _problem(
        name, "odd-file-name", f"the file name {quote(name)} holds characters that cannot be seen; rename it"
    )


def _unreadable(name: str, exc: OSError) -> Diagnostic:
    reason = (exc.strerror or type(exc).__name__).lower()
    return _problem(name, "unreadable", f"this cannot be read: {reason}")


def _problem(name: str, code: str, summary: str) -> Diagnostic:
    return Diagnostic(path=escape(name), code=code, summary=summary)
