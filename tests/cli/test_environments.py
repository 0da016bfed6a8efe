"""`environments`: which of a repository's environments there are, and which a change touches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.checkout import Checkout
from support.site import Ended, run_in

from reconciler.report import github_matrix, gitlab_pipeline, slugs
from reconciler.schemas import schema_text


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Three environments, on a branch of their own."""
    made = Checkout(tmp_path / "work")
    for name in ("east", "west", "far/north"):
        made.write({f"desired/{name}/site.yaml": "name: x\n", f"desired/{name}/agents/fleet.yaml": "agents: {}\n"})
    made.write({"README.md": "read me", "desired/.hidden/site.yaml": "name: x\n"})
    made.commit("Begin")
    made.git("checkout", "--quiet", "-b", "mine")
    return made


def listed(checkout: Checkout, *arguments: str) -> Ended:
    return run_in(checkout.top, "environments", *arguments)


def touched(checkout: Checkout) -> list[str]:
    ended = listed(checkout, "--changed-since", "main")
    assert ended.code == 0, ended.err
    return ended.out.splitlines()


def test_every_directory_with_a_site_file_is_listed_in_order(checkout: Checkout) -> None:
    assert listed(checkout).out == "desired/east\ndesired/far/north\ndesired/west\n"


def test_an_environment_owns_what_is_below_it(checkout: Checkout) -> None:
    checkout.write({"desired/east/agents/site.yaml": "agents: {}\n"})

    assert listed(checkout, "desired/east").out == "desired/east\n"


def test_a_link_is_not_followed(checkout: Checkout) -> None:
    (checkout.top / "desired" / "linked").symlink_to("east")

    assert "linked" not in listed(checkout).out


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"README.md": "anew"}, [], id="a-file-outside"),
        pytest.param({"desired/east/agents/fleet.yaml": "agents: { }\n"}, ["desired/east"], id="edited"),
        pytest.param({"desired/west/agents/new.yaml": "{}"}, ["desired/west"], id="added"),
        pytest.param({"desired/new/site.yaml": "name: x\n"}, ["desired/new"], id="a-new-environment"),
        pytest.param({"desired/far/north/site.yaml": "not: [valid"}, ["desired/far/north"], id="invalid"),
    ],
)
def test_an_environment_is_touched_by_what_changes_below_it(
    checkout: Checkout, files: dict[str, str], expected: list[str]
) -> None:
    checkout.write(files)
    checkout.commit()

    assert expected == touched(checkout)


def test_an_edit_that_is_not_committed_touches_it_too(checkout: Checkout) -> None:
    checkout.write({"desired/east/agents/fleet.yaml": "agents: { }\n"})

    assert touched(checkout) == ["desired/east"]


def test_a_file_moved_from_one_environment_to_another_touches_both(checkout: Checkout) -> None:
    checkout.git("mv", "desired/east/agents/fleet.yaml", "desired/west/agents/more.yaml")
    checkout.commit()

    assert touched(checkout) == ["desired/east", "desired/west"]


def test_a_removed_file_touches_its_environment(checkout: Checkout) -> None:
    checkout.git("rm", "--quiet", "desired/east/agents/fleet.yaml")
    checkout.commit()

    assert touched(checkout) == ["desired/east"]


def test_an_environment_that_is_gone_is_told_and_not_listed(checkout: Checkout) -> None:
    checkout.git("rm", "--quiet", "-r", "desired/west")
    checkout.commit()

    ended = listed(checkout, "--changed-since", "main", "--json")

    assert ended.document["environments"] == []
    assert ended.document["removed"] == ["desired/west"]
    assert "gone, and its records stay as they are: desired/west" in ended.err


def test_the_document_keeps_to_its_schema_and_names_the_commit(checkout: Checkout) -> None:
    checkout.write({"desired/far/north/site.yaml": "name: y\n"})

    document = listed(checkout, "--changed-since", "main", "--json").document

    jsonschema.validate(document, json.loads(schema_text("environments")))
    assert document["commit"] == checkout.git("rev-parse", "main")
    row = {"environment": "desired/far/north", "slug": "desired-far-north"}
    assert document["matrix"] == {"include": [row]}


def test_a_failure_is_a_document_of_the_same_schema(checkout: Checkout) -> None:
    ended = listed(checkout, "--changed-since", "nowhere", "--json")

    jsonschema.validate(ended.document, json.loads(schema_text("environments")))
    assert ended.code == 3


def test_githubs_matrix_is_one_line(checkout: Checkout) -> None:
    checkout.write({"desired/east/site.yaml": "name: y\n"})

    out = listed(checkout, "--changed-since", "main", "--format", "github").out

    assert out.count("\n") == 1
    assert json.loads(out) == {"include": [{"environment": "desired/east", "slug": "desired-east"}]}


def test_gitlabs_child_pipeline_has_a_job_for_each_environment(checkout: Checkout) -> None:
    checkout.write({"desired/east/site.yaml": "name: y\n", "desired/west/site.yaml": "name: y\n"})

    pipeline = json.loads(listed(checkout, "--changed-since", "main", "--format", "gitlab").out)

    rows = [{"ENVIRONMENT": f"desired/{name}", "SLUG": f"desired-{name}"} for name in ("east", "west")]
    job = {"extends": ".plan-site", "parallel": {"matrix": rows}}
    assert pipeline == {"include": [{"local": "/.gitlab/plan-site.yml"}], "plan 1": job}


def test_gitlabs_pipeline_of_nothing_has_a_job_that_does_nothing(checkout: Checkout) -> None:
    pipeline = json.loads(listed(checkout, "--changed-since", "main", "--format", "gitlab").out)

    assert list(pipeline) == ["nothing-changed"]


def test_what_gitlab_does_not_take_as_one_matrix_becomes_several() -> None:
    paths = [f"desired/site-{number:03}" for number in range(401)]

    pipeline = gitlab_pipeline(paths, names=slugs(paths), include="/x.yml", job=".x")

    jobs: list[Any] = [job for name, job in pipeline.items() if name != "include"]
    sizes = [len(job["parallel"]["matrix"]) for job in jobs]
    assert sizes == [200, 200, 1]


def test_more_than_a_github_matrix_holds_is_refused_with_the_way_out(checkout: Checkout) -> None:
    checkout.write({f"desired/more/{number}/site.yaml": "name: x\n" for number in range(256)})

    ended = listed(checkout, "--format", "github")

    assert ended.code == 3
    assert "259 environments are more than the 256" in ended.err
    assert len(listed(checkout).out.splitlines()) == 259


@pytest.mark.parametrize("name", ["$CI_JOB_TOKEN", "a b", "a;id", "-rf", "a`id`", "ünder", 'a"b', "a\nb"])
def test_a_name_that_a_host_or_a_shell_could_take_for_more_is_refused(checkout: Checkout, name: str) -> None:
    checkout.write({f"desired/{name}/site.yaml": "name: x\n"})

    ended = listed(checkout)

    assert (ended.code, ended.out) == (3, "")
    assert "more than a CI host can be handed" in ended.err


@pytest.mark.parametrize("root", ["nowhere", "README.md", "desired/east/agents"])
def test_a_place_without_environments_is_a_mistake(checkout: Checkout, root: str) -> None:
    assert listed(checkout, root).code == 3


parts = st.text("ab-", min_size=1, max_size=3).filter(lambda text: not text.startswith("-"))
names = st.lists(parts, min_size=1, max_size=3).map("/".join)


@given(paths=st.sets(names, max_size=8).map(sorted))
def test_no_two_environments_have_one_slug(paths: list[str]) -> None:
    found = slugs(paths)

    assert len(set(found.values())) == len(paths)
    assert all("/" not in slug for slug in found.values())
    assert github_matrix(paths, names=found)["include"] == [{"environment": p, "slug": found[p]} for p in paths]
