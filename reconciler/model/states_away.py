"""What keeps a site's state away from its machine, as the `state` section of `site.yaml` says: one class per backend.

Paths are kept as written; a secret never stands here, only a reference to where it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.model.state_settings import LocalState
from reconciler.values import Struct, field

if TYPE_CHECKING:  # most states have no secret
    from reconciler.model.secret_reference import SecretReference

JOURNAL_DIRECTORY = ".reconciler"
DEFAULT_REFS = "refs/reconciler/"
"""Where the refs of sites are, each under the site's name."""


class BasicLogin(Struct, frozen=True, kw_only=True):
    """A user name, and where the password or token that goes with it is."""

    username: str
    password: SecretReference


class GitState(Struct, frozen=True, kw_only=True):
    """The state as the tip of a ref of its own in a Git repository; its commits are its history."""

    remote: str = "origin"
    """A remote of the repository that holds the environment, by name; or a URL."""
    ref: str | None = None
    """The full name of the ref; `None`: `refs/reconciler/` and the site's name."""
    login: BasicLogin | None = None
    """For https; `None` leaves it to Git's own credential helpers, to ssh and to the checkout."""
    journal: str = JOURNAL_DIRECTORY
    """The directory on this machine for the journals of runs."""


class ObjectKind(StrEnum):
    """The kinds of object store, as their URLs begin."""

    S3 = "s3"
    """Amazon S3 and what speaks like it, such as OBS and MinIO."""
    GCS = "gs"
    AZURE = "az"


class ObjectState(Struct, frozen=True, kw_only=True):
    """The state as an object in a bucket; beside it, with `.lock` behind its name, its lock."""

    kind: ObjectKind
    bucket: str
    """The bucket, or the container."""
    key: str
    """The object's name in it, without a slash at either end."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Settings of the store that are no secrets: `region`, `endpoint`, `account`, `addressing`."""
    secrets: Mapping[str, SecretReference] = field(default_factory=dict)
    """Where its secrets are, by their names in site.yaml; none leaves it to the environment and the machine."""
    ca_file: str | None = None
    """PEM file of the authorities to trust; `None` means the machine's own."""
    journal: str = JOURNAL_DIRECTORY
    """The directory on this machine for the journals of runs."""

    def __str__(self) -> str:
        """Return the URL, such as `s3://states/demo.json`."""
        return f"{self.kind}://{self.bucket}/{self.key}"


class HttpState(Struct, frozen=True, kw_only=True):
    """The state behind the HTTP protocol that GitLab-managed states and Terraform's HTTP servers speak."""

    url: str
    update_method: str = "POST"
    lock_url: str | None = None
    """`None`: the same as `url`."""
    lock_method: str = "LOCK"
    unlock_url: str | None = None
    """`None`: the same as `lock_url`."""
    unlock_method: str = "UNLOCK"
    login: BasicLogin | None = None
    ca_file: str | None = None
    """PEM file of the authorities to trust; `None` means the machine's own."""
    timeout: float = 10.0
    """Seconds one request may take in all; above 0."""
    retries: int = 2
    """How often a request is repeated that met a server in trouble."""
    journal: str = JOURNAL_DIRECTORY
    """The directory on this machine for the journals of runs."""


StateSettings = LocalState | GitState | ObjectState | HttpState
"""Wherever it is: a closed family, and whoever handles it ends with `assert_never`."""
