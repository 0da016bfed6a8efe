"""What is particular to GitHub: whose comment it is, labels, permissions, Enterprise Server, forks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from review.conftest import Desk, set_github_job
from review.github_api import check_request, description
from review.github_host import MERGED, NUMBER, OTHER_TOKEN, REPOSITORY, TOKEN, Account, GithubHost, github
from review.served import Answer, Asked, authority
from support.site import Site


@pytest.fixture
def desk(on_github: Desk) -> Desk:
    return on_github


@pytest.fixture
def host(desk: Desk) -> GithubHost:
    assert isinstance(desk.host, GithubHost)
    return desk.host


def may(host: GithubHost, *rights: str) -> None:
    host.accounts[TOKEN] = Account(41898282, "github-actions[bot]", app=True, may=rights)


def event(desk: Desk, patch: pytest.MonkeyPatch, value: object) -> None:
    file = desk.site.work / "event.json"
    file.write_text(json.dumps(value))
    patch.setenv("GITHUB_EVENT_PATH", str(file))


def test_the_description_is_that_of_a_named_package() -> None:
    assert description()["x-origin"]["package"] == "npm @octokit/openapi 23.0.2"
    assert "MIT" in description()["x-origin"]["license"]


def test_a_request_that_github_does_not_know_would_be_noticed() -> None:
    path = f"/repos/{REPOSITORY}/issues/{NUMBER}/comments"
    headers = {"content-type": "application/json"}
    for method, query, body in (
        ("PUT", {}, None),
        ("GET", {"pages": "1"}, None),
        ("GET", {"per_page": "all"}, None),
        ("POST", {}, {"text": "hello"}),
    ):
        with pytest.raises((AssertionError, ValueError)):
            check_request(Asked(method, path, query, headers, body), path)


def test_a_first_comment_takes_few_requests(desk: Desk, host: GithubHost) -> None:
    desk.run(desk.plan())
    assert [str(each).replace(f"/repos/{REPOSITORY}", "") for each in host.asked] == [
        "GET /issues/7/comments",
        "POST /issues/7/comments",
        "GET /issues/7/comments",
        "POST /graphql",  # whose is what is there now?
        "GET /issues/7/comments",
        "GET /issues/7/labels",
        "GET /labels/reconciler%2Fchanges",
        "POST /labels",
        "POST /issues/7/labels",
        "GET /issues/7/comments",
    ]


def test_a_label_is_made_with_its_colour_and_meaning_once(desk: Desk, host: GithubHost) -> None:
    desk.run(desk.plan())
    made = host.known_labels["reconciler/changes"]
    assert (made["color"], made["description"]) == ("fbca04", "a site's plan changes agents")
    host.labels.clear()
    desk.run(desk.plan())
    assert desk.deeds.count("POST labels") == 3  # made, set, and set again


def test_a_label_that_another_job_makes_meanwhile_is_taken(desk: Desk, host: GithubHost) -> None:
    taken = Answer(422, {"message": "Validation Failed", "documentation_url": "https://docs.github.com"})
    host.hurt(taken, at=lambda asked: str(asked) == f"POST /repos/{REPOSITORY}/labels")
    assert desk.run(desk.plan()).code == 0
    assert host.labels == ["reconciler/changes"]


@pytest.mark.parametrize("app", [True, False], ids=["app", "person"])
def test_whose_token_it_is_can_be_asked_in_either_api(desk: Desk, host: GithubHost, app: bool) -> None:
    host.accounts[TOKEN] = Account(77, "ci", app=app)
    host.graphql = app
    desk.run(desk.plan())
    desk.run(desk.change())
    assert len(host.comments) == 1


def test_a_token_that_may_not_say_whose_it_is_changes_nothing(desk: Desk, host: GithubHost) -> None:
    desk.run(desk.plan())
    host.graphql = False
    before = len(host.writes)
    ended = desk.run(desk.change())
    assert ended.code == 11
    assert "whose token this is, and so which comments are ours, cannot be read" in ended.err
    assert host.writes[before:] == []


def test_an_account_without_a_number_is_told(desk: Desk, host: GithubHost) -> None:
    host.accounts[TOKEN] = Account(77, "ci")
    host.graphql = False
    desk.run(desk.plan(), "--no-label")
    host.hurt(Answer(200, ["odd"]), at=lambda asked: asked.path == "/user")
    ended = desk.run(desk.change())
    assert (ended.code, "the host's answer is not what its API gives" in ended.err) == (11, True)


@pytest.mark.parametrize("kind", ["FORBIDDEN", "NOT_FOUND"])
def test_an_old_comment_that_cannot_be_minimised_is_told_unless_it_is_gone(
    desk: Desk, host: GithubHost, kind: str
) -> None:
    desk.run(desk.plan())
    errors = {"errors": [{"type": kind, "message": "Resource not accessible by integration"}], "data": None}
    host.hurt(Answer(200, errors), at=lambda asked: "minimize" in str(asked.body))
    ended = desk.run(desk.change(), "--minimize-old")
    assert ended.code == (11 if kind == "FORBIDDEN" else 0)
    assert ("an old comment cannot be minimised" in ended.err) is (kind == "FORBIDDEN")
    assert ("pull-requests: write" in ended.err) is (kind == "FORBIDDEN")


def test_an_old_comment_is_minimised_as_outdated(desk: Desk, host: GithubHost) -> None:
    desk.run(desk.plan())
    desk.run(desk.change(), "--minimize-old")
    assert [each.minimized for each in host.comments] == ["OUTDATED", None]


def test_a_permission_that_is_missing_is_named(desk: Desk, host: GithubHost) -> None:
    may(host, "read")
    ended = desk.run(desk.plan())
    assert ended.code == 11
    assert "the comment cannot be added: the host answered 403 Forbidden: Resource not accessible" in ended.err
    assert "grant env:GITHUB_TOKEN what it lacks: issues: write or pull-requests: write" in ended.err


def test_the_permission_for_labels_is_named_and_the_comment_told(desk: Desk, host: GithubHost) -> None:
    host.hurt(
        Answer(403, {"message": "Resource not accessible by integration"}),
        at=lambda asked: asked.method == "POST" and asked.path.endswith("/labels"),
    )
    ended = desk.run(desk.plan(), "--json")
    assert (ended.code, ended.document["exit_reason"]) == (11, "review-host-failed")
    assert [each["comment"] for each in ended.document["comments"]] == ["created"]
    assert ended.document["label"] is None
    (told,) = ended.document["diagnostics"]
    assert told["summary"].startswith("a label cannot be made: the host answered 403")
    assert "pull-requests: write (and issues: write to make labels)" in told["detail"]


def test_a_fork_whose_token_may_only_read_is_told(
    desk: Desk, host: GithubHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    may(host, "read")
    source = {"number": NUMBER, "head": {"repo": {"id": 2}}}
    event(desk, monkeypatch, {"pull_request": source, "repository": {"id": 1}})
    ended = desk.run(desk.plan())
    assert ended.code == 11
    assert "the pull request comes from a fork, whose jobs get a token that may only read" in ended.err


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(401, {"message": "Bad credentials"}), "env:GITHUB_TOKEN is no token of this host, or has expired"),
        (Answer(404, {"message": "Not Found"}), "look at --repository and --pull-request"),
        (Answer(403, {"message": "x"}, {"X-GitHub-SSO": "required"}), "single sign-on"),
        (
            Answer(301, {"message": "Moved Permanently"}, {"Location": "https://elsewhere"}),
            "a redirect is not followed",
        ),
        (Answer(418, "?"), "the host answered 418"),
        (Answer(599), "the host answered 599"),
        (Answer(200, {"not": "a list"}), "the host's answer is not what its API gives"),
    ],
    ids=["token", "place", "sign-on", "moved", "odd", "unknown", "no-list"],
)
def test_each_refusal_says_what_to_do(desk: Desk, host: GithubHost, answer: Answer, words: str) -> None:
    host.hurt(answer)
    ended = desk.run(desk.plan())
    assert ended.code == 11
    assert words in ended.err
    assert TOKEN not in ended.err + ended.out


def test_a_locked_conversation_is_told(desk: Desk, host: GithubHost) -> None:
    host.locked = True
    ended = desk.run(desk.plan())
    assert "the conversation of the pull request is locked; unlock it" in ended.err


def test_the_host_s_words_do_not_steer_the_terminal(desk: Desk, host: GithubHost) -> None:
    host.hurt(Answer(400, {"message": "\x1b[31m::error::no\n##[error]"}))
    ended = desk.run(desk.plan())
    assert "\x1b" not in ended.err
    assert "\n::" not in ended.err


def test_enterprise_server_has_both_its_apis_below_one_path(
    tmp_path: Path, authorities: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with github(prefix="/api/v3") as host:
        set_github_job(monkeypatch, host, prefix="/api/v3")
        desk = Desk(Site(tmp_path), host, ("--ca-file", authorities))
        desk.run(desk.plan())
        assert desk.run(desk.change(), "--minimize-old").code == 0
        assert {each.path.split("/")[2] for each in host.asked} == {"v3", "graphql"}


def test_flags_do_for_what_a_job_would_say(tmp_path: Path, authorities: str) -> None:
    with github() as host:
        token = tmp_path / "token"
        token.write_text(f"{TOKEN}\n")
        place = ("--host", "github", "--api-url", host.url, "--repository", REPOSITORY, "--pull-request", str(NUMBER))
        desk = Desk(Site(tmp_path), host, ("--ca-file", authorities, *place, "--token", f"file:{token}"))
        assert desk.run(desk.plan()).code == 0
        assert len(host.comments) == 1


def test_after_the_merge_the_pull_request_is_found_by_its_commit(
    desk: Desk, host: GithubHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    monkeypatch.setenv("GITHUB_SHA", MERGED)
    ended = desk.run(desk.plan())
    assert (ended.code, f"commit {MERGED} belongs to no pull request" in ended.err) == (3, True)
    host.pulls[MERGED] = [3, NUMBER]
    assert desk.run(desk.plan()).code == 0
    assert len(host.comments) == 1


def test_a_commit_whose_pull_request_may_not_be_read_is_told(
    desk: Desk, host: GithubHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    monkeypatch.setenv("GITHUB_SHA", MERGED)
    host.hurt(Answer(403, {"message": "no"}, {"X-Accepted-GitHub-Permissions": "contents=read"}))
    ended = desk.run(desk.plan())
    assert ended.code == 11
    assert "the pull request of this commit cannot be read" in ended.err
    assert "grant env:GITHUB_TOKEN what it lacks: contents: read" in ended.err


def test_a_certificate_of_nobody_we_trust_is_told(desk: Desk, host: GithubHost) -> None:
    desk.arguments = ("--max-wait", "1ms")
    ended = desk.run(desk.plan())
    assert ended.code == 11
    assert "--ca-file" in ended.err
    assert host.asked == []


def test_a_file_without_certificates_is_refused(desk: Desk) -> None:
    desk.arguments = ("--ca-file", "demo/site.yaml")
    ended = desk.run(desk.plan())
    assert (ended.code, "--ca-file holds no certificate" in ended.err) == (3, True)


def test_a_dry_run_prints_requests_that_github_knows_and_needs_no_token(
    desk: Desk, host: GithubHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    ended = desk.run(desk.plan(), "--dry-run", "--json")
    assert (ended.code, host.asked) == (0, [])
    requests = ended.document["requests"]
    for each in requests:
        path, _, query = each["url"].removeprefix(host.url).partition("?")
        parts = dict(pair.split("=") for pair in query.split("&") if pair)
        check_request(Asked(each["method"], path, parts, {"content-type": "application/json"}, each["body"]), path)
    (added,) = [each for each in requests if each["method"] == "POST" and each["url"].endswith("/comments")]
    assert added["body"]["body"].startswith("<!-- reconciler:demo:changes:")
    assert requests[-2]["body"] == {"labels": ["reconciler/changes"]}
    assert desk.deeds == []


def test_a_dry_run_is_what_then_happens(desk: Desk, host: GithubHost) -> None:
    rehearsed = desk.run(desk.plan(), "--dry-run", "--json").document["requests"]
    desk.run(desk.plan())
    writes = [(each["method"], each["body"]) for each in rehearsed if each["method"] != "GET"]
    assert [(each.method, each.body) for each in host.writes] == writes


def test_a_dry_run_shows_the_reference_of_the_token_and_never_the_token(desk: Desk) -> None:
    ended = desk.run(desk.plan(), "--dry-run")
    assert "the token would be read from env:GITHUB_TOKEN" in ended.err
    assert TOKEN not in ended.out + ended.err
    assert "POST https://127.0.0.1" in ended.out


def test_a_dry_run_asks_nobody_for_the_pull_request(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    monkeypatch.setenv("GITHUB_SHA", MERGED)
    ended = desk.run(desk.plan(), "--dry-run")
    assert (ended.code, "give it: --pull-request NUMBER" in ended.err) == (3, True)


def test_a_comment_says_which_job_made_it(desk: Desk, host: GithubHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.example")
    monkeypatch.setenv("GITHUB_RUN_ID", "12")
    desk.run(desk.plan())
    address = f"https://github.example/{REPOSITORY}/actions/runs/12"
    assert f"[The job that made this]({address})" in host.comments[0].body
    monkeypatch.setenv("GITHUB_RUN_ID", "13")
    assert "unchanged" in desk.run(desk.plan()).out


def test_the_token_stays_on_the_wire(desk: Desk, host: GithubHost) -> None:
    host.accounts.pop(OTHER_TOKEN)
    ended = desk.run(desk.plan(), "--json")
    assert all(each.headers["authorization"] == f"Bearer {TOKEN}" for each in host.asked)
    assert TOKEN not in ended.out + ended.err
    assert authority().cert_pem.bytes().decode() not in ended.out
