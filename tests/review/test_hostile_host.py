"""A host that answers whatever it likes: it may keep a comment from being posted, and that is all it may do."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from review.conftest import set_github_job, set_gitlab_job
from review.served import Answer, Asked, Served, serving
from support.site import Ended, Site

from reconciler.review.pace import wanted_pause

TOKEN = "ghs_echoed-by-a-hostile-host"
MARKED = f"<!-- reconciler:demo:changes:{'0' * 64} -->\nwords"
COMMIT = "a" * 40


class Hostile:
    """A pull request on a host whose answers are decided by chance."""

    def __init__(self, site: Site, served: Served) -> None:
        self.site, self.served, self.chance = site, served, random.Random(0)  # noqa: S311 - hostile by chance, and the same each time

    def value(self, depth: int = 0) -> Any:
        kind = self.chance.random()
        if kind < 0.4 or depth > 2:
            odd: list[Any] = [
                None,
                True,
                -1,
                5,
                10**30,
                "",
                "\ud800",
                TOKEN,
                MARKED,
                [],
                {},
                "reconciler/\ud800",
                "a\r\nX: y",
            ]
            return self.chance.choice([*odd, "reconciler/failed", f"reconciler/{'y' * 70_000}"])
        if kind < 0.6:
            return [self.value(depth + 1) for _ in range(self.chance.randint(0, 3))]
        names = ["id", "body", "user", "name", "labels", "html_url", "data", "errors", "type", "message", "error"]
        return {name: self.value(depth + 1) for name in self.chance.sample(names, 4)}

    def usual(self, asked: Asked) -> Any:
        """Return what leads further, with something odd in it."""
        odd, what = self.value(), asked.path.rsplit("/", 1)[-1]
        if asked.method == "POST" and what in {"comments", "notes"}:
            return {"id": 3, "body": asked.body["body"], "html_url": odd}
        comment = {"id": 1, "body": MARKED, "user": {"id": 9}, "author": {"id": 9}, "html_url": odd, "node_id": odd}
        number = {"number": 7, "iid": 7, "merge_commit_sha": odd}
        lists: dict[str, Any] = {
            "comments": [comment, comment | {"id": 2}],
            "labels": [{"name": odd}],
            "pulls": [odd, number],
        }
        lists |= {"notes": lists["comments"], "merge_requests": lists["pulls"], "user": {"id": 9}}
        asking = self.chance.choice([{"data": {"viewer": {"databaseId": 9}}}, {"errors": odd}])
        return asking if what == "graphql" else lists.get(what, {"labels": [odd, "reconciler/failed"], "web_url": odd})

    def answer(self, asked: Asked) -> Answer:
        status = self.chance.choice([*[200] * 12, 204, 301, 401, 403, 404, 422, 500, 999])
        odd = {
            "Retry-After": "Fri, 31 Dec 9999 23:59:59 -2359",
            "Link": '<x>; rel="next"',
            "Location": "http://[",
            "Content-Encoding": "gzip",
            "X-Accepted-GitHub-Permissions": f"{TOKEN}=write",
        }
        headers = {name: value for name, value in odd.items() if self.chance.random() < 0.05}
        return Answer(status, self.value() if self.chance.random() < 0.3 else self.usual(asked), headers)

    def comment(self, seed: int) -> Ended:
        self.chance = random.Random(seed)  # noqa: S311 - as above
        flags = self.chance.choice([[], ["--minimize-old"], ["--fold-others", "--minimize-old"], ["--json"]])
        number = self.chance.choice([[], ["--pull-request", "7"]])
        return self.site.run("comment", "plan.json", "--max-wait", "1ms", *flags, *number)


@contextmanager
def _hostile(work: Path) -> Iterator[Hostile]:
    served = Served(scheme="http")
    hostile = Hostile(Site(work), served)
    assert hostile.site.run("plan", "demo", "--out", "plan.json").code == 0
    with serving(served, hostile.answer):
        yield hostile


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_no_answer_of_a_host_is_a_bug_or_shows_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    with _hostile(tmp_path) as hostile:
        if kind == "github":
            set_github_job(monkeypatch, hostile.served)
            monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
        else:
            set_gitlab_job(monkeypatch, hostile.served)
            monkeypatch.delenv("CI_MERGE_REQUEST_IID")
        for name in ("GITHUB_SHA", "CI_COMMIT_SHA"):
            monkeypatch.setenv(name, COMMIT)
        for name in ("GITHUB_TOKEN", "GITLAB_TOKEN"):
            monkeypatch.setenv(name, TOKEN)
        for seed in range(40):
            ended = hostile.comment(seed)
            assert ended.code in (0, 3, 11), (seed, ended.err)
            assert TOKEN not in ended.out + ended.err, seed


@pytest.mark.parametrize("said", ["words", "message"])
def test_words_in_which_a_host_gives_the_token_back_are_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    with _hostile(tmp_path) as hostile:
        set_github_job(monkeypatch, hostile.served)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        hostile.served.hurt(Answer(403, {said: f"no right for {TOKEN}"}))
        ended = hostile.site.run("comment", "plan.json", "--json")
    assert (ended.code, "the host answered 403 Forbidden" in ended.err) == (11, True)
    assert TOKEN not in ended.out + ended.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("HTTPS_PROXY", "socks5://ci:hidden@127.0.0.1:1", id="socks"),
        pytest.param("HTTPS_PROXY", "ftp://ci:hidden@127.0.0.1:1", id="other-scheme"),
        pytest.param("HTTPS_PROXY", "http://ci:hidden@127.0.0.1:x", id="bad-port"),
        pytest.param("HTTPS_PROXY", "http://ci:hidden@\x01", id="control-character"),
        pytest.param("NO_PROXY", "[::1", id="bad-exception"),
    ],
)
def test_a_proxy_that_is_none_is_refused_without_being_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    site = Site(tmp_path)
    site.run("plan", "demo", "--out", "plan.json")
    set_github_job(monkeypatch, Served(port=1))
    monkeypatch.setenv(name, value)
    ended = site.run("comment", "plan.json")
    assert (ended.code, "names a proxy that cannot be used" in ended.err) == (3, True)
    assert "hidden" not in ended.err


@pytest.mark.parametrize(
    "date", ["Fri, 31 Dec 9999 23:59:59 -2359", "Fri, 31 Dec 9999 23:59:59 -9959", "31 Dec", "", ","]
)
def test_a_moment_that_no_calendar_has_is_no_moment(date: str) -> None:
    assert wanted_pause(429, {"retry-after": date}, b"", now=0.0) == 60.0


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.sampled_from("0123456789 :,+-GMTJanFri9.é"), max_size=40))
def test_whatever_a_host_says_of_waiting_is_a_time_from_a_second_on(words: str) -> None:
    pause = wanted_pause(429, {"retry-after": words}, b"", now=0.0)
    assert pause is not None
    assert pause >= 1.0
