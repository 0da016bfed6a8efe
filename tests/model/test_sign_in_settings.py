from __future__ import annotations

import math

import pytest

from reconciler.model.secret_reference import SecretReference
from reconciler.model.sign_in_settings import AuthMode, KeepAlive, SignInSessions

CREDENTIALS = SecretReference.parse("env:CREDENTIALS")


def test_by_itself_signing_in_forces_nobody_and_expects_guids_to_be_replaced() -> None:
    settings = SignInSessions(credentials=CREDENTIALS)

    assert (settings.force, settings.auth_mode, settings.keep_alive) == (False, AuthMode.DYNAMIC, KeepAlive.POLL)


@pytest.mark.parametrize("timeout", [0, -1, math.inf, math.nan])
def test_a_time_that_is_none_is_refused(timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout"):
        SignInSessions(credentials=CREDENTIALS, timeout=timeout)
