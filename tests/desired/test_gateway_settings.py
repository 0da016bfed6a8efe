"""The `gateway` section of site.yaml, in typed values."""

from __future__ import annotations

from pathlib import Path

import pytest
from desired.environments import AGENT, write

from reconciler.desired import load
from reconciler.desired.site.gateway_settings import normalise_proxy
from reconciler.model.diagnostic import Severity
from reconciler.model.gateway_settings import ClientCertificate, GatewaySettings
from reconciler.model.secret_reference import SecretReference
from reconciler.model.site import RetcodeClass, Site

CORPUS = Path(__file__).parent / "corpus" / "valid"
URL = "https://gateway.example:8043"


def site_of(root: Path) -> Site:
    desired = load(root).desired
    assert desired is not None
    return desired.site


def test_every_setting_of_the_network_arrives() -> None:
    site = site_of(CORPUS / "site-gateway-network")

    assert site.gateway == GatewaySettings(
        url="https://[::1]:8043",
        ca_file="ca.pem",
        client_certificate=ClientCertificate(
            certificate="client.pem", key="client.key", password=SecretReference.parse("command:pass show gateway")
        ),
        proxy="http://proxy.example:3128",
        proxy_credentials=SecretReference.parse("file:/run/secrets/proxy"),
        run_deadline=1800.0,
    )
    assert site.retcodes == {"http-401": RetcodeClass.REREAD_SESSION}


def test_a_key_without_a_file_of_its_own_stands_with_its_certificate(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "site.yaml": f"name: test\ngateway: {{url: {URL}, client_certificate: {{certificate: both.pem}}}}\n",
            "fleet.yaml": AGENT,
        },
    )

    assert site_of(tmp_path).gateway.client_certificate == ClientCertificate(certificate="both.pem", key="both.pem")


@pytest.mark.parametrize(
    ("strict", "severity"), [(False, Severity.WARNING), (True, Severity.ERROR)], ids=["usually", "strictly"]
)
def test_a_certificate_that_is_not_checked_is_said_and_strictly_refused(strict: bool, severity: Severity) -> None:
    loaded = load(CORPUS / "warn-certificate-not-checked", strict=strict)

    (told,) = loaded.diagnostics
    assert (told.code, told.severity) == ("certificate-not-checked", severity)
    assert (loaded.desired is None) is strict


def test_insecure_false_is_no_reason_to_warn_and_goes_with_a_ca_file(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"site.yaml": f"name: test\ngateway: {{url: {URL}, insecure: false, ca_file: ca.pem}}\n", "fleet.yaml": AGENT},
    )

    assert load(tmp_path).diagnostics == ()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("http://proxy.example:3128/", "http://proxy.example:3128"),
        ("http://[::1]:3128", "http://[::1]:3128"),
        ("http://192.0.2.1:80", "http://192.0.2.1:80"),
    ],
)
def test_a_proxy_is_a_host_and_a_port(url: str, expected: str) -> None:
    assert normalise_proxy(url) == expected


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://proxy.example:3128", "http://"),
        ("socks5://proxy.example:1080", "http://"),
        ("http://proxy.example", "no port"),
        ("http://proxy.example:0", "port"),
        ("http://proxy.example:65536", "port"),
        ("http://proxy.example:3128/x", "path"),
        ("http://robot:hunter2@proxy.example:3128", "password"),
        ("http://proxy.example:3128?x", "query"),
        ("http://[bad:3128", "host"),
        ("http://pro xy:3128", "characters"),
    ],
)
def test_a_proxy_that_is_something_else_is_refused_without_showing_it(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        normalise_proxy(url)
    assert "hunter2" not in str(caught.value)
