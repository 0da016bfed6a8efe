"""Arguments and options that several commands share, and the types they are parsed into."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.clock import utc_now, utc_text
from reconciler.cli.invocation import invocation_of
from reconciler.model.agent import AgentRange, parse_agent_ranges
from reconciler.model.channel import Channel

if TYPE_CHECKING:
    from reconciler.model.plan import Scope

_F = TypeVar("_F", bound=Callable[..., Any])

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class AgentsType(click.ParamType[tuple[AgentRange, ...]]):
    """`1001,1003-1050` as ranges."""

    name = "IDS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[AgentRange, ...]:
        """Parse, or refuse with the sentence of the parser."""
        try:
            return value if isinstance(value, tuple) else parse_agent_ranges(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class SpanType(click.ParamType[float]):
    """A span of time such as `90s`, `12h` or `7d`, in seconds."""

    name = "SPAN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse, or say how spans are written."""
        match = re.fullmatch(r"([0-9]{1,6})(ms|s|m|h|d)", str(value), re.ASCII)
        if match is None:
            self.fail(f"{value!r} is not a span of time such as 90s, 12h or 7d", param, ctx)
        return int(match[1]) * _UNITS[match[2]]


class DurationType(SpanType):
    """A span of time in which something can happen: above 0."""

    name = "SPAN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse, or say how it is written."""
        seconds = super().convert(value, param, ctx)
        if seconds <= 0:
            self.fail(f"{value!r} is no time at all; write a span above 0, such as 30m", param, ctx)
        return seconds


class InstantType(click.ParamType[str]):
    """An RFC 3339 time, normalised to UTC and whole seconds."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Parse, or say how times are written."""
        try:
            instant = datetime.fromisoformat(str(value))
            if instant.tzinfo is None:
                self.fail(f"{value!r} names no time zone; end it in Z for UTC", param, ctx)
            return utc_text(instant)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a time such as 2026-01-31T09:30:00Z", param, ctx)


def _note_environment(ctx: click.Context, _parameter: click.Parameter, value: Path) -> Path:
    invocation_of(ctx).environment = value.as_posix()
    return value


def _note_json(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click calls it
    invocation_of(ctx).as_json |= value


environment_argument = click.argument(
    "environment",
    default="desired",
    type=click.Path(path_type=Path),
    metavar="[ENVIRONMENT]",
    callback=_note_environment,
)
json_option = click.option(
    "--json",
    is_flag=True,
    is_eager=True,  # before what may be refused, so that the refusal is a document too
    expose_value=False,
    callback=_note_json,
    help="Print one JSON document on stdout instead of text.",
)
strict_option = click.option("--strict", is_flag=True, help="Treat warnings about the files as errors.")
allow_empty_option = click.option(
    "--allow-empty", is_flag=True, help="Accept an environment without agents (nearly always a broken checkout)."
)
allow_changes_option = click.option(
    "--allow-changes",
    type=click.IntRange(min=0),
    metavar="N",
    help="Lift the guardrails for exactly N changes; another number than the plan's is refused.",
)

deadline_option = click.option(
    "--deadline",
    type=DurationType(),
    help="Start no call any more after this time (30m, 2h); in place of gateway.run_deadline.",
)


def _together(values: tuple[tuple[AgentRange, ...], ...]) -> tuple[AgentRange, ...]:
    return tuple(sorted({span for value in values for span in value}))


def selection_options(command: _F) -> _F:
    """Add the selection flags, handed to the command as one `scope`."""

    @click.option("--team", "teams", metavar="TEAM", multiple=True, help="Only agents of this team (repeatable).")
    @click.option(
        "--agent", "agents", type=AgentsType(), multiple=True, help="Only these agents: 1001,1003-1050 (repeatable)."
    )
    @click.option(
        "--exclude-agent", "excluded", type=AgentsType(), multiple=True, help="Without these agents (repeatable)."
    )
    @click.option(
        "--channel",
        "channels",
        multiple=True,
        type=click.Choice([channel.label for channel in Channel]),
        help="Only agents with this channel, desired or recorded (repeatable).",
    )
    @functools.wraps(command)
    def with_scope(
        teams: tuple[str, ...],
        agents: tuple[tuple[AgentRange, ...], ...],
        excluded: tuple[tuple[AgentRange, ...], ...],
        channels: tuple[str, ...],
        **rest: Any,
    ) -> Any:
        from reconciler.model.plan import Scope  # noqa: PLC0415 - most commands select nobody

        chosen = tuple(sorted({Channel.from_label(label) for label in channels}))
        scope = Scope(
            teams=tuple(sorted(set(teams))),
            agents=_together(agents),
            excluded=_together(excluded),
            channels=chosen,
        )
        return command(scope=scope, **rest)

    return with_scope  # type: ignore[return-value]  # the flags are gone and the scope is there: click calls it


def reassert_options(command: _F) -> _F:
    """Add the flags that send recorded values again; with the scope they make the command's `options`."""

    @click.option(
        "--reassert",
        type=click.Choice(["in-doubt", "all"]),
        default="in-doubt",
        show_default=True,
        help="Which unchanged agents to send again.",
    )
    @click.option(
        "--reassert-older-than", "older_than", type=SpanType(), help="Also those acknowledged longer ago: 12h, 7d."
    )
    @click.option("--at", type=InstantType(), help="The time to count back from; now, unless given.")
    @click.option(
        "--sessions",
        is_flag=True,
        help="Ask the session source who is signed in; send again to those who signed in anew.",
    )
    @functools.wraps(command)
    def with_options(
        scope: Scope, reassert: str, older_than: float | None, at: str | None, *, sessions: bool, **rest: Any
    ) -> Any:
        from reconciler.model.plan import PlanOptions  # noqa: PLC0415 - as above

        if at is not None and older_than is None:
            raise click.UsageError("--at is the time that --reassert-older-than counts back from; give both")
        if older_than is not None and at is None:
            at = utc_now()
        options = PlanOptions(
            scope=scope,
            reassert_all=reassert == "all",
            reassert_older_than=older_than,
            at=at,
            sessions=sessions,
        )
        return command(options=options, **rest)

    return with_options  # type: ignore[return-value]  # as above
