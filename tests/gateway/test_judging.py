from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from time import process_time
from typing import Any

import pytest
from gateway.examples import COOKIE, MARKER, UNHURRIED
from hypothesis import given
from hypothesis import strategies as st

from reconciler.gateway import (
    Acknowledged,
    Misconfigured,
    NotSignedIn,
    Refused,
    Reply,
    SessionExpired,
    Transient,
    Unanswered,
    Verdict,
    judge,
)
from reconciler.gateway.protocol.judging import parse_retry_after
from reconciler.gateway.protocol.secrecy import Secrets
from reconciler.gateway.retcodes import RETCODES, with_overrides
from reconciler.model.site import RetcodeClass
from reconciler.values import replace

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def reply_with(document: Any, status: int = 200, **headers: Any) -> Reply:
    return Reply(status=status, content_type="application/json", body=json.dumps(document).encode(), **headers)


def verdict_of(reply: Reply, **options: Any) -> Verdict:
    return judge(reply, now=NOW, **options)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"message": "success", "retcode": "0"}', id="as-in-the-reference"),
        pytest.param(b'{"retcode": 0}', id="number"),
        pytest.param(b'\xef\xbb\xbf{"retcode": "0"}\r\n', id="byte-order-mark"),
        pytest.param(b'{"retcode": "0", "message": "a", "message": "b", "retcode": 0}', id="said-twice"),
        pytest.param(b'{"retcode": "0", "message": "\xb3\xc9\xb9\xa6"}', id="message-in-another-encoding"),
        pytest.param(b'{"retcode": "0", "result": {"a": [1.5, NaN, null]}}', id="more-than-asked-for"),
        pytest.param(b'{"retcode": "0", "n": ' + b"9" * 5000 + b"}", id="huge-number"),
    ],
)
def test_http_200_with_retcode_0_is_acknowledged(body: bytes) -> None:
    verdict = verdict_of(Reply(status=200, body=body))

    assert isinstance(verdict, Acknowledged)
    assert verdict.retcode == "0"


def test_what_the_gateway_says_on_success_is_kept() -> None:
    assert Acknowledged(message="success") == verdict_of(reply_with({"message": "success", "retcode": "0"}))


@pytest.mark.parametrize("content_type", ["application/json", "text/html; charset=gbk", "text/plain", ""])
def test_the_media_type_decides_nothing(content_type: str) -> None:
    reply = Reply(status=200, content_type=content_type, body=b'{"retcode":"0"}', content_encoding=" Identity ")

    assert isinstance(verdict_of(reply), Acknowledged)


@pytest.mark.parametrize(
    "retcode",
    ["00", " 0", "0 ", "+0", "0.0", "\u0660", 1, -1, 0.5],
    ids=["two-zeros", "space-before", "space-after", "plus", "decimal", "arabic-zero", "one", "minus-one", "fraction"],
)
def test_a_retcode_that_is_not_exactly_0_is_a_refusal(retcode: object) -> None:
    assert isinstance(verdict_of(reply_with({"retcode": retcode})), Refused)


@pytest.mark.parametrize("body", [b'{"retcode": -0}', b'{"retcode": 0.0}', b'{"retcode": 0e1}', b'{"retcode": NaN}'])
def test_a_number_that_is_0_only_in_value_is_a_refusal(body: bytes) -> None:
    assert isinstance(verdict_of(Reply(status=200, body=body)), Refused)


CLASSES: dict[RetcodeClass, type[Verdict]] = {
    RetcodeClass.DEFERRED: NotSignedIn,
    RetcodeClass.REREAD_SESSION: SessionExpired,
    RetcodeClass.TRANSIENT: Transient,
    RetcodeClass.PERMANENT: Refused,
}


@pytest.mark.parametrize("retcode", sorted(RETCODES))
def test_a_retcode_is_judged_by_its_row_and_explained(retcode: str) -> None:
    row = RETCODES[retcode]

    verdict = verdict_of(reply_with({"retcode": retcode, "message": "no"}))

    assert isinstance(verdict, CLASSES[row.kind])
    assert (retcode, f'{row.meaning}: {row.remedy} (the gateway says "no")') == (verdict.retcode, verdict.message)


@pytest.mark.parametrize("retcode", ["http-426", "http-404", "http-429", "http-5xx", "http"])
def test_a_retcode_that_spells_a_status_has_no_row(retcode: str) -> None:
    verdict = verdict_of(reply_with({"retcode": retcode}))

    assert isinstance(verdict, Refused)
    assert "not in the table" in verdict.message


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"retcode": "1", "retcode": "0"}', id="success-last"),
        pytest.param(b'{"retcode": "0", "retcode": "100-006"}', id="success-first"),
        pytest.param(b'{"retcode": "0", "retcode": null}', id="none-last"),
        pytest.param(b'{"retcode": {}, "retcode": "0"}', id="something-else-first"),
    ],
)
def test_an_answer_that_contradicts_itself_is_none(body: bytes) -> None:
    verdict = verdict_of(Reply(status=200, body=body))

    assert isinstance(verdict, Unanswered)
    assert "no readable retcode" in verdict.message


def test_a_retcode_without_a_row_is_refused_and_named() -> None:
    verdict = verdict_of(reply_with({"retcode": 999}))

    assert isinstance(verdict, Refused)
    assert verdict.retcode == "999"
    assert "not in the table" in verdict.message


def test_a_refusal_by_retcode_leaves_nothing_in_doubt() -> None:
    verdict = verdict_of(reply_with({"retcode": "100-007"}, retry_after="3"))

    assert isinstance(verdict, Transient)
    assert (verdict.sent_maybe, verdict.retry_after) == (False, 3.0)


def test_a_site_can_judge_a_retcode_otherwise() -> None:
    table = {**RETCODES, "106-011": replace(RETCODES["106-011"], kind=RetcodeClass.DEFERRED)}

    assert isinstance(verdict_of(reply_with({"retcode": "106-011"}), table=table), NotSignedIn)


def test_no_table_makes_a_failure_of_a_success() -> None:
    table = {"0": replace(RETCODES["106-011"], code="0")}

    assert isinstance(verdict_of(reply_with({"retcode": "0"}), table=table), Acknowledged)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        pytest.param(
            Reply(status=200, content_type="text/html", body=b"<html>ok</html>"), "not JSON (text/html)", id="html"
        ),
        pytest.param(Reply(status=200, body=b"0"), "not an object", id="bare-number"),
        pytest.param(Reply(status=200, body=b""), "empty body", id="empty"),
        pytest.param(Reply(status=200, body=b" \r\n"), "empty body", id="blank"),
        pytest.param(Reply(status=200, body=b'{"retcode": "0"'), "not JSON (no content type)", id="cut-short"),
        pytest.param(Reply(status=200, body=b'{"retcode": "0"}{}'), "not JSON", id="more-than-one"),
        pytest.param(Reply(status=200, body=b"[" * 60_000), "not JSON", id="deep"),
        pytest.param(reply_with([{"retcode": "0"}]), "not an object", id="array"),
        pytest.param(reply_with({"message": "success"}), "no readable retcode", id="no-retcode"),
        pytest.param(reply_with({"Retcode": "0"}), "no readable retcode", id="other-case"),
        pytest.param(reply_with({"retcode": None}), "no readable retcode", id="null"),
        pytest.param(reply_with({"retcode": False}), "no readable retcode", id="false"),
        pytest.param(reply_with({"retcode": True}), "no readable retcode", id="true"),
        pytest.param(reply_with({"retcode": ""}), "no readable retcode", id="empty-text"),
        pytest.param(reply_with({"retcode": ["0"]}), "no readable retcode", id="list"),
        pytest.param(replace(reply_with({"retcode": "0"}), truncated=True), "more than 64 KiB", id="oversize"),
        pytest.param(reply_with({"retcode": "0"}, content_encoding="gzip"), "compressed", id="compressed"),
    ],
)
def test_http_200_without_a_readable_retcode_leaves_the_call_in_doubt(reply: Reply, reason: str) -> None:
    verdict = verdict_of(reply)

    assert isinstance(verdict, Unanswered)
    assert reason in verdict.message
    assert verdict.retcode is None


@pytest.mark.parametrize("status", [100, 103, 201, 202, 204, 206, 299])
def test_another_2xx_is_not_a_success_even_with_retcode_0(status: int) -> None:
    verdict = verdict_of(reply_with({"retcode": "0"}, status))

    assert isinstance(verdict, Unanswered)
    assert verdict.message.startswith(f"HTTP {status}")
    assert verdict.retcode is None


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 599, 600, 999])
def test_a_5xx_may_have_been_taken_all_the_same(status: int) -> None:
    verdict = verdict_of(reply_with({"retcode": "0"}, status, retry_after="7"))

    assert isinstance(verdict, Transient)
    assert (verdict.sent_maybe, verdict.retry_after, verdict.retcode) == (True, 7.0, None)


@pytest.mark.parametrize("status", [408, 429])
def test_a_request_that_was_turned_away_is_tried_again_and_never_in_doubt(status: int) -> None:
    verdict = verdict_of(Reply(status=status, retry_after="2"))

    assert isinstance(verdict, Transient)
    assert (verdict.sent_maybe, verdict.retry_after) == (False, 2.0)


@pytest.mark.parametrize(
    ("reply", "overloaded"),
    [
        pytest.param(Reply(status=429), True, id="429"),
        pytest.param(Reply(status=429, retry_after="garbage"), True, id="429-with-garbage"),
        pytest.param(Reply(status=503, retry_after="7"), True, id="503-that-says-when"),
        pytest.param(Reply(status=408, retry_after="7"), True, id="408-that-says-when"),
        pytest.param(Reply(status=503), False, id="503"),
        pytest.param(Reply(status=408), False, id="408"),
        pytest.param(reply_with({"retcode": "000-007"}, retry_after="7"), False, id="one-agents-own-retcode"),
    ],
)
def test_a_server_that_has_too_much_to_do_says_so_for_everybody(reply: Reply, overloaded: bool) -> None:
    verdict = verdict_of(reply)

    assert isinstance(verdict, Transient)
    assert verdict.overloaded is overloaded


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (RetcodeClass.STOP, Misconfigured),
        (RetcodeClass.TRANSIENT, Transient),
        (RetcodeClass.DEFERRED, NotSignedIn),
        (RetcodeClass.REREAD_SESSION, SessionExpired),
        (RetcodeClass.PERMANENT, Refused),
    ],
)
def test_a_site_can_judge_a_refusing_status_otherwise(kind: RetcodeClass, expected: type[Verdict]) -> None:
    assert isinstance(verdict_of(Reply(status=401), table=with_overrides({"http-401": kind})), expected)


def test_an_upgrade_that_is_wanted_stops_the_run_and_says_which_port() -> None:
    verdict = verdict_of(Reply(status=426))

    assert isinstance(verdict, Misconfigured)
    assert "WebSocket" in verdict.message
    assert "8043" in verdict.message


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "wrong path"), (403, "firewall"), (404, "port and path prefix"), (405, "port"), (400, "refused"), (418, "")],
)
def test_another_4xx_is_refused_with_where_to_look(status: int, words: str) -> None:
    verdict = verdict_of(Reply(status=status, body=b"<html>"))

    assert isinstance(verdict, Refused)
    assert verdict.message.startswith(f"HTTP {status}: ")
    assert words in verdict.message


def test_a_retcode_in_an_error_page_is_reported_and_decides_nothing() -> None:
    verdict = verdict_of(reply_with({"retcode": "100-006", "message": "no agent"}, 404))

    assert isinstance(verdict, Refused)
    assert verdict.retcode == "100-006"
    assert '(the gateway says "no agent")' in verdict.message


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        pytest.param("https://new.example:8443/x?sid=s3", "redirect to https://new.example:8443: ", id="another-host"),
        pytest.param("//new.example/x", "redirect to https://new.example: ", id="same-scheme"),
        pytest.param("http://me:hunter2@new.example/", "redirect to http://new.example: ", id="password"),
        pytest.param("https://[2001:db8::1]:1/", "redirect to https://[2001:db8::1]:1: ", id="ipv6"),
        pytest.param("/login;jsessionid=s3", "redirect to another path: ", id="path"),
        pytest.param("https://[bad", "redirect to another path: ", id="garbage"),
        pytest.param("", "redirect to another path: ", id="none"),
        pytest.param(f"https://{MARKER}.example/", "redirect to (withheld", id="guid-in-the-host"),
        pytest.param(f"https://{MARKER.upper()}.example/", "redirect to (withheld", id="guid-in-other-case"),
        pytest.param(f"/login?guid={MARKER}", "redirect to another path: ", id="guid-in-a-path"),
        pytest.param(f"https://new.example/?g={MARKER}", "redirect to https://new.example: ", id="guid-behind-it"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_refused_and_shows_host_and_port_only(status: int, location: str, shown: str) -> None:
    verdict = verdict_of(Reply(status=status, location=location), secrets=Secrets([MARKER]))

    assert isinstance(verdict, Refused)
    assert shown in verdict.message
    assert "correct gateway.url" in verdict.message
    for secret in ("s3", "hunter2", MARKER):
        assert secret.casefold() not in verdict.message.casefold()


@pytest.mark.parametrize("sign", ["/", "@", "?", "#"])
def test_a_redirect_does_not_show_half_of_a_guid_that_a_url_splits(sign: str) -> None:
    guid = f"5ec2e7aa{sign}0f1e2d3c"

    verdict = verdict_of(Reply(status=302, location=f"https://{guid}/"), secrets=Secrets([guid]))

    assert "5ec2e7aa" not in verdict.message
    assert "0f1e2d3c" not in verdict.message


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("0", 0.0, id="zero"),
        pytest.param("17", 17.0, id="seconds"),
        pytest.param("60", 60.0, id="a-minute"),
        pytest.param("3600", 60.0, id="capped"),
        pytest.param("Fri, 02 Jan 2026 03:04:15 GMT", 10.0, id="date"),
        pytest.param("Fri, 02 Jan 2026 03:04:15 -0000", 10.0, id="date-without-zone"),
        pytest.param("Fri, 02 Jan 2026 04:04:15 +0100", 10.0, id="date-of-another-zone"),
        pytest.param("Sat, 03 Jan 2026 03:04:05 GMT", 60.0, id="date-capped"),
        pytest.param("Fri, 02 Jan 2026 03:04:05 GMT", 0.0, id="date-of-now"),
        pytest.param("Fri, 02 Jan 2026 03:04:04 GMT", None, id="date-past"),
        pytest.param("-5", None, id="negative"),
        pytest.param("1.5", None, id="fraction"),
        pytest.param("1e9", None, id="exponent"),
        pytest.param("\u0663", None, id="arabic-digit"),
        pytest.param("9" * 400, 60.0, id="endless"),
        pytest.param("soon", None, id="word"),
        pytest.param("Fri, 99 Jan 2026 03:04:04 GMT", None, id="no-such-day"),
        pytest.param("", None, id="absent"),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_more_than_a_minute(value: str, expected: float | None) -> None:
    assert expected == parse_retry_after(value, now=NOW)


@pytest.mark.parametrize("status", [200, 404, 503])
def test_what_the_server_says_is_escaped_and_cut(status: int) -> None:
    verdict = verdict_of(reply_with({"retcode": "106-011\n", "message": "\u202e\x1b" + "x" * 9_000}, status))

    assert verdict.message.isprintable()
    assert "\\u202e\\x1bxxx" in verdict.message
    assert len(verdict.message) < 500
    assert verdict.retcode == "106-011\\n"


def test_a_retcode_of_any_length_is_cut() -> None:
    verdict = verdict_of(reply_with({"retcode": "9" * 1000}))

    assert verdict.retcode == "9" * 31 + "…"


@pytest.mark.parametrize("secret", [MARKER, COOKIE], ids=["guid", "cookie"])
@pytest.mark.parametrize("status", [200, 500])
def test_a_server_that_repeats_a_secret_is_not_quoted(secret: str, status: int) -> None:
    # The secret would be cut in half at the limit, and half of it is too much.
    for document in (
        {"retcode": "000-003", "message": "x" * 180 + f" bad guid {secret}"},
        {"retcode": f"bad {secret}"},
        {"retcode": "0", "message": secret},
    ):
        verdict = verdict_of(reply_with(document, status), secrets=Secrets([MARKER, COOKIE]))
        assert secret[:8] not in repr(verdict)


@pytest.mark.parametrize("spell", [str.upper, str.title], ids=["upper", "title"])
def test_a_secret_repeated_in_another_case_is_not_quoted(spell: Callable[[str], str]) -> None:
    document = {"retcode": spell(MARKER), "message": f"no such guid:{spell(MARKER)}!"}

    verdict = verdict_of(reply_with(document), secrets=Secrets([MARKER]))

    assert MARKER[:8] not in repr(verdict).casefold()
    assert verdict.retcode is not None
    assert "withheld" in verdict.retcode


@pytest.mark.parametrize("content_type", [f"text/{MARKER}", f"{'x' * 30}{MARKER}", f"a/b; guid={MARKER}", MARKER * 9])
def test_a_content_type_that_holds_a_secret_is_not_shown_in_part_either(content_type: str) -> None:
    reply = Reply(status=200, content_type=content_type, body=b"<html>")

    verdict = verdict_of(reply, secrets=Secrets([MARKER]))

    assert MARKER[:8] not in verdict.message
    assert "not JSON (withheld" in verdict.message


def test_a_content_type_does_not_show_half_of_a_guid_with_a_semicolon() -> None:
    reply = Reply(status=200, content_type="text/5ec2e7aa;0f1e2d3c", body=b"<html>")

    assert "5ec2e7aa" not in verdict_of(reply, secrets=Secrets(["5ec2e7aa;0f1e2d3c"])).message


def test_of_a_content_type_the_media_type_is_shown_only() -> None:
    reply = Reply(status=200, content_type="text/html ; charset=gbk", body=b"<html>")

    assert "(text/html)" in verdict_of(reply).message


def test_a_guid_that_only_escaping_makes_is_not_shown() -> None:
    guid = r"5ec2e7aa\n0f1e"

    verdict = verdict_of(reply_with({"retcode": "9", "message": "5ec2e7aa\n0f1e"}), secrets=Secrets([guid]))

    assert guid not in verdict.message


# Our own sentences have no such text by chance: eight characters with a digit at both ends and no blank.
GUIDS = st.builds(
    "{}{}{}".format,
    st.sampled_from("78"),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=6, max_size=60),
    st.sampled_from("34"),
)
SPELLINGS: st.SearchStrategy[Callable[[str], str]] = st.sampled_from([str, str.upper, str.lower, str.swapcase])


@UNHURRIED
@given(data=st.data(), status=st.sampled_from([200, 204, 302, 404, 429, 503]), guids=st.lists(GUIDS, min_size=1))
def test_whatever_field_repeats_a_secret_no_verdict_shows_it(
    data: st.DataObject, status: int, guids: list[str]
) -> None:
    def hostile() -> str:
        around = st.text(max_size=250)
        spell, guid = data.draw(SPELLINGS), data.draw(st.sampled_from(guids))
        return f"{data.draw(around)}{spell(guid)}{data.draw(around)}"

    document = data.draw(st.sampled_from(["retcode", "message", "both", "html"]))
    body = {
        "retcode": {"retcode": hostile()},
        "message": {"retcode": data.draw(st.sampled_from(["0", "9", "100-006", "000-003"])), "message": hostile()},
        "both": {"retcode": hostile(), "message": hostile()},
        "html": f"<html>{hostile()}</html>",
    }[document]
    reply = Reply(
        status=status,
        content_type=hostile(),
        body=body.encode() if isinstance(body, str) else json.dumps(body).encode(),
        location=data.draw(st.sampled_from(["", "/", "https://", "//me@"])) + hostile(),
        retry_after=hostile(),
    )

    verdict = verdict_of(reply, secrets=Secrets(guids))

    shown = f"{verdict.message}\n{verdict.retcode}".casefold()
    assert not [guid for guid in guids if guid.casefold() in shown]


def test_the_cost_of_a_look_does_not_grow_with_the_number_of_secrets() -> None:
    # This takes a few hundredths of a second; looking for one secret after the other, some five.
    secrets = Secrets(f"{number:032x}.AgentGateway0" for number in range(100_000))
    reply = reply_with({"retcode": "000-003", "message": "the session has expired, or was never there " * 20})

    began = process_time()
    for _ in range(100):
        verdict_of(reply, secrets=secrets)

    assert process_time() - began < 1
    assert secrets.are_in(f"guid={99_999:032X}.AGENTGATEWAY0;")


@UNHURRIED
@given(status=st.integers(100, 999), body=st.binary(max_size=200), header=st.text(max_size=40))
def test_no_reply_can_raise_and_only_retcode_0_succeeds(status: int, body: bytes, header: str) -> None:
    reply = Reply(status=status, body=body, content_type=header, retry_after=header, location=header)

    verdict = verdict_of(reply)

    assert not isinstance(verdict, Acknowledged)
    assert verdict.message.isprintable()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@UNHURRIED
@given(retcode=JSON, message=JSON, status=st.sampled_from([200, 302, 404, 429, 503]))
def test_no_document_can_raise_and_only_retcode_0_succeeds(retcode: Any, message: Any, status: int) -> None:
    verdict = verdict_of(reply_with({"retcode": retcode, "message": message}, status))

    success = status == 200 and not isinstance(retcode, (bool, float)) and retcode in ("0", 0)
    assert success == isinstance(verdict, Acknowledged)


def test_a_reply_does_not_show_its_body() -> None:
    reply = Reply(status=200, body=MARKER.encode(), location=f"/?guid={MARKER}")

    assert MARKER not in repr(reply)
