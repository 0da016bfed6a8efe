"""What may stand in `state.remote`, `state.ref` and `state.url`, by backend.

Rules of this file: a user name or password in an address is refused and never shown; plain HTTP leads to this machine
only; nothing that a program could take for an option or a command of its own passes.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from reconciler.desired.site.addresses import check_prefix, split_url
from reconciler.model.loopback import is_loopback
from reconciler.model.states_away import ObjectKind

# As text: what is needed of them is compiled then, and for most sites nothing is.
_REMOTE_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_SSH = r"[A-Za-z0-9][A-Za-z0-9._-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[A-Za-z0-9._~/][A-Za-z0-9._~/-]*"
_SSH_USER = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_REF_PART = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_BUCKET = r"[A-Za-z0-9][A-Za-z0-9._-]{0,221}"
_KEY_PART = r"[A-Za-z0-9._=-]{1,255}"
_MIN_REF_PARTS = 3


def check_git_remote(text: str) -> None:
    """Accept the name of a remote, or the URL of a repository.

    Raises:
        ValueError: it is neither; the message says why, without the text.
    """
    if re.fullmatch(_REMOTE_NAME, text) or re.fullmatch(_SSH, text):
        return
    scheme = text.partition("://")[0]
    match scheme:
        case "https" | "http":
            check_prefix(_plain_only_here(split_url(text, "https", "http")))
        case "ssh":
            _check_ssh(text)
        case "file":
            if not re.fullmatch(r"file:///[^\x00-\x1f?#]+", text):
                raise ValueError("behind file:// stands an absolute path")
        case _:
            raise ValueError("it must be the name of a remote, or a URL with https://, ssh:// or file://")


def check_git_ref(text: str) -> None:
    """Accept the full name of a ref.

    Raises:
        ValueError: it is none that Git would take.
    """
    parts = text.split("/")
    well_formed = all(re.fullmatch(_REF_PART, part) and not part.endswith((".", ".lock")) for part in parts)
    if parts[0] != "refs" or len(parts) < _MIN_REF_PARTS or not well_formed or ".." in text:
        raise ValueError("it must be the full name of a ref, such as refs/reconciler/demo")


def normalise_state_url(url: str) -> str:
    """Return `url` of a state server.

    Raises:
        ValueError: it is not a URL a state may be sent to; the message says why, without the URL.
    """
    _plain_only_here(split_url(url, "https", "http"))
    return url


def parse_object_url(url: str) -> tuple[ObjectKind, str, str]:
    """Return the kind of store, the bucket and the object's name of a URL such as `s3://states/demo.json`.

    Raises:
        ValueError: it is none; the message says why.
    """
    parts = urlsplit(url) if url.isascii() and url.isprintable() else SplitResult("", "", "", "", "")
    if parts.scheme not in set(ObjectKind):
        raise ValueError("it must begin with s3://, gs:// or az://")
    if not re.fullmatch(_BUCKET, parts.netloc):
        raise ValueError("behind :// stands the name of a bucket or container, and nothing else")
    key = parts.path.removeprefix("/")
    if parts.query or parts.fragment or not all(map(_is_key_part, key.split("/"))):
        raise ValueError("behind the bucket stands the object's name, such as /contact-centre/demo.json")
    return ObjectKind(parts.scheme), parts.netloc, key


def _is_key_part(part: str) -> bool:
    return re.fullmatch(_KEY_PART, part) is not None and part not in {".", ".."}


def _plain_only_here(parts: SplitResult) -> SplitResult:
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError("it must begin with https://; plain http:// is for localhost only")
    return parts


def _check_ssh(url: str) -> None:
    parts = urlsplit(url)
    if parts.username is not None and not re.fullmatch(_SSH_USER, parts.username):
        raise ValueError("its user is malformed")
    if parts.password is not None:
        raise ValueError("it holds a password; remove it")
    check_prefix(split_url(f"ssh://{parts.netloc.rpartition('@')[2]}{parts.path}", "ssh"))
