"""Scenarios by name, made into rules and faults and put on a gateway.

Rules of this file: no I/O. Scenarios combine unless two of them want one rule otherwise, which is refused by name; a
rule that a scenario sets wins over what the rules had before.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.errors import InputError
from reconciler.simulator.faults import Fault, parse_fault
from reconciler.simulator.gateway import Gateway
from reconciler.simulator.rules import Rules
from reconciler.simulator.scenario import Given, Scenario
from reconciler.simulator.scenarios import SCENARIOS
from reconciler.values import Struct, replace

_LONGEST_SHOWN = 60
_BY_NAME: Mapping[str, Scenario] = {scenario.name: scenario for scenario in SCENARIOS}


class Part(Struct, frozen=True, kw_only=True):
    """A scenario with its parameter filled in."""

    text: str
    """As it could have been asked for: `slow-replies:2s`."""
    description: str
    rules: Mapping[str, Any]
    faults: tuple[Fault, ...]


def parse_scenario(text: str) -> Part:
    """Return the scenario that `text` names, `NAME` or `NAME:PARAMETER`.

    Raises:
        InputError: there is no such scenario, or it takes no such parameter.
    """
    name, colon, argument = text.partition(":")
    scenario = _BY_NAME.get(name)
    if scenario is None:
        near = difflib.get_close_matches(name[:_LONGEST_SHOWN].lower(), _BY_NAME, n=1)
        guess = f"did you mean {near[0]}? " if near else ""
        raise InputError(
            f"there is no scenario {_shown(name)}",
            hint=f"{guess}`reconciler simulate --list-scenarios` shows them all",
        )
    if scenario.parameter is None:
        if colon:
            raise InputError(
                f"the scenario {_shown(text)} cannot be used: {name} takes no parameter", hint=f"write {name}"
            )
        return _fill(scenario, text, value=None)
    argument = argument if colon else scenario.parameter.default
    try:
        value = scenario.parameter.parse(argument)
    except ValueError as exc:
        raise InputError(
            f"the scenario {_shown(text)} cannot be used: {exc}",
            hint=f"for example {name}:{scenario.parameter.default}",
        ) from exc
    return _fill(scenario, f"{name}:{argument}", value=value)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")


def _fill(scenario: Scenario, text: str, *, value: Any) -> Part:
    shown = f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
    rules = {
        name: wanted if not isinstance(wanted, Given) else value if wanted.times == 1 else value * wanted.times
        for name, wanted in scenario.rules.items()
    }
    return Part(
        text=text,
        description=scenario.description.format(value=text.partition(":")[2]),
        rules=rules,
        faults=tuple(parse_fault(fault.format(value=shown)) for fault in scenario.faults),
    )


def stage(rules: Rules, parts: Sequence[Part]) -> Rules:
    """Return `rules` as all these scenarios together want them.

    Raises:
        InputError: two of them want one rule otherwise, or the rules make no gateway.
    """
    wanted: dict[str, Any] = {}
    wanted_by: dict[str, str] = {}
    for part in parts:
        for name, value in part.rules.items():
            if name in wanted and wanted[name] != value:
                raise InputError(
                    f"the scenarios {wanted_by[name]} and {part.text} contradict each other: both set {name}",
                    hint="leave one of them out",
                )
            wanted[name], wanted_by[name] = value, part.text
    return replace(rules, **wanted)


class Stage:
    """The scenarios that one gateway plays."""

    def __init__(self, gateway: Gateway) -> None:
        """Begin with none, and with the rules that the gateway has now."""
        self._gateway = gateway
        self._rules = gateway.rules
        self._parts: tuple[Part, ...] = ()

    def play(self, texts: Iterable[str]) -> None:
        """Play these scenarios from now on, beside those that are played; one that is played already is left alone.

        Raises:
            InputError: a scenario cannot be used, or contradicts another one; nothing has changed.
        """
        known = {part.text for part in self._parts}
        parts = tuple({part.text: part for part in map(parse_scenario, texts) if part.text not in known}.values())
        rules = stage(self._rules, (*self._parts, *parts))
        self._gateway.set_rules(rules)
        for part in parts:
            self._gateway.faults.add(part.faults)
        self._parts += parts

    def stop(self) -> None:
        """Play none of them any more: rules are as they were at first, faults of scenarios are gone, others stay."""
        self._gateway.faults.drop([fault for part in self._parts for fault in part.faults])
        self._gateway.set_rules(self._rules)
        self._parts = ()

    def document(self) -> list[dict[str, str]]:
        """Return what is played, as JSON values, in the order in which it began."""
        return [{"scenario": part.text, "description": part.description} for part in self._parts]
