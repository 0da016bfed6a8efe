"""Values that hold secrets."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module

from rich.pretty import pretty_repr

import reconciler
from reconciler.model.agent import AgentId
from reconciler.model.session import Session
from reconciler.values import Struct


def structs() -> Iterator[type[Struct]]:
    """Walk every class of values of the package."""
    for module in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
        if module.name != "reconciler.__main__":
            found = vars(import_module(module.name)).values()
            yield from (each for each in found if isinstance(each, type) and issubclass(each, Struct))


def hidden_by(value: type[Struct]) -> set[str]:
    return set(inspect.getclosurevars(value.__repr__).nonlocals.get("hidden", ()))


def test_what_a_repr_hides_is_a_field_of_its_class() -> None:
    hiding = {each: hidden_by(each) for each in structs() if inspect.isfunction(each.__repr__)}
    assert len(hiding) >= 20
    assert {each: names for each, names in hiding.items() if not names <= set(each.__struct_fields__)} == {}


def test_a_repr_shows_all_but_what_it_hides() -> None:
    session = Session(agent=AgentId(1001), guid="0123", cookies={"name": "value"}, key="login-1")
    assert repr(session) == "Session(agent=1001, key='login-1')"


def test_rich_is_shown_no_more_than_a_repr_shows() -> None:
    session = Session(agent=AgentId(1001), guid="0123", cookies={"name": "value"})
    assert pretty_repr([session]) == repr([session])
    assert {each for each in structs() if each.__rich_repr__ is not Struct.__rich_repr__} == set()
