"""`reconciler environments [ROOT]`."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

import click

from reconciler.cli.options import json_option
from reconciler.cli.result import CommandResult
from reconciler.desired import TooManyDirectoriesError, environments_below
from reconciler.errors import InputError, UsageError
from reconciler.model.printable import printable
from reconciler.report import GITHUB_MOST, github_matrix, gitlab_pipeline, is_plain, one_line, slugs
from reconciler.revisions import changed_files, find_revision
from reconciler.values import Struct

_SITE_FILE = "site.yaml"


class _Listed(Struct, frozen=True, kw_only=True):
    """What there is to do."""

    paths: tuple[str, ...]
    names: dict[str, str]
    removed: tuple[str, ...] = ()
    """Environments that are gone: nobody can plan them any more, and what they had recorded stays recorded."""
    commit: str | None = None


@click.command
@click.argument("root", default="desired", type=click.Path(path_type=Path), metavar="[ROOT]")
@click.option(
    "--changed-since",
    "revision",
    metavar="REV",
    help="Only those with a file that differs from this Git revision, as a pull request's files do.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["paths", "github", "gitlab"]),
    default="paths",
    show_default=True,
    help="One path a line; GitHub's matrix on one line; a child pipeline for GitLab.",
)
@click.option(
    "--gitlab-include",
    "include",
    default="/.gitlab/plan-site.yml",
    show_default=True,
    metavar="FILE",
    help="With --format gitlab: the file of the repository that defines the job.",
)
@click.option(
    "--gitlab-job",
    "job",
    default=".plan-site",
    show_default=True,
    metavar="NAME",
    help="With --format gitlab: the hidden job that each environment's extends; it gets ENVIRONMENT and SLUG.",
)
@json_option
def command(root: Path, *, revision: str | None, format_: str, include: str, job: str) -> CommandResult:
    """List the environments at and below ROOT: every directory with a site.yaml.

    With --changed-since only those whose plan may change: a file below them was edited, added, removed or renamed since
    HEAD parted from REV. Files are compared and not read, so this is quick, and right also where YAML is invalid.

    Exits 0, also when no environment is touched, and 3 when ROOT holds none or a name cannot be handed to a CI host.
    """
    listed = _listed(root, revision)
    if format_ == "github" and len(listed.paths) > GITHUB_MOST:
        raise UsageError(
            f"{len(listed.paths)} environments are more than the {GITHUB_MOST} jobs GitHub makes of a matrix",
            hint="list several directories, each for a matrix of its own",
        )
    return CommandResult(
        command="environments",
        text=lambda: _text(listed, format_, include=include, job=job),
        summary={"environments": len(listed.paths), "removed": len(listed.removed)},
        sections=lambda: {
            "commit": listed.commit,
            "environments": [{"path": path, "slug": listed.names[path]} for path in listed.paths],
            "removed": list(listed.removed),
            "matrix": github_matrix(listed.paths, names=listed.names),
        },
        notes=[f"gone, and its records stay as they are: {printable(path)}" for path in listed.removed],
    )


def _text(listed: _Listed, format_: str, *, include: str, job: str) -> str:
    match format_:
        case "github":
            return one_line(github_matrix(listed.paths, names=listed.names))
        case "gitlab":
            return one_line(gitlab_pipeline(listed.paths, names=listed.names, include=include, job=job))
        case _:
            return "".join(f"{path}\n" for path in listed.paths)


def _listed(root: Path, revision: str | None) -> _Listed:
    found = _found(root)
    paths = [path.as_posix() for path in found]
    _require_plain(paths)
    names = slugs(paths)
    if revision is None:
        return _Listed(paths=tuple(paths), names=names)
    parted = find_revision(revision, place=root, environ=os.environ)
    changed = changed_files(parted)
    touched = {above for file in changed for above in file.parents}
    kept = tuple(path for path, real in zip(paths, found, strict=True) if _is_touched(real.resolve(), touched, changed))
    return _Listed(paths=kept, names=names, removed=_removed(root, changed), commit=parted.commit)


def _is_touched(environment: Path, touched: Collection[Path], changed: Collection[Path]) -> bool:
    """Tell whether something at, below or, as a submodule, above an environment has changed."""
    return environment in touched or any(each in changed for each in (environment, *environment.parents))


def _found(root: Path) -> tuple[Path, ...]:
    try:
        found = environments_below(root)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        hint = "name a directory with environments"
        raise InputError(f"{printable(root.as_posix())}: {reason}", hint=hint) from error
    except TooManyDirectoriesError:
        hint = "name the one that holds the environments"
        raise UsageError(f"{printable(root.as_posix())} holds too many directories", hint=hint) from None
    if not found:
        summary = f"{printable(root.as_posix())} holds no environment: no directory in it has a {_SITE_FILE}"
        raise InputError(summary, hint="name the directory above them; nearly always a broken checkout")
    return found


def _require_plain(paths: Sequence[str]) -> None:
    odd = [path for path in paths if not is_plain(path)]
    if odd:
        raise InputError(
            f"an environment's name is more than a CI host can be handed: {printable(odd[0], limit=200)!r}",
            hint="rename it with letters, digits, '.', '_' and '-', and name ROOT from within the repository",
        )


def _removed(root: Path, changed: frozenset[Path]) -> tuple[str, ...]:
    """Return environments that are gone, by the names they would have here."""
    top = root.resolve()
    gone = {file.parent for file in changed if file.name == _SITE_FILE and not file.exists()}
    return tuple(sorted((root / folder.relative_to(top)).as_posix() for folder in gone if folder.is_relative_to(top)))
