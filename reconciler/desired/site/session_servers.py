"""What the `sessions` section of site.yaml says of a server that is asked for sessions, in typed values.

Rule of this file: as for the section as a whole, what is built is what nothing is wrong with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from reconciler.desired.reading.marks import YamlDocument
from reconciler.desired.site.durations import parse_duration
from reconciler.desired.site.sections import parse_secret_reference, parsed, written
from reconciler.desired.site.session_addresses import normalise_broker_url, parse_redis_url
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.loopback import is_loopback
from reconciler.model.session_servers import (
    AgentTemplate,
    FieldPerAgent,
    HashFields,
    HashPerAgent,
    HttpMethod,
    HttpSessions,
    KeyPerAgent,
    RedisLayout,
    RedisSessions,
)
from reconciler.model.sign_in_settings import AuthMode, KeepAlive, SignInSessions


def server_checks(value: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Callable[[str], object]]]:
    """Yield what the schema cannot say of the section `value`: each place, and what its text is read with."""
    for key in ("key", "field"):
        yield ("sessions", key), _template
    match value:
        case {"source": "redis"}:
            yield ("sessions", "url"), parse_redis_url
            yield ("sessions", "hash"), _shared_name
            yield ("sessions", "ca_file"), lambda _: _require_tls(value.get("url"))
        case {"source": "http"}:
            yield ("sessions", "url"), normalise_broker_url


def advise_redis(document: YamlDocument) -> Iterator[Diagnostic]:
    """Warn of a Redis server whose sessions cross a network for everybody to read.

    Args:
        document: site.yaml, found valid, whose sessions a Redis server has.
    """
    address = parse_redis_url(document.value["sessions"]["url"])
    if not address.tls and not is_loopback(address.host):
        tokens = ("sessions", "url")
        yield document.file.problem(
            "sessions-not-encrypted",
            "sessions come from another machine without TLS: every Guid, and the password, can be read on the way",
            mark=document.value_mark(tokens),
            tokens=tokens,
            detail="begin the URL with rediss://, if the server offers TLS",
            severity=Severity.WARNING,
        )


def build_server(value: dict[str, Any]) -> RedisSessions | HttpSessions | SignInSessions:
    """Return the server that the section describes."""
    match value["source"]:
        case "redis":
            return _redis(value)
        case "http":
            return _http(value)
    return _sign_in(value)


def _redis(value: dict[str, Any]) -> RedisSessions:
    return RedisSessions(
        address=parse_redis_url(value["url"]),
        layout=_layout(value),
        **written(value, "username", "ca_file", "client_name"),
        **parsed(value, parse_duration, "timeout"),
        **parsed(value, parse_secret_reference, "password"),
    )


def _layout(value: dict[str, Any]) -> RedisLayout:
    if "hash" in value:
        return FieldPerAgent(hash=value["hash"], **parsed(value, _template, "field"))
    if "fields" in value:
        return HashPerAgent(key=_template(value["key"]), fields=HashFields(**value["fields"]))
    return KeyPerAgent(key=_template(value["key"]))


def _http(value: dict[str, Any]) -> HttpSessions:
    return HttpSessions(
        url=normalise_broker_url(value["url"]),
        **written(value, "ca_file"),
        **parsed(value, HttpMethod, "method"),
        **parsed(value, parse_duration, "timeout"),
        **parsed(value, parse_secret_reference, "token"),
    )


def _sign_in(value: dict[str, Any]) -> SignInSessions:
    return SignInSessions(
        credentials=parse_secret_reference(value["credentials"]),
        auth_mode=AuthMode(value.get("auth_mode", AuthMode.DYNAMIC)),
        **written(value, "force"),
        **parsed(value, KeepAlive, "keep_alive"),
        **parsed(value, parse_duration, "timeout"),
    )


def _require_tls(url: object) -> None:
    if isinstance(url, str) and url.lower().startswith("redis:"):
        raise ValueError("it goes with rediss://; over redis:// no certificate is checked")


def _shared_name(text: str) -> None:
    if "{agent}" in text:
        raise ValueError("all agents share this hash; a template for each agent's own is written as key, with fields")


def _template(text: str) -> AgentTemplate:
    return AgentTemplate(text=text)
