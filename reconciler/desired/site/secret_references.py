"""References to secrets, as they stand in site.yaml.

Rule of this file: what a reference is made of is loaded for a site that has one, which few need to be looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.model.secret_reference import SecretReference

OBJECT_SECRETS = (
    *("access_key_id", "secret_access_key", "session_token"),
    *("service_account_key", "account_key", "sas_token"),
)
"""What the section `state` calls the secrets of an object store, of whichever kind."""


def parse_secret_reference(text: str) -> SecretReference:
    """Return the reference that `text` writes down.

    Raises:
        ValueError: it is none; the sentence says what to write and repeats nothing.
    """
    from reconciler.model.secret_reference import SecretReference  # noqa: PLC0415 - see above

    return SecretReference.parse(text)
