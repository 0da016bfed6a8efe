"""A checkout of somebody else's branch: nothing in it is run, and nothing that is changed is overlooked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.checkout import GIT_ENVIRONMENT, Checkout
from support.site import run_in

from reconciler.errors import StateError, UsageError
from reconciler.revisions import changed_files, environment_at, find_revision
from reconciler.revisions.objects import UnreadableTreeError
from reconciler.state.backends.git_remote import find_remote

SITE = {
    "site.yaml": "name: evil\ngateway: {url: https://127.0.0.1:1}\n",
    "fleet.yaml": "agents: {1001: {total: 3, channels: {web_chat: 3}}}\n",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "checkout")


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A file that is there once something of the branch has been run."""
    return tmp_path / "run"


@pytest.fixture
def planted(checkout: Checkout, trap: Path) -> Path:
    """An environment that is, to Git, a repository of its own: all of it can be a part of a commit."""
    place = checkout.top / "desired" / "evil"
    inner = Checkout(place)
    inner.write({**SITE, ".gitattributes": "*.yaml filter=x\n"})
    inner.commit()
    for part in sorted((place / ".git").iterdir()):
        part.rename(place / part.name)
    (place / ".git").rmdir()
    spring = f"touch {trap}; cat"
    (place / "config").write_text(
        f'[core]\n bare = false\n worktree = .\n fsmonitor = "{spring}"\n sshCommand = "{spring}"\n'
        f'[filter "x"]\n clean = "{spring}"\n'
        '[remote "origin"]\n url = ssh://127.0.0.1:1/x\n'
    )
    os.utime(place / "site.yaml", (1, 1))  # so that Git would look at its content
    return place


@pytest.mark.parametrize("command", ["plan", "environments"])
def test_a_repository_within_the_checkout_is_no_repository(
    checkout: Checkout, planted: Path, trap: Path, command: str
) -> None:
    checkout.commit()
    ended = run_in(planted, command, ".", "--changed-since", "HEAD")
    assert (ended.code, trap.exists()) == (0, False)


def test_outside_a_checkout_it_is_none_either(planted: Path, tmp_path: Path, trap: Path) -> None:
    alone = planted.rename(tmp_path / "alone")
    with pytest.raises(UsageError, match="in no Git checkout"):
        find_revision("HEAD", place=alone, environ=GIT_ENVIRONMENT)
    assert not trap.exists()


def test_the_remote_of_a_state_is_not_one_that_the_branch_brings_along(planted: Path) -> None:
    with pytest.raises(StateError, match="no Git repository with a remote 'origin'"):
        find_remote("origin", root=planted, environ=GIT_ENVIRONMENT)


def test_to_look_at_a_checkout_runs_no_hook_of_it(checkout: Checkout, trap: Path) -> None:
    checkout.write(SITE)
    checkout.commit()
    hook = checkout.top / ".git" / "hooks" / "post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {trap}\n")
    hook.chmod(0o755)
    os.utime(checkout.top / "site.yaml", (1, 1))

    assert changed_files(find_revision("HEAD", place=checkout.top, environ=GIT_ENVIRONMENT)) == frozenset()
    assert not trap.exists()


@pytest.mark.parametrize(
    "name",
    [
        *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE"),
        *("GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS", "GIT_EXTERNAL_DIFF", "GIT_CONFIG"),
        *("GIT_ATTR_SOURCE", "GIT_DEFAULT_HASH", "GIT_TRACE", "GIT_TRACE2_EVENT", "GIT_PAGER", "GIT_DIFF_OPTS"),
        *("GIT_CEILING_DIRECTORIES", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE"),
    ],
)
@pytest.mark.parametrize("value", ["1", "/nonexistent"])
def test_no_variable_of_git_changes_what_is_found(checkout: Checkout, name: str, value: str) -> None:
    checkout.write(SITE)
    checkout.commit()
    checkout.write({"fleet.yaml": "# edited\n"})
    found = find_revision("HEAD", place=checkout.top, environ={**GIT_ENVIRONMENT, name: value})
    assert changed_files(found) == {checkout.top / "fleet.yaml"}


@pytest.mark.parametrize(
    "given", ["--output=x", "-h", "", "@{-1}", "HEAD^{/", ":/", "a\nb", "HEAD..HEAD", "^HEAD", "x\udcff", "@{9}", "\0"]
)
def test_what_is_no_revision_is_refused_and_never_an_option(checkout: Checkout, given: str) -> None:
    checkout.write(SITE)
    checkout.commit()
    with pytest.raises(UsageError, match="--changed-since"):
        find_revision(given, place=checkout.top, environ=GIT_ENVIRONMENT)
    assert sorted(each.name for each in checkout.top.iterdir()) == [".git", "fleet.yaml", "site.yaml"]


def test_a_work_tree_elsewhere_is_refused(checkout: Checkout, tmp_path: Path) -> None:
    checkout.write(SITE)
    checkout.commit()
    (tmp_path / "elsewhere").mkdir()
    checkout.git("config", "core.worktree", str(tmp_path / "elsewhere"))
    with pytest.raises(UsageError, match=r"elsewhere|work tree"):
        find_revision("HEAD", place=checkout.top, environ=GIT_ENVIRONMENT)


def _with_submodule(checkout: Checkout, tmp_path: Path, name: str) -> Checkout:
    other = Checkout(tmp_path / "other")
    other.write(SITE)
    other.commit()
    checkout.git("submodule", "--quiet", "add", str(other.top), name)
    checkout.commit()
    return other


@pytest.mark.parametrize("name", ["desired/south", "desired"])
def test_an_environment_in_a_submodule_is_touched_when_that_moves_on(
    checkout: Checkout, tmp_path: Path, name: str
) -> None:
    _with_submodule(checkout, tmp_path, name)
    inside = Checkout(checkout.top / name)
    inside.write({"fleet.yaml": "agents: {}\n"})
    inside.commit()
    checkout.commit("Move the submodule on")

    assert run_in(checkout.top, "environments", "--changed-since", "HEAD~1").out == f"{name}\n"
    assert run_in(checkout.top, "environments", "--changed-since", "HEAD").out == ""


def test_a_submodule_of_an_environment_is_more_than_can_be_compared(checkout: Checkout, tmp_path: Path) -> None:
    checkout.write({f"desired/{file}": text for file, text in SITE.items()})
    _with_submodule(checkout, tmp_path, "desired/more")
    revision = find_revision("HEAD", place=checkout.top / "desired", environ=GIT_ENVIRONMENT)
    with pytest.raises(UnreadableTreeError, match="submodule"), environment_at(revision, checkout.top / "desired"):
        pass
