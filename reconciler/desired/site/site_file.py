"""What site.yaml says, in typed values.

Rules of this file: the schema has the first word; what it cannot say (a URL's parts, the longest duration, a range's
direction) is checked here on whatever is there, and a `Site` is built only from a document without any problem.
Defaults are the model's own: what is not written is not passed on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from reconciler.desired.reading.marks import YamlDocument
from reconciler.desired.site.gateway_settings import CHECKS as GATEWAY_CHECKS
from reconciler.desired.site.gateway_settings import build_gateway, contradictions
from reconciler.desired.site.guardrail_settings import build_guardrails
from reconciler.desired.site.session_settings import build_session_use, build_sessions, session_checks
from reconciler.desired.site.state_settings import build_state, check_default_ref, state_checks
from reconciler.desired.wording import show
from reconciler.model.agent import AgentRange
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.diagnostic import Diagnostic
from reconciler.model.site import OnAgentRemoval, OnChannelRemoval, RetcodeClass, Site

_URLS = frozenset({"url", "proxy"})
_DURATIONS = frozenset({"timeout", "max_age", "run_deadline"})


def check_site(document: YamlDocument, reported: set[str]) -> Iterator[Diagnostic]:
    """Report what the schema cannot see, except at the pointers `reported` already."""
    sections = (session_checks(_at(document.value, ("sessions",))), state_checks(_at(document.value, ("state",))))
    for tokens, parse in (*GATEWAY_CHECKS, *chain(*sections)):
        value = _at(document.value, tokens)
        if isinstance(value, str) and f"/{'/'.join(tokens)}" not in reported:
            yield from _check(document, tokens, value, parse)
    yield from contradictions(document)
    yield from check_default_ref(document)
    yield from _check_spans(document, reported)


def _check_spans(document: YamlDocument, reported: set[str]) -> Iterator[Diagnostic]:
    where = ("guardrails", "protected", "agents")
    spans = _at(document.value, where)
    for index, span in enumerate(spans if isinstance(spans, list) else ()):
        tokens: tuple[str | int, ...] = (*where, index)
        if isinstance(span, str) and f"/{'/'.join(where)}/{index}" not in reported:
            yield from _check(document, tokens, span, AgentRange.parse)


def _check(
    document: YamlDocument, tokens: tuple[str | int, ...], value: str, parse: Callable[[str], object]
) -> Iterator[Diagnostic]:
    try:
        parse(value)
    except ValueError as exc:
        if tokens[-1] in _URLS:
            code, summary = "invalid-url", f"{tokens[-1]}: {exc}"
        elif tokens[-1] in _DURATIONS:
            code, summary = "out-of-range", f"{tokens[-1]} is {show(value)}; {exc}"
        elif isinstance(tokens[-1], int):
            code, summary = "invalid-agent-id", f"{exc}"
        else:  # a secret may stand there by mistake, so the value is not shown
            code, summary = "wrong-format", f"{tokens[-1]}: {exc}"
        mark = document.value_mark(tokens)
        yield document.file.problem(code, summary, mark=mark, tokens=tokens)


def _at(value: Any, tokens: tuple[str, ...]) -> Any:
    for token in tokens:
        value = value.get(token) if isinstance(value, dict) else None
    return value


def build_site(value: dict[str, Any]) -> Site:
    """Return the settings of a site.yaml that nothing is wrong with."""
    settings: dict[str, Any] = {"name": value["name"], "gateway": build_gateway(value["gateway"])}
    if "on_channel_removal" in value:
        settings["on_channel_removal"] = OnChannelRemoval(value["on_channel_removal"])
    if "on_agent_removal" in value:
        settings["on_agent_removal"] = OnAgentRemoval(value["on_agent_removal"])
    if "reset" in value:
        settings["reset"] = _reset(value["reset"])
    return Site(
        **settings,
        state=build_state(value.get("state", {})),
        sessions=build_sessions(value.get("sessions", {})),
        session_use=build_session_use(value.get("sessions", {})),
        guardrails=build_guardrails(value.get("guardrails", {})),
        retcodes={code: RetcodeClass(kind) for code, kind in sorted(value.get("retcodes", {}).items())},
    )


def _reset(value: dict[str, Any]) -> Concurrency:
    return Concurrency.of(value["total"], {Channel.from_label(k): n for k, n in value["channels"].items()})
