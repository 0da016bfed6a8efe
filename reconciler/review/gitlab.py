"""A merge request on gitlab.com or a GitLab of one's own.

Rules of this file: GitLab has comments ("notes") but cannot minimise one. To post them as threads, which can be
resolved, would be worse: an open thread may keep a merge request from being merged. So a comment whose place a newer
one has taken is folded by its own text. Labels that the project lacks are made by GitLab itself as they are set.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from reconciler.review.body import FRAME
from reconciler.review.exchange import Exchange, Reply, Request
from reconciler.review.host import Comment
from reconciler.review.marker import folded
from reconciler.review.pull_request import PullRequest
from reconciler.review.reading import at, first_number, label_names, listed, misread, own_comment, page_in
from reconciler.review.refusal import Access, gitlab_refusal

MOST_CHARS = 1_000_000 - FRAME
"""Of a report in a note: what the host takes, and room for what stands around it."""

_MERGES = ("merge_commit_sha", "squash_commit_sha")


class Gitlab:
    """See `host.ReviewHost`."""

    def __init__(self, exchange: Exchange, pull_request: PullRequest, access: Access) -> None:
        """Take a merge request whose number is known."""
        self._exchange = exchange
        self._access = access
        self._api = pull_request.api
        project = quote(pull_request.repository, safe="")
        self._request = f"{pull_request.api}/projects/{project}/merge_requests/{pull_request.number}"
        self._account: int | None = None
        self._page: str | None = None

    def comments(self) -> tuple[Comment, ...]:
        """Return our comments, oldest first."""
        found = [each for each in self._notes() if own_comment(each)]
        author = self._own_account() if found else None
        own = [comment for each in found if (comment := own_comment(each, author=author, page=self._page_of(each)))]
        return tuple(sorted(own, key=lambda comment: comment.id))

    def create(self, body: str) -> Comment:
        """Add a comment."""
        what = "the comment cannot be added"
        request = Request(method="POST", url=f"{self._request}/notes", body={"body": body}, repeatable=False)
        value = self._sent(request, what).value
        added = own_comment(value, page=self._page_of(value))
        if added is None:
            raise misread(what)
        return added

    def replace(self, comment: Comment, body: str) -> bool:
        """Give a comment another text."""
        request = Request(method="PUT", url=f"{self._request}/notes/{comment.id}", body={"body": body})
        return self._sent(request, "the comment cannot be changed", missing=True).good

    def remove(self, comment: Comment) -> None:
        """Remove a comment, if it is still there."""
        request = Request(method="DELETE", url=f"{self._request}/notes/{comment.id}")
        self._sent(request, "a second comment cannot be removed", missing=True)

    def fold(self, comment: Comment) -> None:
        """Put a comment behind a triangle that opens it."""
        marker, _, text = folded(comment.body).partition("\n")
        summary = "<summary>Outdated: a newer comment has taken its place</summary>"
        self.replace(comment, f"{marker}\n<details>{summary}\n\n{text.rstrip()}\n\n</details>\n")

    def labels(self) -> tuple[str, ...]:
        """Return the labels that the merge request carries."""
        found = self._about().get("labels")
        return label_names(found) if isinstance(found, list) else ()

    def relabel(self, *, add: Collection[str], remove: Collection[str]) -> None:
        """Change the labels of the merge request, in one request."""
        lists = {"add_labels": ",".join(add), "remove_labels": ",".join(remove)}
        body = {name: labels for name, labels in lists.items() if labels}
        self._sent(Request(method="PUT", url=self._request, body=body), "the label cannot be set")

    def _notes(self) -> Iterator[dict[str, Any]]:
        what = "the notes of the merge request cannot be read"
        url = f"{self._request}/notes?sort=asc&order_by=created_at&"
        return (
            each for each in listed(lambda request: self._sent(request, what), url, what=what) if not each.get("system")
        )

    def _about(self) -> dict[str, Any]:
        what = "the merge request cannot be read"
        value = self._sent(Request(method="GET", url=self._request), what).value
        if not isinstance(value, dict):
            raise misread(what)
        return value

    def _page_of(self, note: Any) -> str:
        """Return where people see a note: GitLab says it of the merge request only."""
        if self._page is None:
            self._page = page_in(self._about(), "web_url")
        return f"{self._page}#note_{at(note, 'id')}" if self._page else ""

    def _own_account(self) -> int:
        if self._account is None:
            what = "whose token this is, and so which notes are ours, cannot be read"
            found = at(self._sent(Request(method="GET", url=f"{self._api}/user"), what).value, "id")
            if type(found) is not int:
                raise misread(what)
            self._account = found
        return self._account

    def _sent(self, request: Request, what: str, *, missing: bool = False) -> Reply:
        """Send a request; `missing`: what it is about need not be there any more."""
        reply = self._exchange.send(request)
        if reply.good or (missing and reply.status == HTTPStatus.NOT_FOUND):
            return reply
        raise gitlab_refusal(what, reply, self._access)


def merge_request_of(exchange: Exchange, place: PullRequest, access: Access) -> int | None:
    """Return the number of the merge request that a commit came with: the one it merged, else the first that has it."""
    url = f"{place.api}/projects/{quote(place.repository, safe='')}/repository/commits/{place.commit}/merge_requests"
    reply = exchange.send(Request(method="GET", url=url))
    if not reply.good or not isinstance(reply.value, list):
        raise gitlab_refusal("the merge request of this commit cannot be read", reply, access)
    merging = [each for each in reply.value if any(at(each, name) == place.commit for name in _MERGES)]
    return first_number([*merging, *reply.value], "iid")
