"""How a host is asked: repeated where that can help and is safe, waited for as it asks, and with an end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from review.served import Answer, Asked, Served, serving

from reconciler.errors import ReviewHostError
from reconciler.review.exchange import HttpExchange, Reply, Request, Unanswered
from reconciler.review.pace import wanted_pause

NOW = 1_800_000_000.0


@dataclass
class Line:
    """An exchange with a server in this process, and how long it waited."""

    served: Served
    client: httpx.Client
    waits: list[float] = field(default_factory=list)
    patience: float = 300.0

    def send(self, method: str = "GET", *, repeatable: bool = True) -> Reply:
        exchange = HttpExchange(self.client, patience=self.patience, clock=lambda: NOW, sleep=self.waits.append)
        request = Request(method=method, url=f"{self.served.url}/x", body={"a": 1}, repeatable=repeatable)
        return exchange.send(request)


@contextmanager
def line_to(answer: Callable[[Asked], Answer]) -> Iterator[Line]:
    served = Served(scheme="http")
    with serving(served, answer), httpx.Client(trust_env=False) as client:
        yield Line(served, client)


@pytest.fixture
def line() -> Iterator[Line]:
    with line_to(lambda _: Answer(200, {"done": True})) as found:
        yield found


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_host_in_trouble_is_asked_again_ever_more_slowly(line: Line, status: int) -> None:
    line.served.hurt(*[Answer(status)] * 3)
    assert line.send().status == 200
    assert line.waits == [1.0, 2.0, 4.0]


def test_a_connection_that_breaks_is_made_again(line: Line) -> None:
    line.served.hurt(None, None)
    assert line.send().status == 200
    assert len(line.served.asked) == 3


@pytest.mark.parametrize("status", [None, 500, 502, 504])
def test_what_makes_something_new_is_not_sent_again_when_nobody_knows(line: Line, status: int | None) -> None:
    line.served.hurt(None if status is None else Answer(status))
    with pytest.raises(Unanswered, match="no answer to POST http://127"):
        line.send("POST", repeatable=False)
    assert len(line.served.asked) == 1


def test_what_makes_something_new_is_sent_again_when_it_was_not_done(line: Line) -> None:
    line.served.hurt(Answer(429, headers={"Retry-After": "7"}), Answer(503, headers={"Retry-After": "8"}))
    assert line.send("POST", repeatable=False).status == 200
    assert line.waits == [7.0, 8.0]


def test_what_makes_something_new_is_sent_again_when_no_connection_was_made() -> None:
    waits: list[float] = []
    request = Request(method="POST", url="http://127.0.0.1:1/x", repeatable=False)
    with httpx.Client(trust_env=False) as client, pytest.raises(ReviewHostError) as caught:
        HttpExchange(client, patience=10, sleep=waits.append).send(request)
    assert not isinstance(caught.value, Unanswered)
    assert waits == [1.0, 2.0, 4.0]


def test_a_host_that_stays_in_trouble_is_told(line: Line) -> None:
    line.served.hurt(*[Answer(503)] * 9)
    assert line.send().status == 503
    assert len(line.served.asked) == 6


def test_nobody_is_waited_for_longer_than_patience_lasts(line: Line) -> None:
    line.patience = 60.0
    line.served.hurt(Answer(429, headers={"Retry-After": "3600"}))
    assert line.send().status == 429
    assert line.waits == []


def test_a_redirect_is_not_followed(line: Line) -> None:
    line.served.hurt(Answer(307, headers={"Location": f"{line.served.url}/elsewhere"}))
    assert line.send().status == 307
    assert [each.path for each in line.served.asked] == ["/x"]


def test_what_is_no_json_has_no_value() -> None:
    assert Reply(status=200, body=b"<html>").value is None
    assert Reply(status=200, body=b"[" * 100_000).value is None


LIMITS: Mapping[str, tuple[int, Mapping[str, str], bytes, float | None]] = {
    "retry-after": (429, {"retry-after": "12"}, b"", 12.0),
    "retry-after-of-a-secondary-limit": (403, {"retry-after": "12"}, b"", 12.0),
    "retry-after-as-a-date": (429, {"retry-after": "Fri, 15 Jan 2027 08:00:30 GMT"}, b"", 30.0),
    "retry-after-as-a-date-without-a-zone": (429, {"retry-after": "Fri, 15 Jan 2027 08:00:30 -0000"}, b"", 30.0),
    "retry-after-that-is-over": (429, {"retry-after": "Fri, 15 Jan 2027 07:00:30 GMT"}, b"", 1.0),
    "retry-after-that-is-none": (429, {"retry-after": "soon"}, b"", 60.0),
    "retry-after-at-once": (429, {"retry-after": "0"}, b"", 1.0),
    "spent": (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000090"}, b"", 90.0),
    "spent-at-gitlab": (429, {"ratelimit-remaining": "0", "ratelimit-reset": "1800000045"}, b"", 45.0),
    "spent-and-filled-up": (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000000"}, b"", 1.0),
    "spent-until-nobody-knows": (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "never"}, b"", 60.0),
    "secondary": (403, {"x-ratelimit-remaining": "41"}, b"You have exceeded a secondary rate limit", 60.0),
    "too-many": (429, {}, b"", 60.0),
    "maintenance": (503, {"retry-after": "5"}, b"", 5.0),
    "trouble": (503, {}, b"", None),
    "permission": (403, {"x-ratelimit-remaining": "41"}, b"Resource not accessible by integration", None),
    "fine": (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000090"}, b"", None),
}


@pytest.mark.parametrize("case", LIMITS.values(), ids=list(LIMITS))
def test_a_host_is_waited_for_as_it_asks(case: tuple[int, Mapping[str, str], bytes, float | None]) -> None:
    status, headers, body, expected = case
    assert wanted_pause(status, headers, body, now=NOW) == expected


@given(
    st.sampled_from([200, 403, 429, 503]),
    st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset"]), st.text() | st.just("0")
    ),
)
def test_any_header_gives_a_pause_of_a_second_or_more_or_none(status: int, headers: dict[str, str]) -> None:
    pause = wanted_pause(status, headers, b"", now=NOW)
    assert pause is None or pause >= 1.0
