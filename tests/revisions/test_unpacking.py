"""An environment read from Git's objects, which whoever could push has written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.checkout import GIT_ENVIRONMENT, Checkout

from reconciler.revisions import Revision, UnreadableTreeError, environment_at, find_revision, unpacking

SITE = b"name: demo\ngateway: {url: https://gateway.example:8043}\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path / "checkout")
    (made.top / "desired").mkdir()
    made.commit("Begin")
    return made


def revision_of(checkout: Checkout, desired: str, *, mode: str = "40000") -> Revision:
    """Commit a tree that holds `desired` and nothing else, and go on from it."""
    commit = checkout.commit_tree(checkout.tree((mode, b"desired", desired)))
    checkout.git("update-ref", "HEAD", commit)
    return find_revision("HEAD", place=checkout.top, environ=GIT_ENVIRONMENT)


def laid_out(revision: Revision) -> dict[str, str]:
    """Return what the environment held: the text of each file, and `-> target` of each link."""
    with environment_at(revision, revision.top / "desired") as root:
        assert root is not None
        return {
            path.relative_to(root).as_posix(): f"-> {path.readlink()}" if path.is_symlink() else path.read_text()
            for path in sorted(root.rglob("*"))
            if path.is_symlink() or path.is_file()
        }


def test_only_what_an_environment_is_made_of_is_laid_out(checkout: Checkout) -> None:
    blob = checkout.blob(SITE)
    below = checkout.tree(("100755", b"east.YML", blob), ("100644", b"notes.txt", blob))
    tree = checkout.tree(
        ("40000", b".hidden", below), ("100644", b".secret.yaml", blob), ("40000", b"agents", below),
        ("100644", b"site.yaml", blob),
    )  # fmt: skip

    assert {"agents/east.YML": SITE.decode(), "site.yaml": SITE.decode()} == laid_out(revision_of(checkout, tree))


def test_a_link_is_laid_out_with_whatever_it_may_lead_to(checkout: Checkout) -> None:
    blob, link = checkout.blob(SITE), checkout.blob(b"site.txt")
    tree = checkout.tree(("100644", b"site.txt", blob), ("120000", b"site.yaml", link))

    assert {"site.txt": SITE.decode(), "site.yaml": "-> site.txt"} == laid_out(revision_of(checkout, tree))


def test_nothing_stays_behind(checkout: Checkout) -> None:
    tree = checkout.tree(("100644", b"site.yaml", checkout.blob(SITE)))
    revision = revision_of(checkout, tree)

    with environment_at(revision, revision.top / "desired") as root:
        assert root is not None
        assert root.is_dir()
    assert not root.parent.exists()


@pytest.mark.parametrize("mode", ["100644", "120000"])
def test_what_was_no_directory_was_no_environment(checkout: Checkout, mode: str) -> None:
    revision = revision_of(checkout, checkout.blob(b"elsewhere"), mode=mode)

    with environment_at(revision, revision.top / "desired") as root:
        assert root is None


@pytest.mark.parametrize("name", [b"..", b".", b".git", b"a/b.yaml", b"../../up.yaml", b""])
def test_a_name_that_leads_elsewhere_is_refused(checkout: Checkout, tmp_path: Path, name: bytes) -> None:
    tree = checkout.tree(("100644", name, checkout.blob(SITE)))

    with pytest.raises(UnreadableTreeError, match=r"leads elsewhere|damaged"):
        laid_out(revision_of(checkout, tree))
    assert list(tmp_path.glob("*.yaml")) == []


def test_a_link_that_a_directory_hides_behind_leads_no_file_astray(checkout: Checkout, tmp_path: Path) -> None:
    aim = tmp_path / "aim"
    aim.mkdir()
    blob, link = checkout.blob(SITE), checkout.blob(str(aim).encode())
    inside = checkout.tree(("100644", b"planted.yaml", blob), ("120000", b"planted.yml", link))
    tree = checkout.tree(("120000", b"a", link), ("40000", b"a", inside))

    with pytest.raises(UnreadableTreeError, match="cannot be laid out"):
        laid_out(revision_of(checkout, tree))
    assert list(aim.iterdir()) == []


def test_a_link_within_a_link_plants_nothing_there(checkout: Checkout, tmp_path: Path) -> None:
    aim = tmp_path / "aim"
    aim.mkdir()
    link = checkout.blob(str(aim).encode())
    inside = checkout.tree(("120000", b"planted.yml", link))
    tree = checkout.tree(("120000", b"a", link), ("40000", b"a", inside))

    with pytest.raises(UnreadableTreeError, match="a link where a directory is"):
        laid_out(revision_of(checkout, tree))
    assert list(aim.iterdir()) == []


@pytest.mark.parametrize("target", [b"", b"a\0b", b"x" * 5000], ids=["empty", "nul", "endless"])
def test_a_link_that_is_none_is_refused(checkout: Checkout, target: bytes) -> None:
    tree = checkout.tree(("120000", b"site.yaml", checkout.blob(target)))

    with pytest.raises(UnreadableTreeError, match="a link that is none"):
        laid_out(revision_of(checkout, tree))


def test_two_files_of_one_name_are_refused(checkout: Checkout) -> None:
    blob = checkout.blob(SITE)
    tree = checkout.tree(("100644", b"site.yaml", blob), ("100644", b"site.yaml", blob))

    with pytest.raises(UnreadableTreeError, match="cannot be laid out"):
        laid_out(revision_of(checkout, tree))


def test_a_name_that_is_no_text_is_laid_out_as_it_is(checkout: Checkout) -> None:
    tree = checkout.tree(("100644", b"\xff\xfe.yaml", checkout.blob(SITE)))

    assert {os.fsdecode(b"\xff\xfe.yaml"): SITE.decode()} == laid_out(revision_of(checkout, tree))


def test_trees_within_trees_end_at_a_limit(checkout: Checkout) -> None:
    tree = checkout.tree(("100644", b"site.yaml", checkout.blob(SITE)))
    for _ in range(unpacking.MAX_DEPTH):
        tree = checkout.tree(("40000", b"d", tree))

    with pytest.raises(UnreadableTreeError, match="nested deeper than 64"):
        laid_out(revision_of(checkout, tree))


def test_a_few_trees_that_unfold_without_end_are_refused_before_they_do(checkout: Checkout) -> None:
    tree = checkout.tree(("100644", b"site.yaml", checkout.blob(SITE)))
    for _ in range(10):
        tree = checkout.tree(*(("40000", f"d{number:02}".encode(), tree) for number in range(50)))

    with pytest.raises(UnreadableTreeError, match="more than 50000 names"):
        laid_out(revision_of(checkout, tree))


def test_files_that_are_too_large_together_are_refused_before_they_are_read(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MAX_BYTES", 1000)
    blob = checkout.blob(b"#" * 600)
    tree = checkout.tree(("100644", b"a.yaml", blob), ("100644", b"b.yaml", blob))

    with pytest.raises(UnreadableTreeError, match="larger than"):
        laid_out(revision_of(checkout, tree))


def test_an_object_that_is_missing_is_told(checkout: Checkout) -> None:
    tree = checkout.tree(("100644", b"site.yaml", "1" * 40))

    with pytest.raises(UnreadableTreeError, match="not in this clone"):
        laid_out(revision_of(checkout, tree))


def test_a_truncated_tree_is_told(checkout: Checkout) -> None:
    tree = checkout.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=b"100644 site.yaml\0short")

    with pytest.raises(UnreadableTreeError, match="damaged"):
        laid_out(revision_of(checkout, tree))
