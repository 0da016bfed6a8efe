"""A plan limited by a revision, applied after the merge has moved history on."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.checkout import Checkout
from support.rehearsal import RehearsalServer
from support.site import Site


def called(server: RehearsalServer) -> list[str]:
    """Return whose values the gateway has."""
    return sorted(server.call(lambda gateway: gateway.agents_document()))


@pytest.fixture
def reviewed(site: Site, tmp_path: Path) -> Path:
    """A plan of one agent's change, made on a branch that is merged since."""
    checkout = Checkout(site.work)
    site.write(".gitignore", "*.json\n*.pem\n*.json.*\n")
    checkout.commit("Begin")
    checkout.git("checkout", "--quiet", "-b", "mine")
    site.edit("fleet.yaml", "whatsapp: 2", "whatsapp: 3")
    checkout.commit("Mine")
    plan = tmp_path / "plan.json"
    assert site.run("plan", "demo", "--changed-since", "main", "--out", str(plan)).code == 0
    checkout.git("checkout", "--quiet", "main")
    checkout.git("merge", "--quiet", "--no-ff", "mine")
    return plan


def test_after_the_merge_a_reviewed_plan_still_looks_at_the_agents_it_named(
    site: Site, server: RehearsalServer, reviewed: Path
) -> None:
    ended = site.run("apply", "demo", "--plan", str(reviewed))

    assert ended.code == 0, ended.err
    assert called(server) == ["1002"]


def test_an_agent_added_to_a_reviewed_selection_by_hand_is_refused(
    site: Site, server: RehearsalServer, reviewed: Path
) -> None:
    text = reviewed.read_text()
    assert '"agents": ["1002"], "everybody"' in text
    reviewed.write_text(text.replace('"agents": ["1002"], "everybody"', '"agents": ["1001-1002"], "everybody"'))

    ended = site.run("apply", "demo", "--plan", str(reviewed))

    assert ended.code == 6
    assert "+ agent 1001" in ended.err
    assert called(server) == []
