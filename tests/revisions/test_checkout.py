"""Which commit to compare with, and which files differ."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.checkout import GIT_ENVIRONMENT, Checkout

from reconciler.errors import UsageError
from reconciler.revisions import changed_files, find_revision


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path / "checkout")
    made.write({"kept.yaml": "1", "gone.yaml": "1", "moved.yaml": "1", "edited.yaml": "1", ".gitignore": "ignored*\n"})
    made.commit("Begin")
    return made


def names(checkout: Checkout, since: str = "HEAD") -> list[str]:
    revision = find_revision(since, place=checkout.top, environ=GIT_ENVIRONMENT)
    return sorted(path.relative_to(revision.top).as_posix() for path in changed_files(revision))


def test_the_commit_is_the_one_where_history_parted(checkout: Checkout) -> None:
    parted = checkout.git("rev-parse", "HEAD")
    checkout.git("checkout", "--quiet", "-b", "mine")
    checkout.commit("Mine")
    checkout.git("checkout", "--quiet", "main")
    checkout.commit("Theirs")
    checkout.git("checkout", "--quiet", "mine")

    assert parted == find_revision("main", place=checkout.top, environ=GIT_ENVIRONMENT).commit


def test_a_tag_names_its_commit(checkout: Checkout) -> None:
    checkout.git("tag", "--annotate", "v1", "--message", "first")

    found = find_revision("v1", place=checkout.top, environ=GIT_ENVIRONMENT)

    assert checkout.git("rev-parse", "HEAD") == found.commit


def test_files_edited_added_removed_and_renamed_differ_under_both_names(checkout: Checkout) -> None:
    checkout.write({"edited.yaml": "2", "new.yaml": "1", "ignored.yaml": "1", "odd\nname.yaml": "1"})
    checkout.git("mv", "moved.yaml", "there.yaml")
    (checkout.top / "gone.yaml").unlink()

    expected = ["edited.yaml", "gone.yaml", "moved.yaml", "new.yaml", "odd\nname.yaml", "there.yaml"]
    assert expected == names(checkout)


def test_what_was_committed_since_differs_too(checkout: Checkout) -> None:
    checkout.write({"new.yaml": "1"})
    checkout.commit("Go on")

    assert names(checkout, since="HEAD~1") == ["new.yaml"]
    assert names(checkout) == []


def test_variables_of_a_hook_lead_nowhere_else(checkout: Checkout, tmp_path: Path) -> None:
    other = Checkout(tmp_path / "other")
    other.commit("Elsewhere")
    around = {**GIT_ENVIRONMENT, "GIT_DIR": str(other.top / ".git"), "GIT_WORK_TREE": str(other.top)}

    found = find_revision("HEAD", place=checkout.top, environ=around)

    assert checkout.git("rev-parse", "HEAD") == found.commit


def test_a_program_named_for_differences_in_the_checkout_is_not_run(checkout: Checkout, tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    checkout.write({".gitattributes": "*.yaml diff=planted\n", "edited.yaml": "2"})
    checkout.git("config", "diff.planted.command", f"touch {planted};:")
    checkout.git("config", "diff.planted.textconv", f"touch {planted};:")

    assert {"edited.yaml"} < {*names(checkout)}
    assert not planted.exists()


def test_a_repository_without_a_commit_has_nothing_to_compare(tmp_path: Path) -> None:
    empty = Checkout(tmp_path / "empty")

    with pytest.raises(UsageError, match="no revision"):
        find_revision("HEAD", place=empty.top, environ=GIT_ENVIRONMENT)


def test_without_git_it_says_what_to_install(checkout: Checkout, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="git cannot be started") as caught:
        find_revision("HEAD", place=checkout.top, environ={"PATH": str(tmp_path)})
    assert "install Git" in caught.value.hint
