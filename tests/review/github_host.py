"""GitHub as far as one pull request's comments and labels go: every request and reply held to GitHub's description."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from graphql import GraphQLError, graphql_sync
from review.github_api import check_answer, check_request, graphql_schema, smallest
from review.served import Answer, Asked, Served, serving

REPOSITORY = "octo-org/floor"
NUMBER = 7
TOKEN = "ghs_made-up"
MERGED = "c" * 40
"""The commit that merged the pull request."""
OTHER_TOKEN = "ghp_made-up-too"
_NOT_ALLOWED = "Resource not accessible by integration"
_TIME = "2026-01-31T09:30:00Z"


@dataclass(frozen=True)
class Account:
    """Somebody with a token."""

    id: int
    login: str
    app: bool = False
    """Its token is an app's, as that of every job is."""
    may: Collection[str] = ("read", "write")


@dataclass
class Kept:
    """A comment."""

    id: int
    by: int
    body: str
    minimized: str | None = None


@dataclass
class GithubHost(Served):
    """One repository with one pull request, and who may do what."""

    prefix: str = ""
    """`/api/v3` on Enterprise Server."""
    accounts: dict[str, Account] = field(
        default_factory=lambda: {
            TOKEN: Account(41898282, "github-actions[bot]", app=True),
            OTHER_TOKEN: Account(1001, "mallory"),
        }
    )
    comments: list[Kept] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    """Of the pull request."""
    known_labels: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Of the repository."""
    pulls: dict[str, list[int]] = field(default_factory=dict)
    """Pull requests by the commits they came with."""
    meanwhile: list[Callable[[Asked], object]] = field(default_factory=list)
    """What happens after a request was answered; each once."""
    locked: bool = False
    page: int = 100
    graphql: bool = True

    def say(self, body: str, *, token: str = OTHER_TOKEN) -> Kept:
        """Add a comment as somebody."""
        kept = Kept(id=len(self.comments) + 501, by=self.accounts[token].id, body=body)
        self.comments.append(kept)
        return kept

    @property
    def shown(self) -> list[str]:
        """The comments that nobody has to open."""
        return [each.body for each in self.comments if each.minimized is None]

    def answer(self, asked: Asked) -> Answer:
        """Judge a request, and hold it and its answer to the description."""
        answer = self._graphql(asked) if asked.path == self._graphql_path else self._rest(asked)
        while self.meanwhile:
            self.meanwhile.pop(0)(asked)
        return answer

    @property
    def _graphql_path(self) -> str:
        return "/api/graphql" if self.prefix else "/graphql"

    def _rest(self, asked: Asked) -> Answer:
        assert asked.path.startswith(self.prefix)
        path = asked.path.removeprefix(self.prefix)
        operation = check_request(asked, path)
        assert asked.headers["accept"] == "application/vnd.github+json"
        answer = self._judged(asked, path)
        check_answer(asked, answer, operation)
        return answer

    def _account(self, asked: Asked) -> Account | None:
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        return self.accounts.get(token) if scheme == "Bearer" else None

    def _judged(self, asked: Asked, path: str) -> Answer:
        account = self._account(asked)
        if account is None:
            return _no(401, "Bad credentials")
        if path == "/user":
            return _no(403, _NOT_ALLOWED) if account.app else Answer(200, _public_user(account))
        top = f"/repos/{REPOSITORY}"
        if not path.startswith(f"{top}/") or "read" not in account.may:
            return _no(404, "Not Found")
        if asked.method != "GET" and "write" not in account.may:
            wanted = {"X-Accepted-GitHub-Permissions": "issues=write; pull_requests=write"}
            return _no(403, _NOT_ALLOWED, wanted)
        return self._inside(asked, path.removeprefix(top), account)

    def _inside(self, asked: Asked, path: str, account: Account) -> Answer:
        if path.startswith("/commits/"):
            numbers = self.pulls.get(path.split("/")[2], [])
            return Answer(200, [_pull(each) for each in numbers])
        if path.startswith("/labels"):
            return self._repository_labels(asked, unquote(path.removeprefix("/labels").removeprefix("/")))
        if match := re.fullmatch(r"/issues/comments/(\d+)", path):
            return self._comment(asked, int(match[1]), account)
        if not path.startswith(f"/issues/{NUMBER}/"):
            return _no(404, "Not Found")
        _, _, _, family, *name = path.split("/")
        if family == "labels":
            return self._issue_labels(asked, unquote(name[0]) if name else None)
        return self._comments(asked, account)

    def _comments(self, asked: Asked, account: Account) -> Answer:
        if asked.method == "GET":
            return self._paged(asked, [self._shown(each) for each in self.comments])
        if self.locked:
            return _no(403, "Unable to create comment because issue is locked.")
        if len(asked.body["body"]) > 65_536:
            return Answer(422, {"message": "Validation Failed", "documentation_url": "https://docs.github.com"})
        kept = Kept(id=501 + len(self.comments), by=account.id, body=asked.body["body"])
        self.comments.append(kept)
        return Answer(201, self._shown(kept))

    def _comment(self, asked: Asked, number: int, account: Account) -> Answer:
        kept = next((each for each in self.comments if each.id == number), None)
        if kept is None:
            return _no(404, "Not Found")
        assert kept.by == account.id, "somebody else's comment is touched"
        if asked.method == "DELETE":
            self.comments.remove(kept)
            return Answer(204)
        kept.body = asked.body["body"]
        return Answer(200, self._shown(kept))

    def _repository_labels(self, asked: Asked, name: str) -> Answer:
        if asked.method == "GET":
            known = self.known_labels.get(name)
            return _no(404, "Not Found") if known is None else Answer(200, known)
        wanted = asked.body
        if wanted["name"] in self.known_labels:
            errors = [{"resource": "Label", "code": "already_exists", "field": "name"}]
            about = {"message": "Validation Failed", "documentation_url": "https://docs.github.com", "errors": errors}
            return Answer(422, about)
        self.known_labels[wanted["name"]] = _label(wanted["name"], wanted["color"], wanted["description"])
        return Answer(201, self.known_labels[wanted["name"]])

    def _issue_labels(self, asked: Asked, name: str | None) -> Answer:
        if asked.method == "POST":
            self.labels += [each for each in asked.body["labels"] if each not in self.labels]
        if asked.method == "DELETE":
            if name not in self.labels:
                return _no(404, "Label does not exist")
            self.labels.remove(name)
        if asked.method == "GET":
            return self._paged(asked, [_label(each) for each in self.labels])
        return Answer(200, [_label(each) for each in self.labels])

    def _paged(self, asked: Asked, items: list[Any]) -> Answer:
        page, size = int(asked.query.get("page", "1")), min(int(asked.query.get("per_page", "30")), self.page)
        more = len(items) > page * size
        link = f'<{self.url}{asked.path}?per_page={size}&page={page + 1}>; rel="next"'
        return Answer(200, items[(page - 1) * size : page * size], {"Link": link} if more else {})

    def _shown(self, kept: Kept) -> dict[str, Any]:
        by = next(each for each in self.accounts.values() if each.id == kept.by)
        return {
            "id": kept.id,
            "node_id": f"IC_{kept.id}",
            "url": f"{self.url}{self.prefix}/repos/{REPOSITORY}/issues/comments/{kept.id}",
            "html_url": f"https://github.example/{REPOSITORY}/pull/{NUMBER}#issuecomment-{kept.id}",
            "issue_url": f"{self.url}{self.prefix}/repos/{REPOSITORY}/issues/{NUMBER}",
            "body": kept.body,
            "user": _simple_user(by),
            "created_at": _TIME,
            "updated_at": _TIME,
            "author_association": "NONE",
            "performed_via_github_app": None,
        }

    def _graphql(self, asked: Asked) -> Answer:
        account = self._account(asked)
        if not self.graphql:
            return _no(404, "Not Found")
        if account is None:
            return _no(401, "Bad credentials")

        def minimize(_info: object, **given: Any) -> dict[str, None]:
            if "write" not in account.may:
                raise GraphQLError(_NOT_ALLOWED, extensions={"type": "FORBIDDEN"})
            kept = next((each for each in self.comments if f"IC_{each.id}" == given["input"]["subjectId"]), None)
            if kept is None:
                raise GraphQLError("Could not resolve to a node", extensions={"type": "NOT_FOUND"})
            kept.minimized = given["input"]["classifier"]
            return {"clientMutationId": None}

        root = {"viewer": {"databaseId": account.id}, "minimizeComment": minimize}
        done = graphql_sync(graphql_schema(), asked.body["query"], root, variable_values=asked.body["variables"])
        value: dict[str, Any] = {"data": done.data}
        if done.errors:
            kinds = [(each.extensions or {}).get("type") for each in done.errors]
            assert None not in kinds, done.errors  # else the query is not what the schema has
            told = zip(done.errors, kinds, strict=True)
            value["errors"] = [{"type": kind, "message": each.message} for each, kind in told]
        return Answer(200, value)


@contextmanager
def github(**settings: Any) -> Iterator[GithubHost]:
    host = GithubHost(**settings)
    with serving(host, host.answer):
        yield host


def _no(status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, {"message": message, "documentation_url": "https://docs.github.com/rest"}, headers or {})


def _label(name: str, color: str = "ededed", text: str | None = None) -> dict[str, Any]:
    url = f"https://api.github.example/repos/{REPOSITORY}/labels/x"
    known = {"id": 1, "node_id": "LA_1", "url": url, "default": False}
    return {**known, "name": name, "color": color, "description": text}


_USER_ADDRESSES = (
    *("url", "html_url", "followers_url", "following_url", "gists_url", "starred_url", "subscriptions_url"),
    *("organizations_url", "repos_url", "events_url", "received_events_url", "avatar_url"),
)


def _simple_user(account: Account) -> dict[str, Any]:
    return {
        **dict.fromkeys(_USER_ADDRESSES, f"https://github.example/{account.id}"),
        "login": account.login,
        "id": account.id,
        "node_id": f"U_{account.id}",
        "gravatar_id": "",
        "type": "Bot" if account.app else "User",
        "site_admin": False,
    }


def _public_user(account: Account) -> dict[str, Any]:
    nothing = dict.fromkeys(("name", "company", "blog", "location", "email", "hireable", "bio"))
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    times = {"created_at": _TIME, "updated_at": _TIME}
    return {**_simple_user(account), **nothing, **counts, **times, "user_view_type": "public"}


def _pull(number: int) -> dict[str, Any]:
    whole: dict[str, Any] = smallest("pull-request-simple")
    return {**whole, "number": number, "merge_commit_sha": MERGED if number == NUMBER else None}
