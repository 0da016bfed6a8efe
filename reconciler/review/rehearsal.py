"""An exchange that sends nothing: it keeps the requests, and answers as a pull request without comments and labels.

Rules of this file: nothing leaves this process, so nothing here ever holds a token.
"""

from __future__ import annotations

import json
from http import HTTPStatus

from reconciler.review.exchange import Reply, Request


class RehearsedExchange:
    """See `exchange.Exchange`."""

    def __init__(self) -> None:
        """Begin with no requests."""
        self._kept: list[Request] = []

    @property
    def requests(self) -> tuple[Request, ...]:
        """What would have been sent, in order."""
        return tuple(self._kept)

    def send(self, request: Request) -> Reply:
        """Keep the request, and answer."""
        self._kept.append(request)
        if request.method != "GET":
            # Whatever is added is what was sent, under some number.
            return _reply({"id": 1, **(request.body or {})})
        if "/labels/" in request.url:
            return Reply(status=HTTPStatus.NOT_FOUND)
        return _reply([] if "per_page=" in request.url else {})


def _reply(value: object) -> Reply:
    return Reply(status=HTTPStatus.OK, body=json.dumps(value).encode())
