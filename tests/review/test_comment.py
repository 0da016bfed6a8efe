"""What `comment` leaves on a pull request, on either host."""

from __future__ import annotations

import re

import pytest
from report.examples import outcome
from review.conftest import Desk
from review.gitlab_host import GitlabHost
from review.served import Answer, Asked
from support.site import Site

from reconciler.errors import ExitCode
from reconciler.model.outcome import Result
from reconciler.report import Envelope, OutcomeReport, document_text, report_document
from reconciler.review.marker import read_marker

MARKED = re.compile(r"<!-- reconciler:demo:([a-z-]+):[0-9a-f]{64} -->\n## ")


def outcomes(desk: Desk) -> list[str | None]:
    """What the comments of ours say in a word, oldest first."""
    found = [read_marker(text) for text in desk.texts]
    return [marker.standing for marker in found if marker is not None]


def test_the_first_comment_is_added_and_labelled(desk: Desk) -> None:
    ended = desk.run(desk.plan())

    assert (ended.code, ended.err) == (0, "")
    assert re.fullmatch(r"site demo: comment created \(changes\)  https://\S+\nlabel reconciler/changes\n", ended.out)
    (text,) = desk.texts
    assert MARKED.match(text)
    assert desk.host.labels == ["reconciler/changes"]


def test_a_comment_begins_with_the_capacity(desk: Desk) -> None:
    desk.run(desk.plan())

    (text,) = desk.texts
    sections = re.findall(r"^###? .*$", text, re.MULTILINE)
    assert "apacity" in sections[1], sections


def test_the_same_plan_again_changes_nothing(desk: Desk) -> None:
    desk.run(desk.plan())
    before = len(desk.host.writes)
    ended = desk.run(desk.plan())

    assert desk.host.writes[before:] == []
    assert ended.out.startswith("site demo: comment unchanged (changes)  https://")


def test_another_plan_takes_the_place_of_the_first(desk: Desk) -> None:
    desk.run(desk.plan())
    ended = desk.run(desk.change())

    assert ended.out.startswith("site demo: comment updated (changes)  https://")
    (text,) = desk.texts
    assert "web_chat" in text
    assert len(desk.texts) == 1


def test_a_refused_plan_a_plan_without_changes_and_an_outcome_change_the_label(desk: Desk) -> None:
    desk.run(desk.plan())
    assert desk.site.run("plan", "demo", "--out", "refused.json", "--allow-changes", "99").code == 5
    desk.run("refused.json")
    assert desk.host.labels == ["reconciler/refused"]

    assert desk.run(save_outcome(desk, Result.APPLIED)).err == ""
    assert desk.host.labels == ["reconciler/applied"]
    assert outcomes(desk) == ["applied"]


REASONS = {Result.APPLIED: ExitCode.DONE, Result.DEFERRED: ExitCode.SOME_AGENTS_DEFERRED}


def save_outcome(desk: Desk, result: Result, *, site: str = "demo") -> str:
    """Save the document of a run that called one agent; return its name."""
    code = REASONS.get(result, ExitCode.SOME_AGENTS_FAILED)
    envelope = Envelope(
        command="apply", environment=site, site=site, exit_code=int(code), exit_reason=code.reason, tool_version="0.1.0"
    )
    report = OutcomeReport(envelope=envelope, outcomes=(outcome(1001, result),), fingerprint=f"sha256:{'0' * 64}")
    (desk.site.work / f"{site}-{result}.json").write_text(document_text(report_document(report)))
    return f"{site}-{result}.json"


def test_each_site_has_its_comment_and_the_worst_off_names_the_label(desk: Desk) -> None:
    north = save_outcome(desk, Result.APPLIED, site="north")
    desk.run(north, save_outcome(desk, Result.DEFERRED, site="west"))
    assert desk.host.labels == ["reconciler/deferred"]
    desk.run(save_outcome(desk, Result.FAILED, site="south"))
    assert desk.host.labels == ["reconciler/failed"]
    desk.run(north)
    assert desk.host.labels == ["reconciler/failed"]
    assert outcomes(desk) == ["applied", "deferred", "failed"]


def test_labels_of_others_are_left_alone(desk: Desk) -> None:
    desk.host.labels += ["bug", "reconciler/failed", "reconciler/of-old"]
    desk.run(desk.plan())
    assert sorted(desk.host.labels) == ["bug", "reconciler/changes"]


def test_labels_are_left_alone_on_request(desk: Desk) -> None:
    desk.run(desk.plan(), "--no-label")
    assert desk.host.labels == []


def test_what_somebody_else_marked_is_neither_changed_nor_believed(desk: Desk) -> None:
    desk.run(desk.plan(), "--no-label")
    forged = desk.texts[0].replace(":changes:", ":failed:")
    (desk.host.say(forged.replace(":demo:", ":other:")), desk.host.say(forged))
    desk.run(desk.change())

    ours, *theirs = desk.texts
    assert MARKED.match(ours)
    assert theirs == [forged.replace(":demo:", ":other:"), forged]
    assert desk.host.labels == ["reconciler/changes"]


def test_a_marker_that_we_quote_is_none(desk: Desk) -> None:
    desk.run(desk.plan(), "--no-label")
    token = next(iter(desk.host.accounts))
    desk.host.say(f"Somebody said:\n{desk.texts[0]}", token=token)
    desk.run(desk.change())
    assert MARKED.match(desk.texts[0])
    assert desk.texts[1].startswith("Somebody said:")


def test_ours_is_found_behind_many_pages(desk: Desk) -> None:
    desk.host.page = 3
    for number in range(8):
        desk.host.say(f"remark {number}")
    desk.run(desk.plan())
    for number in range(8):
        desk.host.say(f"another remark {number}")
    ended = desk.run(desk.change())

    assert "updated" in ended.out
    assert len(desk.texts) == 17


def test_two_jobs_at_once_leave_one_comment(desk: Desk) -> None:
    desk.run(desk.plan(), "--no-label")
    theirs = desk.texts[0]
    clear(desk)
    mine = desk.change()
    # The other job's comment is added between our looking and our adding.
    desk.host.meanwhile.append(lambda _: desk.host.say(theirs, token=next(iter(desk.host.accounts))))
    ended = desk.run(mine, "--json")

    (text,) = desk.texts
    assert text != theirs
    (told,) = ended.document["comments"]
    assert (told["comment"], told["removed"]) == ("created", 1)
    assert [deed.split()[0] for deed in desk.deeds].count("DELETE") == 1
    assert desk.run(mine).out.startswith("site demo: comment unchanged")


def clear(desk: Desk) -> None:
    (desk.host.notes if isinstance(desk.host, GitlabHost) else desk.host.comments).clear()
    desk.host.asked.clear()


def test_an_added_comment_whose_answer_was_lost_is_not_added_twice(desk: Desk) -> None:
    desk.host.hurt(None, at=lambda asked: asked.method == "POST" and "label" not in asked.path)
    ended = desk.run(desk.plan())

    assert (ended.code, len(desk.texts)) == (0, 1)
    assert ended.out.startswith("site demo: comment created (changes)")


def test_an_old_comment_is_folded_on_request(desk: Desk) -> None:
    desk.run(desk.plan())
    first = desk.texts[0]
    ended = desk.run(desk.change(), "--minimize-old", "--json")

    (told,) = ended.document["comments"]
    assert (told["comment"], told["folded"]) == ("created", 1)
    assert len(desk.host.shown) == 1
    assert MARKED.match(desk.host.shown[0])
    assert first.partition("\n")[2].rstrip() in desk.texts[0]
    assert outcomes(desk) == [None, "changes"]


def test_a_folded_comment_is_never_touched_again(desk: Desk) -> None:
    desk.run(desk.plan())
    desk.run(desk.change(), "--minimize-old")
    folded = desk.texts[0]
    desk.run(desk.change("web_chat: 7", "web_chat: 8"))
    before = len(desk.host.writes)
    desk.run(desk.plan(), "--minimize-old")

    assert desk.texts[0] == folded
    assert len(desk.texts) == 2
    assert desk.host.writes[before:] == []


def test_comments_of_sites_without_a_file_are_folded_on_request(desk: Desk) -> None:
    desk.run(*(save_outcome(desk, Result.FAILED, site=site) for site in ("north", "south")))
    ended = desk.run(desk.plan(), "--fold-others", "--json")

    assert ended.document["folded_sites"] == ["north", "south"]
    assert desk.host.labels == ["reconciler/changes"]


def test_when_no_site_has_a_file_any_more_no_comment_and_no_label_stands(desk: Desk) -> None:
    desk.run(desk.plan())
    ended = desk.run("--fold-others")

    assert (ended.code, ended.out) == (0, "site demo: comment folded, for it has no file here\n")
    assert (outcomes(desk), desk.host.labels) == ([None], [])


def test_a_host_that_never_answers_to_an_added_comment_is_told(desk: Desk) -> None:
    desk.host.hurt(*[Answer(502)] * 9, at=lambda asked: asked.method == "POST" and "label" not in asked.path)
    ended = desk.run(desk.plan())

    assert ended.code == 11
    assert "no answer to POST" in ended.err
    assert "what was done already is found and not done twice" in ended.err
    assert desk.texts == []


def test_many_sites_are_looked_at_together(desk: Desk) -> None:
    files = [save_outcome(desk, Result.APPLIED, site=f"site-{number}") for number in range(12)]
    assert desk.run(*files).code == 0
    assert len(desk.texts) == 12
    before = len(desk.host.asked)
    desk.run(*files)
    assert len(desk.host.asked) - before <= 6


def test_what_was_done_before_the_host_refused_is_told(desk: Desk) -> None:
    files = [save_outcome(desk, Result.APPLIED, site=site) for site in ("north", "south")]
    fine: list[str] = []

    def second(asked: Asked) -> bool:
        fine.extend(["x"] if asked.method == "POST" and asked.path.endswith(("comments", "notes")) else [])
        return len(fine) == 2

    desk.host.hurt(Answer(403, {"message": "no"}), at=second)
    ended = desk.run(*files, "--json")

    assert ended.code == 11
    assert [(each["site"], each["comment"]) for each in ended.document["comments"]] == [("north", "created")]


def test_an_answer_to_an_added_comment_that_is_none_is_told(desk: Desk) -> None:
    desk.host.hurt(Answer(201, ["odd"]), at=lambda asked: asked.method == "POST")
    ended = desk.run(desk.plan())
    assert ended.code == 11
    assert "the comment cannot be added: the host's answer is not what its API gives" in ended.err


def test_a_list_without_an_end_is_told(desk: Desk) -> None:
    more = Answer(200, [], {"Link": '<https://elsewhere.example/>; rel="next"'})
    desk.host.hurt(*[more] * 100)
    ended = desk.run(desk.plan())
    assert (ended.code, len(desk.host.asked)) == (11, 100)
    assert "there are more than 10000" in ended.err


def test_a_limit_that_lasts_longer_than_patience_is_told(desk: Desk) -> None:
    desk.host.hurt(Answer(429, {"message": "API rate limit exceeded"}, {"Retry-After": "900"}))
    ended = desk.run(desk.plan(), "--max-wait", "5s")
    assert ended.code == 11
    assert "the host limits how much it is asked; run again later, or wait longer: --max-wait" in ended.err


def test_what_no_site_is_called_is_refused(desk: Desk) -> None:
    ended = desk.run(save_outcome(desk, Result.APPLIED, site="North"))
    assert (ended.code, desk.host.asked) == (3, [])
    assert "'North' is no name of a site" in ended.err


def test_a_large_plan_fits(desk: Desk) -> None:
    agents = "".join(
        f"  {number}: {{total: {number % 50 + 2}, channels: {{email: {number % 47}}}}}\n"
        for number in range(1001, 4001)
    )
    desk.site.write("fleet.yaml", f"team: east\nagents:\n{agents}")
    ended = desk.run(desk.plan())

    assert ended.code == 0
    (text,) = desk.texts
    assert ("Shortened" in text) is not isinstance(desk.host, GitlabHost)
    assert len(text.encode()) <= (1_000_000 if isinstance(desk.host, GitlabHost) else 61_000)


def test_files_that_are_wrong_take_the_place_of_the_plan_of_that_site(desk: Desk) -> None:
    desk.run(desk.plan())
    desk.site.edit("fleet.yaml", "web_chat: 6", "web_chatt: 6")
    assert desk.site.run("plan", "demo", "--report", "json=wrong.json").code == 3
    ended = desk.run("wrong.json")

    assert ended.out.startswith("site demo: comment updated (failed)")
    assert "web_chatt" in desk.texts[0]
    assert desk.host.labels == ["reconciler/failed"]


def test_a_site_that_nobody_names_is_asked_for(desk: Desk) -> None:
    desk.site.write("site.yaml", "name: [demo\n")
    assert desk.site.run("plan", "demo", "--report", "json=wrong.json").code == 3
    ended = desk.run("wrong.json")
    assert (ended.code, desk.host.asked) == (3, [])
    assert "--site NAME" in ended.err
    assert desk.run("wrong.json", "--site", "demo").out.startswith("site demo: comment created (failed)")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plan.json", "--site", "other"), "is of site demo, not of other"),
        (("plan.json", "plan.json"), "two files are of site demo"),
        (("plan.json", "plan.json", "--site", "demo"), "--site names the site of one FILE, and there are 2"),
        (("plan.json", "--max-chars", "1000000"), "--max-chars 1000000 does not do"),
        (("plan.json", "--max-chars", "10"), "--max-chars 10 does not do"),
        ((), "no FILE is given"),
        (("none.json",), "none.json cannot be read"),
        (("demo/site.yaml",), "not a plan or an outcome"),
        (("plan.json", "--repository", "../x"), "the repository of the pull request is not"),
        (("plan.json", "--api-url", "http://host.example"), "must begin with https://"),
        (("plan.json", "--token", "ghp_secret"), "it must say where the secret is"),
        (("plan.json", "--token", "env:NOT_THERE"), "env:NOT_THERE: the environment variable is not set"),
    ],
    ids=lambda value: "-".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_what_is_given_wrongly_is_refused_before_any_request(
    desk: Desk, arguments: tuple[str, ...], words: str
) -> None:
    desk.plan()
    ended = desk.run(*arguments)
    assert (ended.code, ended.out, desk.host.asked) == (3, "", [])
    assert words in ended.err
    assert "ghp_secret" not in ended.err


def test_a_plan_that_was_altered_is_not_told(desk: Desk) -> None:
    file = desk.site.work / desk.plan()
    file.write_text(file.read_text().replace('"web_chat": 6', '"web_chat": 5').replace('"51": 6', '"51": 5'))
    ended = desk.run("plan.json")
    assert (ended.code, desk.host.asked) == (6, [])


def test_outside_of_a_job_the_pull_request_is_asked_for(site: Site) -> None:
    site.run("plan", "demo", "--out", "plan.json")
    ended = site.run("comment", "plan.json")
    assert ended.code == 3
    assert "--host github --repository OWNER/NAME --pull-request NUMBER" in ended.err


@pytest.fixture
def site(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Site:
    for name in ("GITHUB_ACTIONS", "GITHUB_REPOSITORY", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)
    return desk.site
