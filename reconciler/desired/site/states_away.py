"""What the `state` section of site.yaml says of a state that is kept away, in typed values.

Rule of this file: as for the section as a whole, what is built is what nothing is wrong with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from reconciler.desired.reading.marks import YamlDocument
from reconciler.desired.site.durations import parse_duration
from reconciler.desired.site.sections import OBJECT_SECRETS, parse_secret_reference, parsed, written
from reconciler.desired.site.state_addresses import (
    check_git_ref,
    check_git_remote,
    normalise_state_url,
    parse_object_url,
)
from reconciler.desired.wording import show
from reconciler.model.diagnostic import Diagnostic
from reconciler.model.states_away import DEFAULT_REFS, BasicLogin, GitState, HttpState, ObjectState

_OPTIONS = ("region", "endpoint", "addressing", "account")
_GIT_USER = "x-access-token"


def away_checks(value: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Callable[[str], object]]]:
    """Yield what the schema cannot say of the section `value`: each place, and what its text is read with."""
    match value:
        case {"backend": "git"}:
            yield ("state", "remote"), check_git_remote
            yield ("state", "ref"), check_git_ref
        case {"backend": "object"}:
            yield ("state", "url"), parse_object_url
            yield ("state", "endpoint"), normalise_state_url
        case {"backend": "http"}:
            for key in ("url", "lock_url", "unlock_url"):
                yield ("state", key), normalise_state_url
            yield ("state", "timeout"), parse_duration


def check_ref_of_name(document: YamlDocument) -> Iterator[Diagnostic]:
    """Report a site whose state would go to a ref that Git does not take: not every site's name can be a ref's."""
    match document.value:
        case {"name": str(name), "state": {"backend": "git", **rest}} if "ref" not in rest:
            try:
                check_git_ref(f"{DEFAULT_REFS}{name}")
            except ValueError:
                summary = f"{show(name)} cannot be the name of a ref; name one as state.ref"
                tokens = ("state", "backend")
                yield document.file.problem("wrong-format", summary, mark=document.value_mark(tokens), tokens=tokens)


def build_away(value: dict[str, Any]) -> GitState | ObjectState | HttpState:
    """Return the backend that the section describes."""
    match value["backend"]:
        case "git":
            return GitState(**written(value, "remote", "ref", "journal"), **_login(value))
        case "object":
            return _object(value)
    return HttpState(
        **written(value, "url", "update_method", "lock_url", "lock_method", "unlock_url", "unlock_method"),
        **written(value, "ca_file", "retries", "journal"),
        **parsed(value, parse_duration, "timeout"),
        **_login(value),
    )


def _object(value: dict[str, Any]) -> ObjectState:
    kind, bucket, key = parse_object_url(value["url"])
    return ObjectState(
        kind=kind,
        bucket=bucket,
        key=key,
        options=written(value, *_OPTIONS),
        secrets=parsed(value, parse_secret_reference, *OBJECT_SECRETS),
        **written(value, "ca_file", "journal"),
    )


def _login(value: dict[str, Any]) -> dict[str, Any]:
    if "password" not in value:
        return {}
    password = parse_secret_reference(value["password"])
    return {"login": BasicLogin(username=value.get("username", _GIT_USER), password=password)}
