"""A reviewed plan is applied although much has happened to the files since: what would be sent is the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.checkout import Checkout
from support.rehearsal import RehearsalServer
from support.site import Ended, Site

EVERYBODY = ["1001", "1002", "1003", "1004", "1005"]


def called(server: RehearsalServer) -> list[str]:
    """Return whose values the gateway has."""
    return sorted(server.call(lambda gateway: gateway.agents_document()))


@pytest.fixture
def checkout(site: Site) -> Checkout:
    """A repository with the environment in it, on a branch `mine` that changes a value."""
    made = Checkout(site.work)
    made.write({".gitignore": "*.json\n*.pem\n*.json.*\n*.lock\n", "README.md": "Ours.\n"})
    made.commit("Begin")
    made.git("checkout", "--quiet", "-b", "mine")
    site.edit("fleet.yaml", "web_chat: 6", "web_chat: 5")
    made.commit("Mine")
    return made


@pytest.fixture
def plan(site: Site, checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plan that was reviewed on that branch."""
    del checkout
    file = tmp_path_factory.mktemp("artifacts") / "plan.json"
    assert site.run("plan", "demo", "--out", str(file)).code == 0
    return file


def apply(site: Site, plan: Path, *flags: str) -> Ended:
    return site.run("apply", "demo", "--plan", str(plan), *flags)


def others_commit(checkout: Checkout) -> None:
    """Let somebody else commit to main meanwhile: a page, and a comment in the environment."""
    checkout.git("checkout", "--quiet", "main")
    site_file = checkout.top / "demo" / "site.yaml"
    checkout.write({"README.md": "Everybody's.\n", "demo/site.yaml": f"# Ask us first.\n{site_file.read_text()}"})
    checkout.commit("Theirs")


def merged(checkout: Checkout) -> None:
    others_commit(checkout)
    checkout.git("merge", "--quiet", "--no-ff", "--message", "Merge mine", "mine")


def rebased(checkout: Checkout) -> None:
    others_commit(checkout)
    checkout.git("checkout", "--quiet", "mine")
    checkout.git("rebase", "--quiet", "main")


def squashed(checkout: Checkout) -> None:
    others_commit(checkout)
    checkout.git("merge", "--quiet", "--squash", "mine")
    checkout.commit("Mine, in one")


def moved(checkout: Checkout) -> None:
    (checkout.top / "demo" / "teams").mkdir()
    checkout.git("mv", "demo/fleet.yaml", "demo/teams/east.yml")
    checkout.commit("Move")


def split(checkout: Checkout) -> None:
    (checkout.top / "demo" / "fleet.yaml").unlink()
    checkout.write(
        {
            "demo/profiles.yaml": "profiles:\n  chat: {total: 12, channels: {web_chat: 5, sms: 4}}\n",
            "demo/b.yaml": "team: night\nagents: {1003: {profile: chat}, 1004-1005: {profile: chat}}\n",
            "demo/a.yaml": "agents:\n  1002:\n    channels: {whatsapp: 2}\n    profile: chat\n    team: east\n"
            "  1001: {team: east, total: 12, channels: {sms: 4, web_chat: 5}}\n",
        }
    )
    checkout.commit("Split")


REFORMATTED = """\
# The fleet, as a formatter left it.
agents:
  "1003-1005":
    team: night
    profile: chat
  1002: {channels: {whatsapp: 2}, profile: chat}   # she does WhatsApp
  1001:
    profile: chat


profiles: {"chat": {"channels": {"sms": 4, "web_chat": 5}, "total": 12}}
team: east
"""


def reformatted(checkout: Checkout) -> None:
    checkout.write({"demo/fleet.yaml": REFORMATTED})
    checkout.commit("Reformat")


def team_renamed(checkout: Checkout) -> None:
    fleet = checkout.top / "demo" / "fleet.yaml"
    fleet.write_text(fleet.read_text().replace("team: east", "team: day"))
    checkout.commit("Rename")


def paced(checkout: Checkout) -> None:
    site_file = checkout.top / "demo" / "site.yaml"
    site_file.write_text(site_file.read_text().replace("requests_per_second: 1000", "requests_per_second: 500"))
    checkout.commit("Slow down")


@pytest.mark.parametrize(
    "happens",
    [merged, rebased, squashed, moved, split, reformatted, team_renamed, paced],
    ids=lambda deed: deed.__name__,
)
def test_a_plan_stays_what_was_reviewed_when_the_files_have_been(
    site: Site, server: RehearsalServer, checkout: Checkout, plan: Path, happens: Callable[[Checkout], None]
) -> None:
    happens(checkout)

    ended = apply(site, plan)

    assert ended.code == 0, ended.err
    assert called(server) == EVERYBODY


def test_a_merge_that_brings_another_value_along_makes_it_stale(
    site: Site, server: RehearsalServer, checkout: Checkout, plan: Path
) -> None:
    checkout.git("checkout", "--quiet", "main")
    checkout.write({"demo/more.yaml": "agents: {1010: {total: 3, channels: {email: 3}}}\n"})
    checkout.commit("Theirs")
    checkout.git("merge", "--quiet", "--no-ff", "--message", "Merge mine", "mine")

    ended = apply(site, plan)

    assert ended.code == 6
    assert "+ agent 1010  set (new): total 3, email 3" in ended.err
    assert called(server) == []


def test_what_another_run_did_to_others_does_not_make_a_partial_plan_stale(
    site: Site, server: RehearsalServer, tmp_path: Path
) -> None:
    plan = tmp_path / "east.json"
    assert site.run("plan", "demo", "--team", "east", "--out", str(plan)).code == 0
    assert site.run("apply", "demo", "--team", "night", "--yes").code == 0
    assert called(server) == ["1003", "1004", "1005"]

    ended = apply(site, plan)

    assert ended.code == 0, ended.err
    assert called(server) == EVERYBODY


def test_what_is_done_already_is_left_out_if_that_is_accepted(
    site: Site, server: RehearsalServer, checkout: Checkout, plan: Path
) -> None:
    del checkout
    assert site.run("apply", "demo", "--agent", "1001", "--yes").code == 0
    refused, accepted = apply(site, plan), apply(site, plan, "--allow-shrink")

    assert (refused.code, accepted.code) == (6, 0)
    assert "less than reviewed" in accepted.out
    assert server.call(lambda gateway: gateway.requests_document())["total"] == len(EVERYBODY)
