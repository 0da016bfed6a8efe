"""A repository's environments as the matrices that CI hosts spread over their runners.

Rules of this file: an environment's name is a directory's, and so the pull request's author wrote it; it goes into jobs
as the value of a variable and never as a part of a script. Nothing to do is a pipeline that does nothing, since GitLab
takes no empty one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

GITHUB_MOST = 256
"""Jobs that GitHub makes of one matrix."""
GITLAB_MOST = 200
"""Jobs that GitLab makes of one matrix."""

_PLAIN = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*/)*[A-Za-z0-9_][A-Za-z0-9._-]*|\.", re.ASCII)


def is_plain(path: str) -> bool:
    """Tell whether a path can be handed to any CI host: GitLab would expand a `$` in it, and a shell more than that."""
    return _PLAIN.fullmatch(path) is not None


def slugs(paths: Sequence[str]) -> dict[str, str]:
    """Return a name for each path that can be a part of an artifact's or a job's, no two alike.

    Args:
        paths: plain ones, sorted.
    """
    taken: dict[str, str] = {}
    for path in paths:
        plain = slug = "top" if path == "." else path.replace("/", "-")
        number = 2
        while slug in taken.values():
            slug, number = f"{plain}-{number}", number + 1
        taken[path] = slug
    return taken


def github_matrix(paths: Sequence[str], *, names: Mapping[str, str]) -> dict[str, object]:
    """Return the value of a job's `strategy.matrix`; with no path at all its job is to be skipped."""
    return {"include": [{"environment": path, "slug": names[path]} for path in paths]}


def gitlab_pipeline(paths: Sequence[str], *, names: Mapping[str, str], include: str, job: str) -> dict[str, object]:
    """Return a child pipeline with a job for each path.

    Args:
        paths: the environments.
        names: their slugs.
        include: the file of the repository that defines the job.
        job: the hidden job each one extends; it is given ENVIRONMENT and SLUG.
    """
    if not paths:
        return {"nothing-changed": {"script": ["echo 'no environment is touched by this change'"]}}
    jobs: dict[str, object] = {}
    for start in range(0, len(paths), GITLAB_MOST):
        rows = [{"ENVIRONMENT": path, "SLUG": names[path]} for path in paths[start : start + GITLAB_MOST]]
        jobs[f"plan {start // GITLAB_MOST + 1}"] = {"extends": job, "parallel": {"matrix": rows}}
    return {"include": [{"local": include}], **jobs}


def one_line(document: Mapping[str, object]) -> str:
    """Return a document as JSON on one line, which is what a step's output takes; JSON is YAML too."""
    return json.dumps(document, ensure_ascii=True) + "\n"
