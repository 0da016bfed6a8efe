"""What hosts' replies hold, taken out with care: nothing in them is believed to have the form it should have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from reconciler.errors import ReviewHostError
from reconciler.review.exchange import Reply, Request
from reconciler.review.host import Comment
from reconciler.review.marker import read_marker

PAGE = 100
"""How many of a list come at once; neither host gives more."""
_MOST_PAGES = 100
_LONGEST = 255
"""Characters of a label's name, which no host has more of, and of an address that is shown."""
_ADDRESS = "look at the address of the host's API: --api-url"


def at(value: Any, *names: str) -> Any:
    """Return what stands at a place in a document, or `None`."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def listed(send: Callable[[Request], Reply], url: str, *, what: str) -> Iterator[dict[str, Any]]:
    """Yield the items of a list that comes in pages.

    Args:
        send: sends a request, and raises where that is refused.
        url: of the list, up to where its query goes on.
        what: what it means if it cannot be read.

    Raises:
        ReviewHostError: it is no list, or has no end.
    """
    for page in range(1, _MOST_PAGES + 1):
        # By number, never by the address that the host gives: that would send the token wherever a reply says.
        reply = send(Request(method="GET", url=f"{url}per_page={PAGE}&page={page}"))
        if not isinstance(reply.value, list):
            raise misread(what)
        yield from (each for each in reply.value if isinstance(each, dict))
        if not reply.has_next_page:
            return
    raise ReviewHostError(f"{what}: there are more than {PAGE * _MOST_PAGES}", hint="begin a new pull request")


def own_comment(value: Any, *, author: int | None = None, page: str = "") -> Comment | None:
    """Return a comment that begins with a marker and has that author; `None` if it is none.

    Args:
        value: as the host gives it; GitHub has its author in `user`, GitLab in `author`.
        author: the number of the account; `None` if the host has just said that it is ours.
        page: the address at which people see it.
    """
    number, body = at(value, "id"), at(value, "body")
    marker = read_marker(body) if isinstance(body, str) else None
    by = at(value, "user", "id") or at(value, "author", "id")
    if type(number) is not int or marker is None or (author is not None and by != author):
        return None
    return Comment(id=number, marker=marker, body=body, page=page, node=str(at(value, "node_id") or ""))


def first_number(values: Iterable[Any], name: str) -> int | None:
    """Return the first number of a pull request that stands under `name`, or `None`."""
    numbers = (at(value, name) for value in values)
    return next((number for number in numbers if type(number) is int and number > 0), None)


def label_names(values: Iterable[Any]) -> tuple[str, ...]:
    """Return those of `values` that can be a label's name: what cannot be asked for cannot be taken off either."""
    return tuple(each for each in values if isinstance(each, str) and each.isprintable() and len(each) <= _LONGEST)


def page_in(value: Any, name: str) -> str:
    """Return the address of a page that stands under `name`; nothing if it is no address that people can be shown."""
    page = at(value, name)
    fits = isinstance(page, str) and page.isascii() and page.isprintable() and len(page) <= _LONGEST
    return page if fits and page.startswith(("https://", "http://")) and "@" not in page else ""


def misread(what: str) -> ReviewHostError:
    """Return the error for a reply that is not what the host's interface has there."""
    return ReviewHostError(f"{what}: the host's answer is not what its API gives", hint=_ADDRESS)
