"""`explain`: what a retcode means, as the table or the site has it."""

from __future__ import annotations

import pytest
from support.site import Site

from reconciler.gateway import RETCODES


@pytest.mark.parametrize("retcode", [code for code in RETCODES if not code.endswith("*")])
def test_every_row_of_the_table_is_explained(site: Site, retcode: str) -> None:
    row = RETCODES[retcode]

    ended = site.run("explain", retcode)

    assert ended.code == 0
    for words in (retcode, row.meaning, row.remedy, str(row.kind)):
        assert words in ended.out


def test_a_code_of_a_known_family_is_explained_by_its_family(site: Site) -> None:
    assert "media call" in site.run("explain", "106-099").out


def test_an_unknown_code_is_explained_as_unknown(site: Site) -> None:
    assert "not in the table" in site.run("explain", "999-999").out


@pytest.mark.parametrize(
    ("code", "words"), [("0", "acknowledged"), ("nonsense", "100-006")], ids=["success", "nonsense"]
)
def test_what_is_no_refusal_exits_3(site: Site, code: str, words: str) -> None:
    ended = site.run("explain", code)

    assert ended.code == 3
    assert words in ended.err


def test_with_an_environment_its_own_judgement_is_told(site: Site) -> None:
    site.edit("site.yaml", "guardrails:", 'retcodes: {"106-011": deferred}\nguardrails:')

    ended = site.run("explain", "106-011", "demo")

    assert "deferred" in ended.out
    assert "site.yaml" in ended.out
    assert "permanent" in site.run("explain", "106-011").out


def test_the_document_gives_the_row(site: Site) -> None:
    document = site.run("explain", "100-006", "--json").document

    assert (document["retcode"], document["class"], document["grade"]) == ("100-006", "deferred", "D")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('retcodes: {"106-011": defered}', "did you mean 'deferred'?"),
        ('retcodes: {"0": permanent}', "'0'"),
        ('retcodes: {"106011": permanent}', "'106011'"),
    ],
    ids=["misspelt-class", "success", "no-retcode"],
)
def test_a_wrong_override_is_an_error_of_the_file(site: Site, line: str, words: str) -> None:
    site.edit("site.yaml", "guardrails:", f"{line}\nguardrails:")

    ended = site.run("validate", "demo")

    assert ended.code == 3
    assert words in ended.out
