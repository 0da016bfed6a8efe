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
from reconciler.cli.streams import write
from reconciler.model.agent import AgentRange, parse_agent_ranges
from reconciler.model.channel import Channel
from reconciler.model.site import CallnumsKey
from reconciler.simulator import ChannelMode, RehearsalSettings, Spelling, run

_FILE = click.Path(path_type=Path, dir_okay=False)

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


def _note_json(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click calls it
    invocation_of(ctx).as_json |= value


@click.command
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8043, show_default=True, help="The port; 0 takes any free one."
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
@click.option("--guid-ttl", type=SpanType(), help="How long a Guid is good for; for ever, unless given.")
@click.option("--latency", type=SpanType(), default="0s", show_default=True, help="The time before each answer.")
@click.option("--fault", "faults", multiple=True, help="A fault, such as retcode:100-003 (repeatable).")
@click.option(
    "--control", is_flag=True, help="Also serve /rehearsal/: live values, counts, sign-in, sign-out, skills and faults."
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
def command(
    *,
    host: str,
    port: int,
    agents: tuple[tuple[AgentRange, ...], ...],
    skills: tuple[_Skills, ...],
    sessions_out: Path | None,
    sessions_in: Path | None,
    ca_out: Path | None,
    callnums_key: str,
    spelling: str,
    channel_mode: str,
    guid_ttl: float | None,
    latency: float,
    faults: tuple[str, ...],
    control: bool,
) -> int:
    """Serve a rehearsal CC-Gateway over HTTPS on this machine, until it is told to end.

    It answers `setcallnumsbymediatype` as the API reference says, with a throw-away CA of its own. Once it listens it
    prints one line of JSON with its url, port and files, so that scripts need not guess. It is the same with
    --json, which makes only a refusal a document too.
    """
    settings = RehearsalSettings(
        host=host,
        port=port,
        agents=tuple(agent for spans in agents for span in spans for agent in span),
        skills=_add_up(skills),
        sessions_out=sessions_out,
        sessions_in=sessions_in,
        ca_out=ca_out,
        callnums_key=callnums_key,
        spelling=spelling,
        channel_mode=channel_mode,
        guid_ttl=guid_ttl,
        latency=latency,
        control=control,
        faults=faults,
    )
    run(settings, announce=_announce)
    return 0


def _add_up(skills: Iterable[_Skills]) -> dict[int, frozenset[int]]:
    added: dict[int, frozenset[int]] = {}
    for spans, media_types in skills:
        for agent in (agent for span in spans for agent in span):
            added[agent] = added.get(agent, frozenset()) | media_types
    return added


def _announce(facts: Mapping[str, object]) -> None:
    write(sys.stdout, json.dumps(dict(facts)) + "\n")
