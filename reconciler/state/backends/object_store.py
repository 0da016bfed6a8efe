"""The connection to an object store, made from what site.yaml says.

Rules of this file: what is not given is left to the environment and to the machine's role, as the provider's own tools
do; every request has an end.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, assert_never
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from reconciler.errors import StateError
from reconciler.model.states_away import ObjectKind, ObjectState

_RETRY = {"max_retries": 2, "retry_timeout": timedelta(seconds=15)}
_TIMES = {"timeout": "30s", "connect_timeout": "5s"}
_AZURE_NAMES = {"account": "account_name", "sas_token": "sas_key"}


def connect(state: ObjectState, *, secrets: Mapping[str, str], authorities: bytes | None) -> Any:
    """Return the store that holds `state`. No request is sent yet.

    Args:
        state: where it is.
        secrets: the secrets that `state.secrets` leads to, by the same names.
        authorities: PEM of the authorities to trust; `None` means the machine's own.

    Raises:
        StateError: something the library needs is missing or malformed.
    """
    endpoint = state.options.get("endpoint", "")
    client: dict[str, Any] = {**_TIMES, "allow_http": endpoint.startswith("http://")}
    if authorities is not None:
        client["root_certificate"] = authorities
    settings: dict[str, Any] = {**secrets, "client_options": client, "retry_config": _RETRY}
    try:
        return _open(state, settings)
    except (BaseError, ValueError):  # its text may repeat a secret, half of a key for instance
        raise StateError(
            f"the store of {state} cannot be opened with these settings and this environment",
            hint="look at the region, the endpoint and the credentials: those named in site.yaml, those of the "
            "environment (AWS_…, GOOGLE_…, AZURE_…) and ca_file",
        ) from None


def _open(state: ObjectState, settings: dict[str, Any]) -> Any:
    match state.kind:
        case ObjectKind.S3:
            return S3Store(state.bucket, **settings, **_s3(state))
        case ObjectKind.GCS:
            return GCSStore(state.bucket, **settings)
        case ObjectKind.AZURE:
            named = {_AZURE_NAMES.get(name, name): value for name, value in (settings | dict(state.options)).items()}
            return AzureStore(state.bucket, **named)
        case _:
            assert_never(state.kind)


def _s3(state: ObjectState) -> dict[str, Any]:
    virtual = state.options.get("addressing") == "virtual"
    found: dict[str, Any] = {"virtual_hosted_style_request": virtual}
    if "region" in state.options:
        found["region"] = state.options["region"]
    if "endpoint" in state.options:
        parts = urlsplit(state.options["endpoint"])
        host = f"{state.bucket}.{parts.netloc}" if virtual else parts.netloc
        found["endpoint"] = parts._replace(netloc=host).geturl()
    return found
