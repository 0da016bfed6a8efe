"""A pull request on GitHub or GitHub Enterprise.

Rules of this file: what is sent is what GitHub's OpenAPI description (REST) and schema (GraphQL) have; the tests check
every request against them. To GitHub a pull request is an issue with more to it, so its comments and labels are an
issue's. Whose comment it is, GitHub says: the account of this token is asked for once, and only when there is a comment
that might be ours.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from reconciler.review.exchange import Exchange, Reply, Request
from reconciler.review.host import Comment
from reconciler.review.marker import folded
from reconciler.review.pull_request import PullRequest
from reconciler.review.reading import at, first_number, label_names, listed, misread, own_comment, page_in
from reconciler.review.refusal import Access, github_refusal
from reconciler.review.standing import LABEL_FAMILY, Standing
from reconciler.values import replace

MOST_CHARS = 60_000
"""Of a report in a comment. The host takes 65,536 characters, of which it was seen to count some as more than one."""
HEADERS: Mapping[str, str] = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}

_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_WHO = "query { viewer { databaseId } }"
_MINIMIZE = """\
mutation ($comment: ID!) {
  minimizeComment(input: {subjectId: $comment, classifier: OUTDATED}) { clientMutationId }
}"""


class Github:
    """See `host.ReviewHost`."""

    def __init__(self, exchange: Exchange, pull_request: PullRequest, access: Access) -> None:
        """Take a pull request whose number is known."""
        self._exchange = exchange
        self._access = access
        self._api = pull_request.api
        self._repository = f"{pull_request.api}/repos/{pull_request.repository}"
        self._issue = f"{self._repository}/issues/{pull_request.number}"
        self._account: int | None = None

    def comments(self) -> tuple[Comment, ...]:
        """Return our comments, oldest first."""
        what = "the comments of the pull request cannot be read"
        found = [each for each in self._listed("comments", what) if own_comment(each)]
        author = self._own_account() if found else None
        own = [comment for each in found if (comment := own_comment(each, author=author, page=_page(each)))]
        return tuple(sorted(own, key=lambda comment: comment.id))

    def create(self, body: str) -> Comment:
        """Add a comment."""
        what = "the comment cannot be added"
        request = Request(method="POST", url=f"{self._issue}/comments", body={"body": body}, repeatable=False)
        value = self._sent(request, what).value
        added = own_comment(value, page=_page(value))
        if added is None:
            raise misread(what)
        return added

    def replace(self, comment: Comment, body: str) -> bool:
        """Give a comment another text."""
        request = Request(method="PATCH", url=self._url_of(comment), body={"body": body})
        return self._sent(request, "the comment cannot be changed", missing=True).good

    def remove(self, comment: Comment) -> None:
        """Remove a comment."""
        request = Request(method="DELETE", url=self._url_of(comment))
        self._sent(request, "a second comment cannot be removed", missing=True)

    def fold(self, comment: Comment) -> None:
        """Minimise a comment as outdated. What a run that was killed leaves undone, the next one does again."""
        self._minimise(comment)
        self.replace(comment, folded(comment.body))

    def labels(self) -> tuple[str, ...]:
        """Return the labels that the pull request carries."""
        found = self._listed("labels", "the labels of the pull request cannot be read")
        return label_names(each.get("name") for each in found)

    def relabel(self, *, add: Collection[str], remove: Collection[str]) -> None:
        """Change the labels of the pull request, and make those that the repository lacks."""
        for name in add:
            self._make(name)
        if add:
            request = Request(method="POST", url=f"{self._issue}/labels", body={"labels": list(add)})
            self._sent(request, "the label cannot be set")
        for name in remove:
            request = Request(method="DELETE", url=f"{self._issue}/labels/{quote(name, safe='')}")
            self._sent(request, "an old label cannot be taken off", missing=True)

    def _make(self, name: str) -> None:
        what = "a label cannot be made"
        known = Request(method="GET", url=f"{self._repository}/labels/{quote(name, safe='')}")
        if self._sent(known, what, missing=True).good:
            return
        standing = Standing(name.removeprefix(LABEL_FAMILY))
        body = {"name": name, "color": standing.colour, "description": standing.meaning}
        reply = self._exchange.send(Request(method="POST", url=f"{self._repository}/labels", body=body))
        # 422: another job has made it meanwhile; if it means anything else, setting the label says what.
        if not reply.good and reply.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise github_refusal(what, reply, self._access)

    def _minimise(self, comment: Comment) -> None:
        reply = self._asked(_MINIMIZE, comment=comment.node)
        errors = at(reply.value, "errors")
        error = errors[0] if isinstance(errors, list) and errors else errors
        if reply.good and (not error or at(error, "type") == "NOT_FOUND"):
            return
        refusal = replace(reply, status=HTTPStatus.FORBIDDEN, body=json.dumps(error).encode()) if reply.good else reply
        raise github_refusal("an old comment cannot be minimised", refusal, self._access)

    def _own_account(self) -> int:
        """Return the number of this token's account. Only GraphQL says it to tokens of apps, as those of jobs are."""
        if self._account is None:
            what = "whose token this is, and so which comments are ours, cannot be read"
            found = at(self._asked(_WHO).value, "data", "viewer", "databaseId")
            if type(found) is not int:
                found = at(self._sent(Request(method="GET", url=f"{self._api}/user"), what).value, "id")
            if type(found) is not int:
                raise misread(what)
            self._account = found
        return self._account

    def _asked(self, query: str, **variables: str) -> Reply:
        # Enterprise Server has its REST API at /api/v3, and this one beside it.
        url = f"{self._api.removesuffix('/v3')}/graphql"
        return self._exchange.send(Request(method="POST", url=url, body={"query": query, "variables": variables}))

    def _listed(self, name: str, what: str) -> Iterator[dict[str, Any]]:
        return listed(lambda request: self._sent(request, what), f"{self._issue}/{name}?", what=what)

    def _sent(self, request: Request, what: str, *, missing: bool = False) -> Reply:
        """Send a request; `missing`: what it is about need not be there any more."""
        reply = self._exchange.send(request)
        if reply.good or (missing and reply.status in _GONE):
            return reply
        raise github_refusal(what, reply, self._access)

    def _url_of(self, comment: Comment) -> str:
        return f"{self._repository}/issues/comments/{comment.id}"


def _page(value: Any) -> str:
    return page_in(value, "html_url")


def pull_request_of(exchange: Exchange, place: PullRequest, access: Access) -> int | None:
    """Return the number of the pull request that a commit came with: the one it merged, else the first that has it."""
    url = f"{place.api}/repos/{place.repository}/commits/{place.commit}/pulls"
    reply = exchange.send(Request(method="GET", url=url))
    if not reply.good or not isinstance(reply.value, list):
        raise github_refusal("the pull request of this commit cannot be read", reply, access)
    merged = [each for each in reply.value if at(each, "merge_commit_sha") == place.commit]
    return first_number([*merged, *reply.value], "number")
