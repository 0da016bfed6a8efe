"""The way to the gateway as the settings describe it, before anything is connected."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path

import pytest
from gateway.examples import URL, words_of
from gateway.test_trust import PASSWORD, write_client

from reconciler.errors import CredentialError, InputError
from reconciler.gateway import GatewayAccess, open_access
from reconciler.model.gateway_settings import ClientCertificate, GatewaySettings
from reconciler.model.secret_reference import SecretReference

PROXY = "http://proxy.example:3128"
SECRET = "robot:pa:ss-5ec2e7"


def access(
    settings: GatewaySettings, *, root: Path = Path("nowhere"), environ: Mapping[str, str] | None = None
) -> GatewayAccess:
    return open_access(settings, root=root, environ=environ or {})


def proxied(reference: str | None = None) -> GatewaySettings:
    credentials = None if reference is None else SecretReference.parse(reference)
    return GatewaySettings(url=URL, proxy=PROXY, proxy_credentials=credentials)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        pytest.param("http://gateway.example:8043", "https", id="plain-http"),
        pytest.param("gateway.example:8043", "https", id="no-scheme"),
        pytest.param("https://", "host", id="no-host"),
        pytest.param("https://gateway.example:port", "not a URL", id="port-is-no-number"),
        pytest.param("https://me:hunter2@gateway.example", "user", id="password"),
        pytest.param("https://gateway.example/?hunter2", "query", id="query"),
        pytest.param("https://gateway.example/#hunter2", "fragment", id="fragment"),
    ],
)
def test_a_url_that_no_guid_may_be_sent_to_is_refused(url: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        access(GatewaySettings(url=url))

    assert "https://host:port" in caught.value.hint
    assert "hunter2" not in words_of(caught.value)


@pytest.mark.parametrize(
    "proxy",
    [
        "https://proxy.example:3128",
        "socks5://proxy.example:1080",
        "proxy.example:3128",
        "http://proxy.example",
        "http://:3128",
        "http://proxy.example:0",
        "http://proxy.example:99999",
        "http://me:hunter2@proxy.example:3128",
        "http://proxy.example:3128/path",
        "http://[proxy.example:3128",
    ],
)
def test_a_proxy_that_is_no_plain_http_host_and_port_is_refused(proxy: str) -> None:
    with pytest.raises(InputError, match=r"^gateway\.proxy is not an http URL") as caught:
        access(GatewaySettings(url=URL, proxy=proxy))

    assert "gateway.proxy_credentials" in caught.value.hint
    assert "hunter2" not in words_of(caught.value)


def test_a_proxy_shows_its_url_and_never_its_credentials() -> None:
    opened = access(proxied("env:PROXY_LOGIN"), environ={"PROXY_LOGIN": SECRET})

    assert opened.proxy is not None
    assert str(opened.proxy) == PROXY
    assert b64decode(opened.proxy.authorization.removeprefix("Basic ")).decode() == SECRET
    assert opened.proxy.authorization not in repr(opened)


def test_a_proxy_without_credentials_sends_none() -> None:
    opened = access(proxied())

    assert opened.proxy is not None
    assert opened.proxy.authorization == ""


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        pytest.param({}, "the environment variable is not set", id="absent"),
        pytest.param({"PROXY_LOGIN": "pass-5ec2e7"}, "the secret is not user:password", id="no-colon"),
        pytest.param({"PROXY_LOGIN": ":pass-5ec2e7"}, "the secret is not user:password", id="no-user"),
    ],
)
def test_credentials_that_cannot_be_used_are_named_and_not_shown(environ: dict[str, str], words: str) -> None:
    with pytest.raises(CredentialError, match=rf"^gateway\.proxy_credentials: env:PROXY_LOGIN: {words}") as caught:
        access(proxied("env:PROXY_LOGIN"), environ=environ)

    assert "5ec2e7" not in words_of(caught.value)


def test_a_proxy_of_the_environment_is_not_looked_at() -> None:
    assert access(GatewaySettings(url=URL), environ={"HTTPS_PROXY": PROXY, "https_proxy": PROXY}).proxy is None


@pytest.mark.parametrize("reference", ["env:KEY_PASSWORD", "file:password.txt", "command:cat password.txt"])
def test_the_password_of_a_key_is_read_from_its_reference(tmp_path: Path, reference: str) -> None:
    write_client(tmp_path, password=PASSWORD)
    (tmp_path / "password.txt").write_text(f"{PASSWORD}\n")
    shown = ClientCertificate(certificate="client.pem", key="client.key", password=SecretReference.parse(reference))
    settings = GatewaySettings(url=URL, client_certificate=shown)

    access(settings, root=tmp_path, environ={"KEY_PASSWORD": PASSWORD, "PATH": "/usr/bin:/bin"})


def test_a_password_that_is_not_there_is_named_by_its_setting_and_reference(tmp_path: Path) -> None:
    write_client(tmp_path, password=PASSWORD)
    shown = ClientCertificate(
        certificate="client.pem", key="client.key", password=SecretReference.parse("env:KEY_PASSWORD")
    )

    with pytest.raises(CredentialError, match=r"^gateway\.client_certificate\.password: env:KEY_PASSWORD"):
        access(GatewaySettings(url=URL, client_certificate=shown), root=tmp_path)
