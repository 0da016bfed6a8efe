from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.gateway.retcodes import RETCODES, SUCCESS, UNKNOWN, Grade, lookup, with_overrides
from reconciler.model.site import RetcodeClass

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

    assert (retcode, kind) == (row.retcode, row.kind)


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

    assert lookup("106-011", {**RETCODES, "106-011": busy}) is busy


@pytest.mark.parametrize("row", [*RETCODES.values(), UNKNOWN], ids=lambda row: row.retcode)
def test_every_row_says_what_happened_and_what_to_do(row: object) -> None:
    meaning, remedy = getattr(row, "meaning"), getattr(row, "remedy")  # noqa: B009 - ids need the loose type

    assert meaning
    assert remedy
    assert "\n" not in meaning + remedy


@pytest.mark.parametrize("row", RETCODES.values(), ids=lambda row: row.retcode)
def test_a_documented_row_names_its_page(row: object) -> None:
    grade, page = getattr(row, "grade"), getattr(row, "page")  # noqa: B009 - the same

    assert (grade in (Grade.DOCUMENTED, Grade.REFERENCE)) == bool(page)


def test_a_site_judges_a_code_or_a_family_otherwise_and_every_other_code_as_the_table() -> None:
    table = with_overrides({"100-009": RetcodeClass.DEFERRED, "106-*": RetcodeClass.TRANSIENT})

    assert (lookup("100-009", table).kind, lookup("100-009", table).grade) == (RetcodeClass.DEFERRED, Grade.SITE)
    assert lookup("100-009", table).meaning == lookup("100-009").meaning
    assert lookup("106-099", table).kind is RetcodeClass.TRANSIENT
    assert lookup("106-011", table).kind is RetcodeClass.PERMANENT, "its own row is nearer than its family's"
    assert lookup("100-006", table) == lookup("100-006")
    assert lookup("100-009").kind is RetcodeClass.PERMANENT, "the table itself is untouched"
