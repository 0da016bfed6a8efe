"""`reconciler simulate`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from reconciler.cli.invocation import invocation_of
from reconciler.cli.options import AgentsType, SpanType
from reconciler.cli.result import CommandResult
from reconciler.cli.streams import write
from reconciler.errors import InputError
from reconciler.model.agent import AgentRange, parse_agent_ranges
from reconciler.model.channel import Channel
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.simulator import SCENARIOS, ChannelMode, RehearsalSettings, Spelling, parse_scenario, run

_FILE = click.Path(path_type=Path, dir_okay=False)
_GRADES = """Grades: D documented in the API reference; S in the page setcallnumsbymediatype itself; C seen in public
client code; I inferred. What stands after a colon is the default, and can be another value.
"""

_Skills = tuple[tuple[AgentRange, ...], frozenset[int]]


class SkillsType(click.ParamType[_Skills]):
    """`1001-1010=web_chat,sms` as agents and the media types of their skill queues."""

    name = "IDS=CHANNELS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> _Skills:
        """Parse, or refuse with the sentence of the parser."""
        agents, equals, labels = str(value).partition("=")
        if not equals:
            self.fail(f"{value!r} is not agents and their channels, such as 1001-1010=web_chat,sms", param, ctx)
        try:
            channels = [Channel.from_label(label.strip()) for label in labels.split(",")] if labels.strip() else []
            return parse_agent_ranges(agents), frozenset(int(channel) for channel in channels)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class ScenarioType(click.ParamType[str]):
    """`slow-replies:2s`, or the name alone."""

    name = "NAME[:VALUE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check it, or refuse with the sentence of the parser and the nearest name."""
        try:
            parse_scenario(str(value))
        except InputError as error:
            self.fail(f"{error}; {error.hint}", param, ctx)
        return str(value)


class CookieType(click.ParamType[tuple[str, str]]):
    """`SERVERID=n1` as a cookie's name and value."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Divide at the first `=`; whether a cookie can look so is the rehearsal's to say."""
        name, equals, content = str(value).partition("=")
        if not equals:
            self.fail("it is not a cookie, such as SERVERID=n1", param, ctx)
        return name, content


def _note_json(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click calls it
    invocation_of(ctx).as_json |= value


@click.command
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    default=8043,
    show_default=True,
    help="The port; 0 takes any free one.",
)
@click.option(
    "--sign-in",
    "agents",
    type=AgentsType(),
    multiple=True,
    help="Agents signed in at the start: 1001-1060 (repeatable).",
)
@click.option(
    "--skills",
    type=SkillsType(),
    multiple=True,
    help="The only skill queues these agents have: 1001-1010=web_chat,sms, or 1001= for none (repeatable).",
)
@click.option("--sessions-out", type=_FILE, help="Keep their sessions in this file, for `sessions: {source: file}`.")
@click.option("--sessions-in", type=_FILE, help="Accept the sessions of this file.")
@click.option("--ca-out", type=_FILE, help="Write the throw-away CA's certificate here, for `gateway.ca_file`.")
@click.option(
    "--callnums-key",
    type=click.Choice([str(key) for key in CallnumsKey]),
    default=str(CallnumsKey.CAMEL),
    show_default=True,
    help="The spelling it understands.",
)
@click.option(
    "--spelling",
    type=click.Choice([str(mode) for mode in Spelling]),
    default=str(Spelling.STRICT),
    show_default=True,
    help="What the other spelling gets: a refusal, or a 0 that is acknowledged.",
)
@click.option(
    "--channel-mode",
    type=click.Choice([str(mode) for mode in ChannelMode]),
    default=str(ChannelMode.MERGE),
    show_default=True,
    help="Whether channels a call leaves out are kept or dropped.",
)
@click.option(
    "--scenario",
    "scenarios",
    type=ScenarioType(),
    multiple=True,
    help="A bad day or an odd gateway, such as guid-rotation or slow-replies:2s (repeatable).",
)
@click.option("--list-scenarios", is_flag=True, help="Print the scenarios there are, and serve nothing.")
@click.option("--guid-ttl", type=SpanType(), help="How long a Guid is good for; for ever, unless given.")
@click.option("--latency", type=SpanType(), default="0s", show_default=True, help="The time before each answer.")
@click.option(
    "--fault", "faults", metavar="[WHEN=]EFFECT", multiple=True, help="A fault, such as retcode:100-003 (repeatable)."
)
@click.option("--passwords-in", type=_FILE, help='Agents\' passwords, {"1001": "..."}; the others sign in with any.')
@click.option(
    "--node",
    metavar="NAME",
    help="Its name as a node of a cluster: Guids end in it, and signing in gives a cookie of it.",
)
@click.option(
    "--session-cookie",
    "session_cookies",
    type=CookieType(),
    multiple=True,
    help="A front's cookie, written beside each Guid in --sessions-out: SERVERID=n1 (repeatable).",
)
@click.option(
    "--control", is_flag=True, help="Also serve /rehearsal/: live values, counts, sign-in, skills, faults, scenarios."
)
@click.option(
    "--json",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    hidden=True,
    callback=_note_json,
    help="Changes nothing while it serves, for it speaks JSON anyway; a refusal becomes a document too.",
)
def command(*, list_scenarios: bool, **options: Any) -> int | CommandResult:
    """Serve a rehearsal CC-Gateway over HTTPS on this machine, until it is told to end.

    It answers `setcallnumsbymediatype`, and signing in and out, as the API reference says, with a throw-away CA of its
    own. Once it listens it prints one line of JSON with its url, port and files, so that scripts need not guess. It is
    the same with --json, which makes only a refusal a document too.
    """
    if list_scenarios:
        return CommandResult(
            command="simulate",
            text=_scenario_table,
            sections=lambda: {"scenarios": [scenario.document() for scenario in SCENARIOS]},
        )
    run(_settings(**options), announce=_announce)
    return 0


def _settings(
    *,
    agents: tuple[tuple[AgentRange, ...], ...],
    skills: tuple[_Skills, ...],
    session_cookies: tuple[tuple[str, str], ...],
    **rest: Any,
) -> RehearsalSettings:
    """Return the settings; an option that needs no adding up has the name of its setting."""
    return RehearsalSettings(
        agents=tuple(agent for spans in agents for span in spans for agent in span),
        skills=_add_up(skills),
        session_cookies=dict(session_cookies),
        **rest,
    )


def _scenario_table() -> str:
    lines = []
    for document in (scenario.document() for scenario in SCENARIOS):
        parameter = document["parameter"]
        default = f":{parameter['default']}" if isinstance(parameter, dict) else ""
        lines.append(f"{document['name']}{default}")
        lines.append(f"  {document['description']}")
        lines.append(f"  ({document['grade']}) {document['source']}")
    return "".join(f"{line}\n" for line in [*lines, ""]) + _GRADES


def _add_up(skills: Iterable[_Skills]) -> dict[int, frozenset[int]]:
    added: dict[int, frozenset[int]] = {}
    for spans, media_types in skills:
        for agent in (agent for span in spans for agent in span):
            added[agent] = added.get(agent, frozenset()) | media_types
    return added


def _announce(facts: Mapping[str, object]) -> None:
    write(sys.stdout, json.dumps(dict(facts)) + "\n")
