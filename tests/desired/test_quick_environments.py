"""Whole environments, read once entry by entry and once as they stand: the same problems, agents and places.

Nothing of ours is replaced: which way an environment is read depends on how many characters of fleet come before.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from random import Random

import pytest
from desired.environments import write
from desired.odd_fleets import environment
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from reconciler.desired import Loaded, bounds, load, validation
from reconciler.desired.fleet import quick_fleet
from reconciler.desired.fleet.alike import Alike, Columns
from reconciler.desired.fleet.declarations import FleetFile
from reconciler.desired.fleet.fleet_reading import FleetReading, read_fleet
from reconciler.desired.fleet.late_cutter import FEW
from reconciler.desired.fleet.quick_fleet import Cutter
from reconciler.desired.fleet.resolution import resolve
from reconciler.desired.reading import yaml_reader
from reconciler.desired.reading.source_file import SourceFile
from reconciler.desired.validation import validator_for
from reconciler.model.ordering import by_agent

EXAMPLES = 20_000 if os.environ.get("TORTURE") else 200
FLEET = validator_for("fleet")
FIRST = "0.yaml"
"""Read before all others."""


def story(loaded: Loaded) -> tuple[object, ...]:
    """Everything that can be known of an environment, in an order of its own."""
    if loaded.desired is None:
        return (loaded.diagnostics,)
    declared = {agent: (each.source, dict(each.origins)) for agent, each in loaded.desired.declared.items()}
    return loaded.diagnostics, loaded.desired.site, list(by_agent(loaded.desired.agents).items()), declared


def require_told_alike(root: Path, files: dict[str, str], *, strict: bool = False) -> None:
    """Hold the quick way to the plain way, over a whole environment."""
    assert sum(map(len, files.values())) < FEW - 100
    plain = load(write(root, {**files, FIRST: "profiles: {}\n"}), strict=strict)
    quick = load(write(root, {**files, FIRST: f"profiles: {{}}\n{'#' * FEW}\n"}), strict=strict)
    assert story(plain) == story(quick)


def limit(patch: pytest.MonkeyPatch, problems: int) -> None:
    """Let so many problems of a file be told one by one, and so many wrong entries be explained at once."""
    for module in (bounds, validation, yaml_reader, quick_fleet):
        patch.setattr(module, "MAX_PROBLEMS", problems)
    patch.setattr(validation, "_AT_ONCE", problems)


AGENTS = "agents:\n" + "".join(f"  {agent}: {{total: 5}}\n" for agent in range(1001, 1006))
BLAMED = {
    "second-section": f"{AGENTS}team: x\nagents:\n  1003: {{total: 5, total: 5}}\n",
    "second-section-of-others": f"{AGENTS}team: x\nagents:\n  9999: {{total: 5, total: 5}}\n",
    "key-that-is-a-mapping": f"{AGENTS}team: x\n? {{agents: {{1003: {{total: 5, total: 5}}}}}}\n: x\n",
}
"""Texts in which a problem elsewhere bears the name of an entry that is fine."""


@pytest.mark.parametrize("text", BLAMED.values(), ids=BLAMED)
def test_an_entry_is_blamed_for_what_bears_its_name_either_way(text: str, tmp_path: Path) -> None:
    require_told_alike(tmp_path, {"fleet.yaml": text})


@pytest.mark.parametrize("wrong", ["{total: 61}", "{total: 5.0}", "{total: 5, total: 5}", "", "{profile: nobody}"])
@pytest.mark.parametrize("every", [1, 2, 3, 7])
def test_as_much_is_told_and_as_much_counted_either_way(
    wrong: str, every: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch, 10)
    bodies = [wrong if number % every == 0 else "{total: 5, channels: {sms: 9}}" for number in range(90)]
    agents = "".join(f"  {1001 + number}: {body}\n" for number, body in enumerate(bodies))
    require_told_alike(tmp_path, {"fleet.yaml": f"agents:\n{agents}"})


def test_the_same_names_are_looked_for_either_way_where_many_are_unknown(tmp_path: Path) -> None:
    agents = "".join(f"  {1001 + number}: {{profile: n{number}}}\n" for number in range(250))
    profiles = "profiles:\n  n: {total: 5, channels: {sms: 1}}\n  n24: {extends: n}\n  n00: {extends: n}\n"
    require_told_alike(tmp_path, {"fleet.yaml": f"agents:\n{agents}", "profiles.yaml": profiles})


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_whatever_is_written_is_told_alike_either_way(seed: int, tmp_path: Path) -> None:
    random = Random(seed)  # noqa: S311 - a seed that can be told, not a secret
    files = environment(random)
    assume(sum(map(len, files.values())) < FEW - 100)
    shutil.rmtree(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        limit(patch, random.choice([1, 3, 10, bounds.MAX_PROBLEMS]))
        require_told_alike(tmp_path, files, strict=random.random() < 0.1)


PROFILES = read_fleet(
    "profiles.yaml",
    "profiles:\n  odd: {total: 3, channels: {sms: 9}}\n  p: {total: 9, channels: {sms: 9}}\n",
    schema=FLEET,
)
NOTHING = FleetFile(profiles=(), declarations=(), problems=(), complete=True, mentions_agents=True)


def said_by_each(profile: str, agents: range) -> FleetReading:
    """Return a file that declares each of these agents with a text of its own, all about one profile."""
    cut = Cutter(FLEET.accepts).cut(f"agents:\n  101: {{profile: {profile}}}\n  102: {{profile: {profile}}}\n")
    assert cut is not None
    (model,) = cut.models.values()
    texts = [f" {{profile: {profile}, team: t{agent}}}" for agent in agents]
    columns = Columns(marks=[0] * len(agents), quotes=[""] * len(agents), firsts=agents, lasts=agents, texts=texts)
    alike = Alike(file=SourceFile.of("a.yaml", ""), team=None, columns=columns, models=dict.fromkeys(texts, model))
    return FleetReading(file=NOTHING, problems=(), alike=alike)


def test_fifty_thousand_texts_about_an_odd_profile_are_looked_for_in_one_pass() -> None:
    readings = [PROFILES, said_by_each("odd", range(100_000, 150_000))]
    begin = time.process_time()
    resolution = resolve(readings, complete=True)
    assert time.process_time() - begin < 8  # quadratic takes twenty
    assert len(resolution.agents) == 50_000


def test_what_other_files_say_is_not_walked_over_for_each_file() -> None:
    small = [said_by_each("p", range(agent, agent + 1)) for agent in range(101, 2_101)]
    begin = time.process_time()
    resolution = resolve([PROFILES, said_by_each("p", range(200_000, 500_000)), *small], complete=True)
    assert time.process_time() - begin < 6  # with a walk for each it takes fifteen
    assert (len(resolution.agents), len(resolution.quiet)) == (0, 2_001)


def test_what_other_files_have_taught_is_not_walked_over_for_each_file() -> None:
    cutter = Cutter(FLEET.accepts)
    texts = [f"agents:\n  101: {{profile: p}}\n  102: {{profile: p{number}}}\n" for number in range(500)]
    cut = cutter.cut(texts[0])
    assert cut is not None
    (model, *_) = cut.models.values()
    cutter._models.update(dict.fromkeys(map(str, range(1_000_000)), model))
    begin = time.process_time()
    assert all(map(cutter.cut, texts))
    assert time.process_time() - begin < 4  # with a walk for each it takes ten
