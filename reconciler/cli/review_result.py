"""What `comment` has done, as text and as a document."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from reconciler.cli.failures import error_diagnostic
from reconciler.cli.result import CommandResult
from reconciler.cli.review_place import ReviewPlace
from reconciler.errors import ExitCode, ReviewHostError
from reconciler.model.printable import printable
from reconciler.review import Deed, Posted, Request, Standing
from reconciler.values import Struct, field

_REHEARSED = (
    "nothing was sent. A comment that is there is changed instead of added, and left alone when it says the same "
    "already; the token would be read from "
)


class Done(Struct, kw_only=True):
    """What has been done so far."""

    posted: list[Posted] = field(default_factory=list)
    others: tuple[str, ...] = ()
    """Sites whose comment was folded because nothing is told of them any more."""
    label: Standing | None = None


def comment_result(place: ReviewPlace, done: Done, error: ReviewHostError | None) -> CommandResult:
    """Return the end of a command that has asked the host; `error` ended it before it was through."""
    counts = Counter(each.deed for each in done.posted)
    return CommandResult(
        command="comment",
        exit_code=ExitCode.DONE if error is None else error.exit_code,
        text=lambda: _text(done),
        site=done.posted[0].site if len(done.posted) == 1 else None,
        summary={str(deed): counts[deed] for deed in Deed},
        diagnostics=[] if error is None else [error_diagnostic(error)],
        sections=lambda: {**_where(place), **_document(done)},
    )


def rehearsal_result(place: ReviewPlace, requests: Sequence[Request]) -> CommandResult:
    """Return the end of a command that has sent nothing: the requests."""
    return CommandResult(
        command="comment",
        text=lambda: "".join(_request_text(each) for each in requests),
        summary={"requests": len(requests)},
        sections=lambda: {
            **_where(place),
            "requests": [{"method": each.method, "url": each.url, "body": each.body} for each in requests],
        },
        notes=[f"{_REHEARSED}{place.token}"],
    )


def _where(place: ReviewPlace) -> dict[str, object]:
    found = place.pull_request
    return {
        "pull_request": {
            "host": str(found.kind),
            "api_url": found.api,
            "repository": found.repository,
            "number": found.number,
        }
    }


def _document(done: Done) -> dict[str, object]:
    comments = [
        {
            "site": each.site,
            "outcome": str(each.standing),
            "comment": str(each.deed),
            "url": each.page or None,
            "folded": each.folded,
            "removed": each.removed,
        }
        for each in done.posted
    ]
    return {
        "comments": comments,
        "folded_sites": list(done.others),
        "label": None if done.label is None else done.label.label,
    }


def _text(done: Done) -> str:
    lines = [
        f"site {each.site}: comment {each.deed} ({each.standing})" + (f"  {printable(each.page)}" if each.page else "")
        for each in done.posted
    ]
    lines += [f"site {site}: comment folded, for it has no file here" for site in done.others]
    lines += [] if done.label is None else [f"label {done.label.label}"]
    return "".join(f"{line}\n" for line in lines)


def _request_text(request: Request) -> str:
    body = "" if request.body is None else f"    {json.dumps(request.body, ensure_ascii=False)}\n"
    return f"{request.method} {request.url}\n{body}"
