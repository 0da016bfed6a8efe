"""An environment as commands use it: read, checked, with its paths resolved and its state at hand.

Rules of this file: a path is shown as the user named it, and a selection that can only be a mistake is refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.failures import InvalidFilesError
from reconciler.cli.meanwhile import meanwhile
from reconciler.cli.report_targets import spare_inputs
from reconciler.desired import load
from reconciler.errors import UsageError
from reconciler.model.agent import AgentId
from reconciler.model.desired import Desired
from reconciler.model.diagnostic import Diagnostic
from reconciler.values import Struct, replace

if TYPE_CHECKING:  # a look at files alone needs neither
    from reconciler.model.plan import Scope
    from reconciler.model.state import State


_SHOWN_NAMES = 12
_USUAL = Path("desired")
"""Where a repository keeps its environments."""


class Environment(Struct, frozen=True, kw_only=True):
    """A valid environment."""

    root: Path
    """The directory as given."""
    desired: Desired
    warnings: tuple[Diagnostic, ...]
    """With paths as seen from where the command runs."""

    @property
    def name(self) -> str:
        """The directory as given, as text."""
        return self.root.as_posix()

    def path(self, relative: str) -> Path:
        """Return a path of `site.yaml`, which is relative to the environment's directory."""
        return self.root / relative


def open_environment(root: Path, *, strict: bool = False, allow_empty: bool = False) -> Environment:
    """Read the environment at `root`.

    Raises:
        InvalidFilesError: something in its files is wrong; all of it is told.
        UsageError: `root` holds environments and is none itself, or a report would overwrite a file that it uses.
    """
    with contextlib.suppress(OSError):  # what cannot be looked at, `load` says
        _refuse_parent(root)
    with meanwhile("reading", "files") as work:
        loaded = load(root, strict=strict, allow_empty=allow_empty, tell=work.tell)
    diagnostics = seen_from_here(root, loaded.diagnostics)
    if loaded.desired is None:
        raise InvalidFilesError(diagnostics)
    opened = Environment(root=root, desired=loaded.desired, warnings=diagnostics)
    spare_inputs(root, loaded.desired.site)
    return opened


def seen_from_here(root: Path, diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the diagnostics with paths that a terminal or an editor can open."""
    return tuple(replace(each, path=(root / each.path).as_posix()) for each in diagnostics)


def check_scope(scope: Scope, desired: Desired, state: State) -> None:
    """Refuse a selection that names nobody: a mistyped team must not look like a team without changes.

    Raises:
        UsageError: a team or an agent range is neither desired nor recorded.
    """
    from reconciler.planning import in_scope  # noqa: PLC0415 - as at the top

    known = {side.team for agents in (desired.agents, state.agents) for side in agents.values() if side.team}
    for team in scope.teams:
        if team not in known:
            raise UsageError(f"no agent of team {team!r} is desired or recorded", hint=_nearest(team, known))
    agents: set[AgentId] = {*desired.agents, *state.agents}
    for flag, spans in (("--agent", scope.agents), ("--exclude-agent", scope.excluded)):
        for span in spans:
            if not any(agent in agents for agent in span):
                raise UsageError(f"no agent of {span} is desired or recorded", hint=f"check the number after {flag}")
    if scope.partial and not any(
        in_scope(scope, agent, desired.agents.get(agent), state.agents.get(agent)) for agent in agents
    ):
        raise UsageError("the selection leaves nobody", hint="its flags narrow one another; take one away")


def _listed(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = len(names) - _SHOWN_NAMES
    return ", ".join([*names[:_SHOWN_NAMES], *([f"and {more} more"] if more > 0 else [])])


def _nearest(team: str, known: set[str]) -> str:
    if "," in team:
        return "give --team once for each team"
    from difflib import get_close_matches  # noqa: PLC0415 - only a slip of the keyboard needs it

    near = get_close_matches(team, sorted(known), n=1)
    return f"did you mean {near[0]!r}?" if near else f"teams are: {_listed(sorted(known)) or 'none'}"


def _refuse_misspelt(root: Path) -> None:
    """Refuse a directory that is not there by naming the environments that may be meant, if there are any."""
    usual = _USUAL / root
    if (usual / "site.yaml").exists():
        raise UsageError(f"{root.as_posix()} does not exist", hint=f"did you mean {usual.as_posix()}?")
    beside = sorted(path.parent.as_posix() for path in root.parent.glob("*/site.yaml"))
    if beside:
        from difflib import get_close_matches  # noqa: PLC0415 - only a slip of the keyboard needs it

        near = get_close_matches(root.as_posix(), beside, n=1) or (beside if len(beside) == 1 else [])
        hint = f"did you mean {near[0]}?" if near else f"name one of the environments there are: {_listed(beside)}"
        raise UsageError(f"{root.as_posix()} does not exist", hint=hint)


def _refuse_parent(root: Path) -> None:
    if not root.exists() and Path("site.yaml").exists():
        raise UsageError(
            f"{root.as_posix()} does not exist", hint="this directory is an environment itself: name it as ."
        )
    if not root.exists():
        _refuse_misspelt(root)
    if (root / "site.yaml").exists() or not root.is_dir():
        return
    inside = sorted(path.parent.as_posix() for path in root.glob("*/site.yaml"))
    if inside:
        raise UsageError(
            f"{root.as_posix()} has no site.yaml; it holds the environments {_listed(inside)}",
            hint=f"name one of them, such as {inside[0]}",
        )
