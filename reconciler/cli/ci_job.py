"""The page of the CI job this process is, if it is one, so that whoever waits for a lock can look at who holds it.

Rules of this file: it reads the variables CI hosts set and nothing else; what is no plain web address is no page, and
user information, which may be a token, is never part of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

_MAX_URL = 300
_WHOLE = (
    "CI_JOB_URL",  # GitLab
    "BUILD_URL",  # Jenkins
    "BUILDKITE_BUILD_URL",
    "CIRCLE_BUILD_URL",
    "DRONE_BUILD_LINK",
    "CI_PIPELINE_URL",  # Woodpecker
    "TRAVIS_BUILD_WEB_URL",
)
"""Variables that hold the address."""
_IN_PARTS = (
    "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",  # GitHub, Gitea, Forgejo
    "{SYSTEM_TEAMFOUNDATIONCOLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}",  # Azure
    "{BITBUCKET_GIT_HTTP_ORIGIN}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",
)
"""Addresses made of several variables, all of which must be there."""


def is_ci(environ: Mapping[str, str]) -> bool:
    """Tell whether this is a CI job: the hosts set `CI`, but for Azure Pipelines, which sets `TF_BUILD`."""
    return any(environ.get(name, "").lower() not in {"", "0", "false"} for name in ("CI", "TF_BUILD"))


def job_url(environ: Mapping[str, str]) -> str | None:
    """Return the address of the job's page, or `None` where there is none."""
    found = [_filled_in(pattern, environ) for pattern in _IN_PARTS]
    found += [environ.get(name, "") for name in _WHOLE]
    return next((url for url in found if _is_a_page(url)), None)


def _filled_in(pattern: str, environ: Mapping[str, str]) -> str:
    try:
        return pattern.format_map({name: value for name, value in environ.items() if value})
    except KeyError:
        return ""


def _is_a_page(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    fits = url.isascii() and url.isprintable() and " " not in url and len(url) <= _MAX_URL
    return fits and parts.scheme in {"http", "https"} and bool(parts.netloc) and "@" not in parts.netloc
