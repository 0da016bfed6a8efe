"""Which files belong to an environment: what cannot be put into Git as a corpus case."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from desired.environments import AGENT, SITE, codes, write

from reconciler.desired import discovery, load

OTHER = AGENT.replace("1001", "1002")


def agents_of(root: Path) -> list[int]:
    desired = load(root).desired
    assert desired is not None
    return list(desired.agents)


def test_a_missing_directory_is_a_diagnostic(tmp_path: Path) -> None:
    loaded = load(tmp_path / "nowhere")
    assert codes(loaded) == [("", "no-environment")]
    assert [found.detail for found in loaded.diagnostics] == [
        "name the one that holds site.yaml, as seen from the directory this is run in"
    ]
    assert loaded.desired is None


def test_a_file_instead_of_a_directory_is_a_diagnostic(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(SITE)
    loaded = load(tmp_path / "file")
    assert [found.summary for found in loaded.diagnostics] == ["the environment is not a directory"]


def test_an_empty_directory_lacks_a_site_and_agents(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    assert codes(loaded) == [("", "no-agents"), ("site.yaml", "no-site")]
    assert "name and gateway.url are all it needs" in loaded.diagnostics[-1].detail


def test_allow_empty_accepts_an_environment_without_agents(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, {}), allow_empty=True)
    assert loaded.desired is not None
    assert loaded.desired.agents == {}


def test_files_below_are_found_sorted_and_hidden_ones_skipped(tmp_path: Path) -> None:
    write(tmp_path, {"b/x.yml": AGENT, "a.yaml": OTHER, ".h.yaml": "{", "b/.d/x.yaml": "{", "b/notes.md": "{"})
    assert agents_of(tmp_path) == [1001, 1002]
    assert list(discovery.discover(tmp_path).files) == ["a.yaml", "b/x.yml", "site.yaml"]


def test_a_link_to_a_file_outside_is_refused(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", {"x.yaml": AGENT})
    root = write(tmp_path / "env", {})
    (root / "x.yaml").symlink_to(outside / "x.yaml")
    assert codes(load(root)) == [("x.yaml", "link-leaves-directory")]


def test_a_link_to_a_directory_outside_is_refused(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", {"x.yaml": AGENT})
    root = write(tmp_path / "env", {"fleet.yaml": AGENT})
    (root / "more").symlink_to(outside)
    assert codes(load(root)) == [("more", "link-leaves-directory")]


def test_a_link_to_a_sibling_whose_name_begins_alike_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "env-other", {"x.yaml": AGENT})
    root = write(tmp_path / "env", {})
    (root / "x.yaml").symlink_to("../env-other/x.yaml")
    assert codes(load(root)) == [("x.yaml", "link-leaves-directory")]


def test_links_that_are_not_yaml_may_point_anywhere(tmp_path: Path) -> None:
    root = write(tmp_path / "env", {"fleet.yaml": AGENT})
    (tmp_path / "ca.pem").write_text("x")
    (root / "ca.pem").symlink_to(tmp_path / "ca.pem")
    (root / "sessions.json").symlink_to("nowhere")
    assert agents_of(root) == [1001]


def test_a_file_under_two_names_is_read_once_under_its_own(tmp_path: Path) -> None:
    root = write(tmp_path, {"m.yaml": AGENT})
    (root / "a.yaml").symlink_to("m.yaml")
    (root / "z.yaml").symlink_to("m.yaml")
    assert list(discovery.discover(root).files) == ["m.yaml", "site.yaml"]


def test_files_behind_hidden_directories_are_read_through_their_links(tmp_path: Path) -> None:
    root = write(tmp_path, {"..2026/fleet.yaml": AGENT, "..2026/more/x.yaml": OTHER})
    (root / "..data").symlink_to("..2026")
    (root / "fleet.yaml").symlink_to("..data/fleet.yaml")
    (root / "more").symlink_to("..data/more")
    assert agents_of(root) == [1001, 1002]


def test_the_environment_itself_may_be_a_link(tmp_path: Path) -> None:
    write(tmp_path / "real", {"fleet.yaml": AGENT})
    (tmp_path / "env").symlink_to("real")
    assert agents_of(tmp_path / "env") == [1001]


def test_directory_links_in_a_loop_end(tmp_path: Path) -> None:
    root = write(tmp_path, {"a/fleet.yaml": AGENT})
    (root / "a" / "up").symlink_to("..")
    (root / "a" / "self").symlink_to(".")
    assert agents_of(root) == [1001]


def test_a_link_to_itself_and_a_broken_link_are_reported(tmp_path: Path) -> None:
    root = write(tmp_path, {"fleet.yaml": AGENT})
    (root / "loop.yaml").symlink_to("loop.yaml")
    (root / "gone.yaml").symlink_to("nowhere.yaml")
    assert codes(load(root)) == [("gone.yaml", "broken-link"), ("loop.yaml", "broken-link")]


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    root = write(tmp_path, {"fleet.yaml": AGENT})
    os.mkfifo(root / "pipe.yaml")
    assert codes(load(root)) == [("pipe.yaml", "not-a-file")]


def test_a_pipe_that_takes_a_files_place_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    found = discovery.read_bytes("pipe.yaml", tmp_path / "pipe.yaml")
    assert not isinstance(found, bytes)
    assert found.code == "not-a-file"


def test_a_directory_named_like_a_file_is_a_directory(tmp_path: Path) -> None:
    assert agents_of(write(tmp_path, {"x.yaml/fleet.yaml": AGENT})) == [1001]


def test_an_upper_case_ending_is_refused_rather_than_overlooked(tmp_path: Path) -> None:
    assert codes(load(write(tmp_path, {"a.yaml": AGENT, "EAST.YAML": OTHER}))) == [("EAST.YAML", "odd-file-name")]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a\nb.yaml", r"a\u000ab.yaml"), ("a\u202eb.yaml", r"a\u202eb.yaml"), ("a\udcffb.yaml", r"a\udcffb.yaml")],
    ids=["newline", "bidi-override", "not-utf-8"],
)
def test_a_file_name_that_cannot_be_shown_is_refused_and_escaped(tmp_path: Path, name: str, shown: str) -> None:
    root = write(tmp_path, {"fleet.yaml": AGENT})
    (root / name).write_text(OTHER)
    assert codes(load(root)) == [(shown, "odd-file-name")]


def test_a_file_over_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path, {"fleet.yaml": AGENT, "large.yaml": "#" * 2_000})
    monkeypatch.setattr(discovery, "MAX_FILE_BYTES", 1_000)
    assert codes(load(root)) == [("large.yaml", "file-too-large")]


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path, {f"{number}.yaml": "{}" for number in range(5)})
    monkeypatch.setattr(discovery, "MAX_FILES", 5)
    assert codes(load(root)) == [("", "too-many-files")]


def refusing(original: Callable[..., Any], *names: str) -> Callable[..., Any]:
    def refuse(path: Any, *args: Any) -> Any:
        if Path(path).name in names:
            raise PermissionError(13, "Permission denied")
        return original(path, *args)

    return refuse


def test_an_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path, {"fleet.yaml": AGENT, "secret.yaml": OTHER})
    monkeypatch.setattr(os, "open", refusing(os.open, "secret.yaml"))
    found = load(root).diagnostics
    assert [(item.path, item.summary) for item in found] == [("secret.yaml", "this cannot be read: permission denied")]


def test_an_unreadable_site_file_is_named_and_agents_are_still_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path, {"fleet.yaml": AGENT.replace("5", "99")})
    monkeypatch.setattr(os, "open", refusing(os.open, "site.yaml"))
    assert codes(load(root)) == [("fleet.yaml", "out-of-range"), ("site.yaml", "unreadable")]


def test_an_unreadable_directory_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path, {"a/fleet.yaml": AGENT, "b/fleet.yaml": OTHER})
    monkeypatch.setattr(os, "scandir", refusing(os.scandir, "b"))
    assert codes(load(root)) == [("b", "unreadable")]


def test_an_environment_that_cannot_be_looked_at_is_a_diagnostic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "exists", refusing(Path.exists, tmp_path.name))
    assert codes(load(tmp_path)) == [("", "unreadable")]


def test_an_entry_that_cannot_be_looked_at_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path, {"fleet.yaml": AGENT, "a/x.yaml": OTHER})
    (root / "b.yaml").symlink_to("a/x.yaml")
    monkeypatch.setattr(Path, "is_dir", refusing(Path.is_dir, "x.yaml"))
    assert codes(load(root)) == [("b.yaml", "unreadable")]
