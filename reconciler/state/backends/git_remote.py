"""Which repository a state is pushed to, and with whose credentials.

Rules of this file: a remote that is named is one of the repository the environment is in, with the credentials of that
checkout: what CI hosts leave in its configuration or in the address is taken over. A secret comes out in `config` only,
which goes to Git through the environment; the address never holds one.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from reconciler.errors import StateError
from reconciler.git import checkout_around, plain_environment
from reconciler.model.loopback import is_loopback
from reconciler.state.backends.git_program import run_git
from reconciler.values import Struct, replace, repr_without

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_SCP = re.compile(r"[^/:]+:(?!//)")
_TAKEN_OVER = re.compile(r"(http|credential|url|ssh)\.|core\.sshcommand$", re.ASCII)
"""Settings of a checkout that are about reaching its remotes."""


class GitRemote(Struct, frozen=True, kw_only=True):
    """A repository that can be pushed to."""

    name: str
    """As the user wrote it."""
    url: str
    config: tuple[tuple[str, str], ...] = ()
    """Settings for reaching it, secrets included."""

    __repr__ = repr_without("config")


def find_remote(
    remote: str, *, root: Path, environ: Mapping[str, str], login: tuple[str, str] | None = None
) -> GitRemote:
    """Return the repository that `remote` means.

    Args:
        remote: the name of a remote, or a URL.
        root: the environment's directory.
        environ: the environment variables.
        login: user name and password to use instead of the checkout's own.

    Raises:
        StateError: there is no such remote, or the login would cross a network in the clear.
    """
    around = plain_environment(environ)
    if not _NAME.fullmatch(remote):
        outside = {**around, "GIT_DIR": os.devnull}  # nothing of the checkout is taken over, so it is not asked either
        return _reached(GitRemote(name=remote, url=remote), login, root=root, environ=outside)
    root = checkout_around(root)
    found = run_git(["remote", "get-url", "--push", remote], cwd=root, environ=around)
    if found.code != 0:
        raise StateError(
            f"the environment is in no Git repository with a remote {remote!r}: {found.reason}",
            hint="set state.remote in site.yaml to the name of a remote, or to the URL of a repository; a checkout "
            "that belongs to another user has to be named in Git's safe.directory",
        )
    url = _absolute(found.out.decode("utf-8", "replace").strip(), root, around)
    config = () if login is not None else _taken_over(root, around)
    return _reached(GitRemote(name=remote, url=url, config=config), login, root=root, environ=around)


def _absolute(url: str, root: Path, environ: Mapping[str, str]) -> str:
    """Return a path as an absolute one: it is relative to the checkout, where Git will not be run."""
    if "://" in url or _SCP.match(url) or url.startswith("/"):
        return url
    top = run_git(["rev-parse", "--show-toplevel"], cwd=root, environ=environ).out.decode("utf-8", "replace").strip()
    return str(Path(top) / url)


def _taken_over(root: Path, environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    listed = run_git(["config", "--local", "--includes", "--list", "-z"], cwd=root, environ=environ)
    entries = (entry.partition("\n") for entry in listed.out.decode("utf-8", "replace").split("\0"))
    return tuple((key, value) for key, _, value in entries if _TAKEN_OVER.match(key))


def _reached(remote: GitRemote, login: tuple[str, str] | None, *, root: Path, environ: Mapping[str, str]) -> GitRemote:
    """Return `remote` with what it takes to reach it, and with an address that names nobody."""
    parts = urlsplit(remote.url) if remote.url.lower().startswith(("https://", "http://")) else None
    if parts is None:
        return remote
    host = parts.netloc.rpartition("@")[2]
    plain = replace(remote, url=parts._replace(netloc=host).geturl())
    if login is not None:
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise StateError(
                f"the remote {remote.name!r} is reached over plain http, where anybody on the way could read the "
                "password",
                hint="give it an address with https://, or take state.password out of site.yaml",
            )
        return _with_login(plain, login, at=f"{parts.scheme}://{host}")
    if parts.username is None:
        return remote
    user = unquote(parts.username)
    if parts.password is None and _sends_a_login(remote.url, root=root, environ=environ):
        return remote  # a CI host has left its header for this very address, the name in it included
    if parts.password is None and _asks(plain.url, root=root, environ=environ):
        # A name without a password is for whoever keeps the password: a credential helper looks it up by that name.
        return replace(plain, config=(*plain.config, (f"credential.{parts.scheme}://{host}.username", user)))
    return _with_login(plain, (user, unquote(parts.password or "")), at=f"{parts.scheme}://{host}")


def _with_login(remote: GitRemote, login: tuple[str, str], *, at: str) -> GitRemote:
    """Return `remote` with the login as the only header of its kind, for its host and for no other."""
    header = base64.b64encode(":".join(login).encode()).decode("ascii")
    config = (
        (f"http.{at}/.extraHeader", ""),  # forgets those that others have set: a server takes one login, or none
        (f"http.{at}/.extraHeader", f"Authorization: Basic {header}"),
        ("http.followRedirects", "false"),
        ("credential.helper", ""),
    )
    return replace(remote, config=(*remote.config, *config))


def _asks(url: str, *, root: Path, environ: Mapping[str, str]) -> bool:
    """Tell whether Git has anybody here to ask for a password."""
    if environ.get("GIT_ASKPASS") or environ.get("SSH_ASKPASS"):
        return True
    named = run_git(["config", "--get", "core.askPass"], cwd=root, environ=environ).out.strip()
    return bool(named or _setting("credential.helper", url, root=root, environ=environ))


def _sends_a_login(url: str, *, root: Path, environ: Mapping[str, str]) -> bool:
    """Tell whether the last header that is set for `url` is a login; any other says nothing of a password."""
    return _setting("http.extraHeader", url, root=root, environ=environ).lower().startswith(b"authorization:")


def _setting(key: str, url: str, *, root: Path, environ: Mapping[str, str]) -> bytes:
    return run_git(["config", "--get-urlmatch", key, url], cwd=root, environ=environ).out.strip()
