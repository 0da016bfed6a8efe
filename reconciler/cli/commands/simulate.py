"""`reconciler simulate`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from reconciler.cli.options import AgentsType, SpanType
from reconciler.cli.streams import write
from reconciler.model.agent import AgentRange
from reconciler.model.site import CallnumsKey
from reconciler.simulator import ChannelMode, RehearsalSettings, Spelling, run

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8043, show_default=True, help="The port; 0 takes any free one."
)
@click.option("--sign-in", "agents", type=AgentsType(), default=(), help="Agents signed in at the start: 1001-1060.")
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
@click.option("--control", is_flag=True, help="Also serve /rehearsal/: live values, counts, sign-in and sign-out.")
def command(
    *,
    host: str,
    port: int,
    agents: tuple[AgentRange, ...],
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
    prints one line of JSON with its url, port and files, so that scripts need not guess.
    """
    settings = RehearsalSettings(
        host=host,
        port=port,
        agents=tuple(agent for span in agents for agent in span),
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


def _announce(facts: Mapping[str, object]) -> None:
    write(sys.stdout, json.dumps(dict(facts)) + "\n")
