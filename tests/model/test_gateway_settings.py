from __future__ import annotations

import math
from typing import Any

import pytest
from support.fleets import URL

from reconciler.model.gateway_settings import ClientCertificate, GatewaySettings
from reconciler.model.secret_reference import SecretReference

REFERENCE = SecretReference.parse("env:SECRET")


@pytest.mark.parametrize("seconds", [0, -1, True, "30m", math.nan, math.inf], ids=repr)
def test_a_deadline_that_is_none_is_refused(seconds: Any) -> None:
    with pytest.raises(ValueError, match=r"run_deadline is .*, not a number above 0"):
        GatewaySettings(url=URL, run_deadline=seconds)


def test_without_a_deadline_there_is_none() -> None:
    assert GatewaySettings(url=URL).run_deadline is None


def test_a_certificate_cannot_be_both_unchecked_and_checked_against_an_authority() -> None:
    with pytest.raises(ValueError, match="insecure and ca_file contradict each other"):
        GatewaySettings(url=URL, insecure=True, ca_file="ca.pem")


def test_credentials_need_a_proxy() -> None:
    with pytest.raises(ValueError, match="proxy_credentials are for a proxy"):
        GatewaySettings(url=URL, proxy_credentials=REFERENCE)


def test_settings_show_where_a_secret_is_and_never_more() -> None:
    command = SecretReference.parse("command:fetch hunter2")
    shown = ClientCertificate(certificate="client.pem", key="client.key", password=command)
    settings = GatewaySettings(url=URL, client_certificate=shown, proxy="http://proxy:3128", proxy_credentials=command)

    assert "hunter2" not in repr(settings)
