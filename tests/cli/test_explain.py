"""`explain`: what a retcode, a status or a broken connection means, as the table or the site has it."""

from __future__ import annotations

import pytest
from support.site import Site

from reconciler.gateway import Row, verdict_table

ROWS = verdict_table()


@pytest.mark.parametrize("row", [row for row in ROWS.values() if not row.code.endswith("*")], ids=lambda row: row.code)
def test_every_row_of_the_table_is_explained(site: Site, row: Row) -> None:
    ended = site.run("explain", row.code)

    assert ended.code == 0
    for words in (row.code, row.meaning, row.remedy, str(row.kind)):
        assert words in ended.out


@pytest.mark.parametrize("arguments", [(), ("all",)], ids=["without-a-code", "all"])
def test_every_row_is_listed_with_its_class_and_grade_and_the_grades_are_explained(
    site: Site, arguments: tuple[str, ...]
) -> None:
    ended = site.run("explain", *arguments)

    assert ended.code == 0
    lines = {line.split()[0]: line for line in ended.out.splitlines() if line.strip()}
    for row in ROWS.values():
        assert str(row.kind) in lines[row.code]
        assert lines[row.code].endswith(f"{row.grade:<4}  {row.meaning}")
        assert ("in doubt" in lines[row.code]) is row.doubt
    assert "R an internet standard" in lines["grades:"]


def test_a_listing_with_an_environment_is_that_sites(site: Site) -> None:
    site.edit("site.yaml", "guardrails:", 'retcodes: {"106-011": deferred, http-404: stop}\nguardrails:')

    lines = {line.split()[0]: line.split() for line in site.run("explain", "all", "demo").out.splitlines() if line}

    assert lines["106-011"][1:3] == ["deferred", "site"]
    assert lines["http-404"][1:3] == ["stop", "site"]
    assert lines["http-405"][1:3] == ["permanent", "R"]


def test_a_code_of_a_known_family_is_explained_by_its_family(site: Site) -> None:
    assert "media call" in site.run("explain", "106-099").out


def test_an_unknown_code_is_explained_as_unknown(site: Site) -> None:
    assert "not in the table" in site.run("explain", "999-999").out


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("http-502", "in trouble"),
        ("502", "in trouble"),
        ("http-418", "refused before the gateway looked at it"),
        ("http-4xx", "refused before the gateway looked at it"),
        ("html-200", "not JSON"),
        ("timeout", "no complete answer"),
        ("proxy-credentials", "gateway.proxy_credentials"),
    ],
)
def test_a_status_and_a_broken_connection_are_explained_too(site: Site, code: str, words: str) -> None:
    ended = site.run("explain", code)

    assert ended.code == 0
    assert words in ended.out


def test_what_leaves_a_doubt_says_so(site: Site) -> None:
    assert "then the agent is in doubt" in site.run("explain", "timeout").out
    assert "then the agent has failed" in site.run("explain", "connection-refused").out


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("0", "acknowledged"),
        ("nonsense", "100-006"),
        ("wrong-nam", "did you mean wrong-name?"),
        ("http-600", "http-"),
        ("\x1b[2J", "\\x1b"),
    ],
    ids=["success", "nonsense", "misspelt", "no-status", "hostile"],
)
def test_what_is_no_refusal_exits_3(site: Site, code: str, words: str) -> None:
    ended = site.run("explain", code)

    assert ended.code == 3
    assert words in ended.err
    assert "\x1b[2J" not in ended.err


def test_with_an_environment_its_own_judgement_is_told(site: Site) -> None:
    site.edit("site.yaml", "guardrails:", 'retcodes: {"106-011": deferred}\nguardrails:')

    ended = site.run("explain", "106-011", "demo")

    assert "deferred" in ended.out
    assert "site.yaml" in ended.out
    assert "permanent" in site.run("explain", "106-011").out


def test_the_document_gives_the_row(site: Site) -> None:
    document = site.run("explain", "100-006", "--json").document

    expected = ("100-006", "100-006", "deferred", "D", False)
    assert tuple(document[name] for name in ("code", "retcode", "class", "grade", "in_doubt")) == expected


def test_the_document_of_a_listing_gives_every_row(site: Site) -> None:
    document = site.run("explain", "--json").document

    assert [row["code"] for row in document["rows"]] == list(ROWS)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('retcodes: {"106-011": defered}', "did you mean 'deferred'?"),
        ('retcodes: {"0": permanent}', "'0'"),
        ('retcodes: {"106011": permanent}', "'106011'"),
        ("retcodes: {http-502: permanent}", "'http-502'"),
        ("retcodes: {http-200: permanent}", "'http-200'"),
        ("retcodes: {timeout: permanent}", "'timeout'"),
    ],
    ids=["misspelt-class", "success", "no-retcode", "a-doubt", "an-answer", "a-broken-connection"],
)
def test_a_wrong_override_is_an_error_of_the_file(site: Site, line: str, words: str) -> None:
    site.edit("site.yaml", "guardrails:", f"{line}\nguardrails:")

    ended = site.run("validate", "demo")

    assert ended.code == 3
    assert words in ended.out
