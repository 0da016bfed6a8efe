"""What the sections of site.yaml are read with: the settings that are written there, and references to secrets.

Rules of this file: a setting that is not written is left to the model's own default. What a reference is made of is
loaded for a site that has one, which few need to be looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reconciler.model.secret_reference import SecretReference

OBJECT_SECRETS = (
    *("access_key_id", "secret_access_key", "session_token"),
    *("service_account_key", "account_key", "sas_token"),
)
"""What the section `state` calls the secrets of an object store, of whichever kind."""


def written(section: dict[str, Any], *keys: str) -> dict[str, Any]:
    """Return those of these settings that the section has."""
    return {key: section[key] for key in keys if key in section}


def parsed(section: dict[str, Any], parse: Callable[[Any], object], *keys: str) -> dict[str, Any]:
    """Return likewise what they stand for.

    Raises:
        ValueError: as `parse` does.
    """
    return {key: parse(setting) for key, setting in written(section, *keys).items()}


def parse_secret_reference(text: str) -> SecretReference:
    """Return the reference that `text` writes down.

    Raises:
        ValueError: it is none; the sentence says what to write and repeats nothing.
    """
    from reconciler.model.secret_reference import SecretReference  # noqa: PLC0415 - see above

    return SecretReference.parse(text)
