"""What the `gateway` section of site.yaml says, in typed values, and what has to be said about it.

Rule of this file: a section is checked for what the schema cannot say, and built only when nothing is wrong with it;
what is not written is the model's own default. A message never shows a URL or what may be a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from reconciler.desired.reading.marks import YamlDocument
from reconciler.desired.site.addresses import normalise_url, split_url
from reconciler.desired.site.durations import parse_duration
from reconciler.desired.site.sections import parse_secret_reference, parsed, written
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.gateway_settings import CallnumsKey, ClientCertificate, GatewaySettings

Check = tuple[tuple[str, ...], Callable[[str], object]]


def normalise_proxy(url: str) -> str:
    """Return `url`, that of a proxy, without a trailing slash.

    Raises:
        ValueError: it is not http, a host and a port alone; the message says why, without the URL.
    """
    parts = split_url(url, "http")
    if parts.path.strip("/"):
        raise ValueError("it has a path; a proxy has none")
    if parts.port is None:
        raise ValueError("it has no port; proxies have no usual one")
    return url.rstrip("/")


CHECKS: tuple[Check, ...] = (
    (("gateway", "url"), normalise_url),
    (("gateway", "proxy"), normalise_proxy),
    (("gateway", "proxy_credentials"), parse_secret_reference),
    (("gateway", "client_certificate", "password"), parse_secret_reference),
    (("gateway", "timeout"), parse_duration),
    (("gateway", "run_deadline"), parse_duration),
)
"""What the schema cannot say of the section: each place, and what its text is read with."""


def contradictions(document: YamlDocument) -> Iterator[Diagnostic]:
    """Report settings of a gateway that cannot both be meant."""
    gateway = document.value.get("gateway") if isinstance(document.value, dict) else None
    if not isinstance(gateway, dict):
        return
    if gateway.get("insecure") is True and "ca_file" in gateway:
        summary = "insecure: true takes any certificate, and ca_file says which to take"
        yield _problem(document, "insecure", "contradiction", summary, detail="remove insecure; ca_file is enough")
    if "proxy_credentials" in gateway and "proxy" not in gateway:
        summary = "proxy_credentials are for a proxy, and none is named"
        yield _problem(document, "proxy_credentials", "contradiction", summary, detail="add proxy: http://host:port")


def advise_gateway(document: YamlDocument) -> Iterator[Diagnostic]:
    """Warn of a safeguard that is off; every command that reads the site says so, every time.

    Args:
        document: site.yaml, found valid.
    """
    if document.value["gateway"].get("insecure"):
        yield _problem(
            document,
            "insecure",
            "certificate-not-checked",
            "the gateway's certificate is not checked: whoever is between can read every Guid and change every call",
            detail="name the authority that signed it as ca_file, and remove insecure",
            severity=Severity.WARNING,
        )


def _problem(document: YamlDocument, key: str, code: str, summary: str, **more: Any) -> Diagnostic:
    tokens = ("gateway", key)
    return document.file.problem(code, summary, mark=document.value_mark(tokens), tokens=tokens, **more)


def build_gateway(value: dict[str, Any]) -> GatewaySettings:
    """Return the settings of a section that nothing is wrong with."""
    settings = written(value, "ca_file", "insecure", "concurrency")
    for key, parse in _PARSED.items():
        settings |= parsed(value, parse, key)
    return GatewaySettings(**settings)


def _certificate(value: dict[str, str]) -> ClientCertificate:
    password = value.get("password")
    return ClientCertificate(
        certificate=value["certificate"],
        key=value.get("key", value["certificate"]),
        password=None if password is None else parse_secret_reference(password),
    )


_PARSED: dict[str, Callable[[Any], object]] = {
    "url": normalise_url,
    "client_certificate": _certificate,
    "proxy": normalise_proxy,
    "proxy_credentials": parse_secret_reference,
    "callnums_key": CallnumsKey,
    "requests_per_second": float,
    "timeout": parse_duration,
    "run_deadline": parse_duration,
}
