from __future__ import annotations

import json

import pytest
from gateway.examples import COOKIE, MARKER, NUMBERS, PATH, URL, make_request, make_session

from reconciler.gateway import build_request
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey

SAMPLE = """
    {
        "totalCallNum":25,
        "agentMediaCallNums": [
                {
                    "mediaType": 51,
                    "callnums": 9
                },
                {
                    "mediaType": 52,
                    "callnums": 6
                }
            ]
    }
"""


def test_the_numbers_of_the_reference_are_exactly_these_bytes() -> None:
    request = build_request(URL, make_session(), NUMBERS, CallnumsKey.LOWER)

    expected = (
        b'{"totalCallNum": 25, '
        b'"agentMediaCallNums": [{"mediaType": 51, "callnums": 9}, {"mediaType": 52, "callnums": 6}]}'
    )
    assert expected == request.body


def test_the_sample_of_the_reference_is_built_with_its_numbers_keys_and_order() -> None:
    request = build_request(URL, make_session(), NUMBERS, CallnumsKey.LOWER)

    expected, actual = (json.loads(text, object_pairs_hook=list) for text in (SAMPLE, request.body))
    assert expected == actual


@pytest.mark.parametrize("key", list(CallnumsKey), ids=["camel-case", "lower-case"])
def test_the_number_of_a_channel_stands_under_the_spelling_asked_for(key: CallnumsKey) -> None:
    request = build_request(URL, make_session(), NUMBERS, key)

    for entry in json.loads(request.body)["agentMediaCallNums"]:
        assert ["mediaType", key.value] == list(entry)


def test_channels_are_sorted_by_their_code() -> None:
    numbers = Concurrency.of(60, dict.fromkeys(reversed(Channel), 0))

    body = json.loads(build_request(URL, make_session(), numbers, CallnumsKey.CAMEL).body)

    expected = [50, 51, 52, 53, 56, 57, 58, 59, 60, 61, 62, 63]
    assert expected == [entry["mediaType"] for entry in body["agentMediaCallNums"]]


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        pytest.param(URL, URL + PATH, id="plain"),
        pytest.param(URL + "/", URL + PATH, id="trailing-slash"),
        pytest.param(URL + "/cc/", URL + "/cc" + PATH, id="path-prefix"),
        pytest.param("https://[::1]:8043", "https://[::1]:8043" + PATH, id="ipv6"),
    ],
)
def test_the_url_is_the_documented_path_under_the_base(base: str, expected: str) -> None:
    request = make_request(base)

    assert ("POST", expected) == (request.method, request.url)


def test_without_cookies_the_headers_are_the_two_documented_ones() -> None:
    expected = (("Content-Type", "application/json; charset=UTF-8"), ("Guid", MARKER))
    assert expected == make_request().headers


def test_cookies_of_the_session_go_into_one_header() -> None:
    headers = dict(make_request(cookies={"JSESSIONID": "a", "route": "b=1"}).headers)

    assert headers["Cookie"] == "JSESSIONID=a; route=b=1"


def test_the_same_values_are_the_same_bytes() -> None:
    other = Concurrency.of(25, {Channel.WEB_CHAT: 9, Channel.SMS: 6})

    one, two = (build_request(URL, make_session(), numbers, CallnumsKey.CAMEL) for numbers in (NUMBERS, other))
    assert one.body == two.body


def test_a_request_shows_neither_guid_nor_cookie() -> None:
    shown = repr(make_request(cookies={"JSESSIONID": COOKIE}))

    assert MARKER not in shown
    assert COOKIE not in shown


def test_texts_too_short_to_be_secrets_are_not_looked_for() -> None:
    request = make_request(cookies={"route": "b1", "JSESSIONID": COOKIE})

    assert request.secrets == (MARKER, COOKIE)


def test_a_quoted_cookie_is_a_secret_without_its_quotes() -> None:
    request = make_request(cookies={"JSESSIONID": f'"{COOKIE}"'})

    assert request.secrets == (MARKER, COOKIE)
