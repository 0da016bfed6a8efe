"""GitLab as far as one merge request's notes and labels go, after the pages of its REST API that describe them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from review.served import Answer, Asked, Served, serving

PROJECT = "ops/floor"
IID = 7
TOKEN = "glpat-made-up"
OTHER_TOKEN = "glpat-made-up-too"
JOB_TOKEN = "glcbt-made-up"
_TIME = "2026-01-31T09:30:00.000Z"
MERGED = "c" * 40
_PARAMETERS = {
    ("GET", "notes"): {"sort", "order_by", "per_page", "page"},
    ("POST", "notes"): {"body"},
    ("PUT", "note"): {"body"},
    ("DELETE", "note"): set(),
    ("GET", "request"): set(),
    ("PUT", "request"): {"add_labels", "remove_labels"},
    ("GET", "user"): set(),
    ("GET", "commit"): set(),
}
"""What each request may carry, of what GitLab documents."""


@dataclass
class Note:
    id: int
    by: int
    body: str
    system: bool = False


@dataclass
class GitlabHost(Served):
    """One project with one merge request."""

    prefix: str = ""
    """A GitLab may be installed under a path."""
    accounts: dict[str, int] = field(default_factory=lambda: {TOKEN: 11, OTHER_TOKEN: 12})
    scopes: tuple[str, ...] = ("api",)
    notes: list[Note] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    pulls: dict[str, list[int]] = field(default_factory=dict)
    meanwhile: list[Callable[[Asked], object]] = field(default_factory=list)
    page: int = 100

    def say(self, body: str, *, token: str = OTHER_TOKEN, system: bool = False) -> Note:
        note = Note(id=len(self.notes) + 301, by=self.accounts[token], body=body, system=system)
        self.notes.append(note)
        return note

    @property
    def shown(self) -> list[str]:
        """The notes that nobody has to open."""
        return [each.body for each in self.notes if "<details><summary>Outdated" not in each.body]

    def answer(self, asked: Asked) -> Answer:
        answer = self._judged(asked)
        while self.meanwhile:
            self.meanwhile.pop(0)(asked)
        return answer

    def _judged(self, asked: Asked) -> Answer:
        path = asked.path.removeprefix(f"{self.prefix}/api/v4")
        account = self.accounts.get(asked.headers.get("private-token", ""))
        if account is None:  # a job token is none of these, and no way in to any of this
            return Answer(401, {"message": "401 Unauthorized"})
        if path == "/user":
            _require_known(asked, "user")
            return Answer(200, {"id": account, "username": "project_bot"})
        project = next(
            (each for each in (quote(PROJECT, safe=""), "42") if path.startswith(f"/projects/{each}/")), None
        )
        if project is None:
            return Answer(404, {"message": "404 Project Not Found"})
        if asked.method != "GET" and "api" not in self.scopes:
            told = {"error": "insufficient_scope", "error_description": "The request requires higher privileges."}
            return Answer(403, {**told, "scope": "api"})
        return self._inside(asked, path.removeprefix(f"/projects/{project}"), account)

    def _inside(self, asked: Asked, path: str, account: int) -> Answer:
        if match := re.fullmatch(r"/repository/commits/([0-9a-f]+)/merge_requests", path):
            _require_known(asked, "commit")
            return Answer(200, [_merge_request(each) for each in self.pulls.get(match[1], [])])
        if not path.startswith(f"/merge_requests/{IID}"):
            return Answer(404, {"message": "404 Not found"})
        rest = path.removeprefix(f"/merge_requests/{IID}")
        if not rest:
            return self._request(asked)
        if rest == "/notes":
            return self._all_notes(asked, account)
        return self._one_note(asked, int(rest.removeprefix("/notes/")), account)

    def _request(self, asked: Asked) -> Answer:
        _require_known(asked, "request")
        if asked.method == "PUT":
            assert asked.body, "GitLab refuses a request that changes nothing"
            added = [each for each in asked.body.get("add_labels", "").split(",") if each]
            removed = asked.body.get("remove_labels", "").split(",")
            self.labels = [each for each in dict.fromkeys([*self.labels, *added]) if each not in removed]
        return Answer(200, {**_merge_request(IID), "labels": self.labels})

    def _all_notes(self, asked: Asked, account: int) -> Answer:
        _require_known(asked, "notes")
        if asked.method == "GET":
            page, size = int(asked.query["page"]), min(int(asked.query["per_page"]), self.page)
            link = f'<{self.url}{asked.path}?page={page + 1}>; rel="next"'
            headers = {"Link": link} if len(self.notes) > page * size else {}
            return Answer(200, [_shown(each) for each in self.notes[(page - 1) * size : page * size]], headers)
        if len(asked.body["body"]) > 1_000_000:
            return Answer(400, {"message": {"note": ["is too long (maximum is 1000000 characters)"]}})
        note = Note(id=301 + len(self.notes), by=account, body=asked.body["body"])
        self.notes.append(note)
        return Answer(201, _shown(note))

    def _one_note(self, asked: Asked, number: int, account: int) -> Answer:
        _require_known(asked, "note")
        note = next((each for each in self.notes if each.id == number), None)
        if note is None:
            return Answer(404, {"message": "404 Not found"})
        assert note.by == account, "somebody else's note is touched"
        if asked.method == "DELETE":
            self.notes.remove(note)
            return Answer(204)
        note.body = asked.body["body"]
        return Answer(200, _shown(note))


@contextmanager
def gitlab(**settings: Any) -> Iterator[GitlabHost]:
    host = GitlabHost(**settings)
    with serving(host, host.answer):
        yield host


def _require_known(asked: Asked, family: str) -> None:
    allowed = _PARAMETERS[asked.method, family]
    assert set(asked.query) | set(asked.body or {}) <= allowed, f"{asked}: {asked.query} {asked.body}"


def _shown(note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "body": note.body,
        "author": {"id": note.by, "username": f"user-{note.by}", "state": "active"},
        "created_at": _TIME,
        "updated_at": _TIME,
        "system": note.system,
        "noteable_type": "MergeRequest",
        "noteable_iid": IID,
        "resolvable": False,
        "internal": False,
    }


def _merge_request(number: int) -> dict[str, Any]:
    url = f"https://gitlab.example/{PROJECT}/-/merge_requests/{number}"
    merged = MERGED if number == IID else None
    return {"iid": number, "web_url": url, "labels": [], "merge_commit_sha": merged, "squash_commit_sha": None}
