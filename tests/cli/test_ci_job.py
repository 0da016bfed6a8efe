"""The page of a CI job, from the variables its host sets."""

from __future__ import annotations

import pytest

from reconciler.cli.ci_job import is_ci, job_url

GITHUB = {
    "GITHUB_SERVER_URL": "https://code.example",
    "GITHUB_REPOSITORY": "team/states",
    "GITHUB_RUN_ID": "42",
}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, None, id="none"),
        pytest.param(GITHUB, "https://code.example/team/states/actions/runs/42", id="github"),
        pytest.param({**GITHUB, "GITHUB_RUN_ID": ""}, None, id="no-run"),
        pytest.param({"GITHUB_SERVER_URL": "https://code.example"}, None, id="github-in-part"),
        pytest.param({"CI_JOB_URL": "https://code.example/jobs/7"}, "https://code.example/jobs/7", id="gitlab"),
        pytest.param({"BUILD_URL": "http://jenkins.example/job/1/"}, "http://jenkins.example/job/1/", id="jenkins"),
        pytest.param(
            {
                "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI": "https://azure.example/org/",
                "SYSTEM_TEAMPROJECT": "states",
                "BUILD_BUILDID": "9",
            },
            "https://azure.example/org/states/_build/results?buildId=9",
            id="azure",
        ),
        pytest.param({"BUILDKITE_BUILD_URL": "https://kite.example/1"}, "https://kite.example/1", id="buildkite"),
        pytest.param({"CI_JOB_URL": "https://ci:secret@code.example/1"}, None, id="user-information"),
        pytest.param({"CI_JOB_URL": "javascript:alert(1)"}, None, id="no-address"),
        pytest.param({"CI_JOB_URL": "https://code.example/\x1b[2J"}, None, id="terminal-escape"),
        pytest.param({"CI_JOB_URL": "https://[code.example/1"}, None, id="bad-brackets"),
        pytest.param({"CI_JOB_URL": f"https://code.example/{'x' * 400}"}, None, id="too-long"),
        pytest.param({"CI_JOB_URL": "", "BUILD_URL": "https://a.example/"}, "https://a.example/", id="empty-one-first"),
    ],
)
def test_the_page_of_a_job_is_what_its_host_says_if_it_is_a_plain_address(
    environ: dict[str, str], expected: str | None
) -> None:
    assert job_url(environ) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [("true", True), ("1", True), ("", False), ("0", False), ("FALSE", False)]
)
def test_a_job_says_so_in_ci(value: str, expected: bool) -> None:
    assert is_ci({"CI": value}) is expected
    assert not is_ci({})
