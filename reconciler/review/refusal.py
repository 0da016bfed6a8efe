"""What a host says no to, and what to do about it: which permission is missing, and where it is granted.

Rules of this file: pure. It knows what both hosts document; a host's own words are shown, made printable and short.
The token is in none of them.
"""

from __future__ import annotations

from http import HTTPStatus

from reconciler.errors import ReviewHostError
from reconciler.model.printable import printable
from reconciler.review.exchange import Reply
from reconciler.values import Struct

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Access(Struct, frozen=True, kw_only=True):
    """With what, and from where, the host was asked."""

    token: str
    """The reference of the token, such as `env:GITHUB_TOKEN`; never the token."""
    from_fork: bool = False


def github_refusal(what: str, reply: Reply, access: Access) -> ReviewHostError:
    """Return the error for a reply of GitHub that is not what was asked for.

    Args:
        what: what it means, such as "the comment cannot be added".
        reply: what GitHub said.
        access: with what it was asked.
    """
    said = _words(reply)
    return ReviewHostError(_sentence(what, reply, said), hint=_github_hint(reply, said, access))


def gitlab_refusal(what: str, reply: Reply, access: Access) -> ReviewHostError:
    """Return the error for a reply of GitLab; see `github_refusal`."""
    said = _words(reply)
    return ReviewHostError(_sentence(what, reply, said), hint=_gitlab_hint(reply, said, access))


def _github_hint(reply: Reply, said: str, access: Access) -> str:
    match reply.status:
        case 401:
            return f"{access.token} is no token of this host, or has expired"
        case 403 | 429 if _is_limit(reply, said):
            return "the host limits how much it is asked; run again later, or wait longer: --max-wait 15m"
        case 403 if "x-github-sso" in reply.headers:
            return f"authorise {access.token} for the organisation's single sign-on, on the token's page"
        case 403 if "locked" in said:
            return "the conversation of the pull request is locked; unlock it"
        case 403 if access.from_fork:
            return (
                "the pull request comes from a fork, whose jobs get a token that may only read; leave the step out for "
                "forks, or comment from a workflow that runs on workflow_run"
            )
        case 403:
            return f"grant {access.token} what it lacks: {_lacking(reply)}"
        case 404 | 410:
            return (
                f"look at --repository and --pull-request; a repository that {access.token} may not see is not found "
                "either: grant it pull-requests: write there"
            )
        case _:
            return _other_hint(reply)


def _gitlab_hint(reply: Reply, said: str, access: Access) -> str:
    if access.token == "env:CI_JOB_TOKEN" and reply.status in {401, 403, 404}:  # noqa: S105 - a reference to one
        return (
            "a CI_JOB_TOKEN cannot write notes; make a project access token with the scope api and the role Developer, "
            "and keep it in a masked variable: --token env:GITLAB_TOKEN"
        )
    match reply.status:
        case 401:
            return f"{access.token} is no token of this host, or has expired; it needs the scope api"
        case 429:
            return "the host limits how much it is asked; run again later, or wait longer: --max-wait 15m"
        case 403 if "insufficient_scope" in said:
            return f"{access.token} lacks the scope api; make a token that has it"
        case 403 if access.from_fork:
            return (
                "the merge request comes from a fork, whose pipelines have no token of this project; a member starts "
                "a pipeline for it in this project: Merge request, Pipelines, Run pipeline"
            )
        case 403:
            return f"give the account of {access.token} the role Developer in the project, and the scope api"
        case 404:
            return (
                f"look at --repository and --pull-request; a project that {access.token} may not see is not found "
                "either: give its account the role Developer there, and the scope api"
            )
        case _:
            return _other_hint(reply)


def _other_hint(reply: Reply) -> str:
    if reply.status in _REDIRECTS:
        return "a redirect is not followed, for the token's sake; has the repository moved? Give its present name"
    return "look at the host's own state page, and at the address of its API: --api-url"


def _is_limit(reply: Reply, said: str) -> bool:
    return reply.status == HTTPStatus.TOO_MANY_REQUESTS or "rate limit" in said.lower()


def _lacking(reply: Reply) -> str:
    """Return the permissions that would do: GitHub lists them, with `;` between those of which one is enough."""
    told = reply.headers.get("x-accepted-github-permissions", "")
    wanted = [_permission(each) for each in told.split(";") if "=" in each]
    return printable(" or ".join(wanted), limit=200) or "pull-requests: write (and issues: write to make labels)"


def _permission(told: str) -> str:
    """Return `issues=write,pull_requests=write` as a workflow writes it."""
    return " and ".join(each.strip().replace("_", "-").replace("=", ": ") for each in told.split(","))


def _sentence(what: str, reply: Reply, said: str) -> str:
    try:
        phrase = f" {HTTPStatus(reply.status).phrase}"
    except ValueError:
        phrase = ""
    return f"{what}: the host answered {reply.status}{phrase}" + (f": {said}" if said else "")


def _words(reply: Reply) -> str:
    """Return what the host says in its own words: GitHub in `message`, GitLab there or in `error`."""
    value = reply.value
    if not isinstance(value, dict):
        return ""
    words = [value.get(name) for name in ("message", "error", "error_description")]
    return printable("; ".join(word for word in words if isinstance(word, str)), limit=200)
