from __future__ import annotations

import pytest

from reconciler.gateway import verdict_table
from reconciler.gateway.retcodes import REPLIES, RETCODES, SUCCESS, UNKNOWN, lookup, with_overrides
from reconciler.gateway.rows import Grade, Row
from reconciler.gateway.statuses import status_code
from reconciler.model.site import RetcodeClass
from reconciler.values import replace

KINDS = {
    RetcodeClass.DEFERRED: ["100-006", "100-008"],
    RetcodeClass.REREAD_SESSION: ["000-003"],
    RetcodeClass.TRANSIENT: ["000-004", "000-007", "100-003", "100-007"],
    RetcodeClass.PERMANENT: [
        *("000-001", "000-002", "000-006"),
        *("100-001", "100-002", "100-004", "100-005", "100-009", "100-010", "100-011", "100-012", "100-013"),
        *("106-003", "106-008", "106-011", "106-012"),
    ],
}


@pytest.mark.parametrize(
    ("retcode", "kind"), [(code, kind) for kind, codes in KINDS.items() for code in codes], ids=str
)
def test_a_known_retcode_has_its_class(retcode: str, kind: RetcodeClass) -> None:
    row = lookup(retcode)

    assert (retcode, kind) == (row.code, row.kind)


def test_the_table_holds_these_codes_and_the_family_only() -> None:
    expected = sorted([*(code for codes in KINDS.values() for code in codes), "106-*"])
    assert expected == sorted(RETCODES)


def test_success_is_no_row_so_that_no_override_can_touch_it() -> None:
    assert SUCCESS not in RETCODES


@pytest.mark.parametrize("retcode", ["106-999", "106-", "106"])
def test_a_code_of_the_mediacall_family_without_a_row_is_permanent(retcode: str) -> None:
    assert lookup(retcode) is RETCODES["106-*"]
    assert lookup(retcode).kind is RetcodeClass.PERMANENT


@pytest.mark.parametrize("retcode", ["999-999", "-1", "", "1", "00", "106011", "100 006", "*"])
def test_an_unknown_code_is_permanent(retcode: str) -> None:
    assert lookup(retcode) is UNKNOWN
    assert UNKNOWN.kind is RetcodeClass.PERMANENT


def test_a_site_can_replace_a_row() -> None:
    busy = replace(RETCODES["106-011"], kind=RetcodeClass.TRANSIENT)

    assert lookup("106-011", {**REPLIES, "106-011": busy}) is busy


EVERY_ROW = pytest.mark.parametrize("row", verdict_table().values(), ids=lambda row: row.code)


@EVERY_ROW
def test_every_row_says_what_happened_and_what_to_do(row: Row) -> None:
    assert row.meaning
    assert row.remedy
    assert row.sentence.isprintable()


@EVERY_ROW
def test_a_documented_row_names_its_page_and_no_other_does(row: Row) -> None:
    assert (row.grade in (Grade.DOCUMENTED, Grade.REFERENCE, Grade.STANDARD)) == bool(row.page)


@EVERY_ROW
def test_what_leaves_a_doubt_is_tried_again(row: Row) -> None:
    assert not row.doubt or row.kind is RetcodeClass.TRANSIENT


def test_success_is_in_no_table() -> None:
    assert SUCCESS not in verdict_table()


@pytest.mark.parametrize(
    ("code", "row"),
    [
        ("http-404", "http-404"),
        ("http-418", "http-4xx"),
        ("http-502", "http-5xx"),
        ("http-599", "http-5xx"),
        ("http-302", "http-3xx"),
        ("http-204", "http-2xx"),
        ("http-101", "http-1xx"),
    ],
)
def test_a_status_has_its_own_row_or_its_hundreds(code: str, row: str) -> None:
    assert lookup(code).code == row


@pytest.mark.parametrize(
    ("status", "code"), [(404, "http-404"), (99, "http-5xx"), (600, "http-5xx"), (999, "http-5xx"), (-1, "http-5xx")]
)
def test_a_number_that_http_does_not_have_counts_as_trouble_of_the_server(status: int, code: str) -> None:
    assert status_code(status) == code


def test_a_site_judges_a_refusing_status_otherwise() -> None:
    table = with_overrides({"http-401": RetcodeClass.REREAD_SESSION})

    assert (lookup("http-401", table).kind, lookup("http-401", table).grade) == (
        RetcodeClass.REREAD_SESSION,
        Grade.SITE,
    )
    assert lookup("http-403", table) == lookup("http-403")


def test_a_site_judges_a_code_or_a_family_otherwise_and_every_other_code_as_the_table() -> None:
    table = with_overrides({"100-009": RetcodeClass.DEFERRED, "106-*": RetcodeClass.TRANSIENT})

    assert (lookup("100-009", table).kind, lookup("100-009", table).grade) == (RetcodeClass.DEFERRED, Grade.SITE)
    assert lookup("100-009", table).meaning == lookup("100-009").meaning
    assert lookup("106-099", table).kind is RetcodeClass.TRANSIENT
    assert lookup("106-011", table).kind is RetcodeClass.PERMANENT, "its own row is nearer than its family's"
    assert lookup("100-006", table) == lookup("100-006")
    assert lookup("100-009").kind is RetcodeClass.PERMANENT, "the table itself is untouched"
