"""What the documentation shows is what happens.

The README's YAML blocks are written as files, its console blocks run, their output compared. A comment before a block
says what its story assumes, as edits `A -> B; C -> D` of the YAML: `recorded:` records the fleet as it would be after
those edits, `edited:` makes them. `UPDATE_GOLDENS=1` writes today's output into the README, and fails so that somebody
reads the difference.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest
from support.site import run_in

from reconciler.cli.group import cli
from reconciler.desired import load
from reconciler.errors import ExitCode
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.state import AgentRecord, empty_state
from reconciler.state import LockHolder, open_local_store

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])
BLOCK = re.compile(r"(?:<!-- (?P<story>\w+): (?P<edits>[^\n]*?) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)```\n", re.DOTALL)
LINK = re.compile(r"\]\((?!https?://)([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
LONGEST_README = 150


def edited(text: str, edits: str) -> str:
    """Return `text` after `A -> B; C -> D`."""
    for edit in edits.split("; "):
        old, new = edit.split(" -> ")
        assert old in text, f"the story of a block wants {old!r} in the YAML"
        text = text.replace(old, new)
    return text


def record(root: Path) -> None:
    """Record the fleet at `root` as if it had just been applied."""
    desired = load(root).desired
    assert desired is not None
    records = {
        agent: AgentRecord.of(
            concurrency=wanted.concurrency,
            callnums_key=CallnumsKey.CAMEL,
            acknowledged_at="2026-01-31T09:30:00Z",
            team=wanted.team,
            protected=wanted.protected,
        )
        for agent, wanted in desired.agents.items()
    }
    store = open_local_store(
        root / "state.json",
        site=desired.site.name,
        clock=lambda: "2026-01-31T09:30:00Z",
        new_lineage=lambda: "11111111-2222-4333-8444-555555555555",
    )
    with store.lock(LockHolder(id="1", who="somebody@somewhere", operation="apply", since="2026-01-31T09:30:00Z")):
        store.write(empty_state(desired.site.name).with_agents(records))


def tell(work: Path, block: re.Match[str]) -> str:
    """Carry out one block of the README; return the text it should have."""
    text = block["text"]
    if block["kind"] == "yaml":
        file = work / text.splitlines()[0].removeprefix("# ")
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    elif block["kind"] == "console":
        fleet = work / "desired" / "east.yaml"
        now = fleet.read_text()
        fleet.write_text(edited(now, block["edits"]))
        if block["story"] == "recorded":
            record(work / "desired")
            fleet.write_text(now)
        command = text.splitlines()[0]
        return f"{command}\n{run_in(work, *shlex.split(command)[2:]).out}"
    return text


def test_the_readme_shows_what_its_commands_print(tmp_path: Path) -> None:
    readme = README.read_text()
    blocks = list(BLOCK.finditer(readme))
    assert {block["kind"] for block in blocks} >= {"yaml", "console", "sh"}

    told = readme
    for block in blocks:
        told = told.replace(block["text"], tell(tmp_path, block))
    if os.environ.get("UPDATE_GOLDENS"):
        README.write_text(told)

    assert told == readme


def test_the_readme_stays_short() -> None:
    assert len(README.read_text().splitlines()) <= LONGEST_README


def test_the_readme_lists_every_exit_code_and_no_other() -> None:
    rows = [line for line in README.read_text().splitlines() if line.startswith("| ") and "exit" not in line[:8]]
    listed = {int(cell) for row in rows for cell in re.findall(r"\| (\d+) \|", f"{row} |")}

    assert listed == {int(code) for code in ExitCode}


def links() -> Iterator[tuple[Path, str]]:
    for document in DOCUMENTS:
        yield from ((document, link) for link in LINK.findall(document.read_text()))


def target(document: Path, link: str) -> tuple[Path, str]:
    """Return the file that `link` in `document` leads to, and the heading's anchor, empty if it names none."""
    path, _, anchor = link.partition("#")
    return (document.parent / path).resolve() if path else document, anchor


def anchor_of(heading: str) -> str:
    """Return the anchor that GitHub and GitLab give a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize(("document", "link"), list(links()), ids=lambda value: getattr(value, "name", value))
def test_a_link_leads_somewhere(document: Path, link: str) -> None:
    path, anchor = target(document, link)
    assert path.exists()
    assert not anchor or anchor in map(anchor_of, HEADING.findall(path.read_text()))


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, to_follow = set[Path](), [README]
    while to_follow:
        page = to_follow.pop()
        reached.add(page)
        linked = {target(page, link)[0] for link in LINK.findall(page.read_text())}
        to_follow.extend(path for path in linked & {*DOCUMENTS} if path not in reached)

    assert sorted({*DOCUMENTS} - reached) == []


def test_the_list_of_decisions_has_each_with_its_own_title() -> None:
    folder = ROOT / "docs" / "adr"
    listed = re.findall(r"^\| \[(\d{4})\]\((.+?)\) \| (.*) \|$", (folder / "README.md").read_text(), re.MULTILINE)
    titles = [HEADING.findall(path.read_text())[0] for path in sorted(folder.glob("0*.md"))]

    assert titles == [f"{number}: {title}" for number, _, title in listed]


WRITTEN_COMMAND = re.compile(r"(?:```\w+\n|`|^)(?:\$ )?reconciler ([a-z][^`\n|#<>&;]*)", re.MULTILINE)
OF_OTHERS = {"--force-with-lease", "--recorded", "--without-durability"}
"""Flags of Git and of the benchmarks."""


def written_commands() -> Iterator[tuple[str, list[str]]]:
    for document in DOCUMENTS:
        for words in WRITTEN_COMMAND.findall(document.read_text().replace("\\\n", " ")):
            yield document.name, words.split()


def command_of(words: list[str]) -> click.Command | None:
    """Return the command that is named, or the group where its subcommand is left open; `None` if there is none."""
    found: click.Command | None = cli
    for word in words:
        if not isinstance(found, click.Group):
            break
        found = found.get_command(click.Context(cli), word)
    return found


def flags(command: click.Command) -> set[str]:
    """Return the flags of a command and of all below it."""
    own = {flag for parameter in command.params for flag in parameter.opts if flag.startswith("--")}
    below = command.commands if isinstance(command, click.Group) else {}
    names = command.list_commands(click.Context(cli)) if isinstance(command, click.Group) else below
    found = [command_of([name]) if command is cli else below[name] for name in names]
    return own.union({"--help"}, *(flags(each) for each in found if each is not None))


def test_every_command_that_is_written_down_exists_with_its_flags() -> None:
    written = list(written_commands())
    assert len(written) > 80
    for document, words in written:
        command = command_of(words)
        assert command is not None, f"{document}: reconciler {' '.join(words)}"
        named = {word.partition("=")[0] for word in words if re.match("--[a-z]", word)}
        assert named <= flags(command), f"{document}: reconciler {' '.join(words)}"


def test_every_flag_is_written_down_and_no_other() -> None:
    pages = [page.read_text() for page in DOCUMENTS if page.name != "CHANGELOG.md"]
    named = {flag for text in pages for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", text)}

    assert named - OF_OTHERS == flags(cli) - {"--version"}


def our_files() -> dict[str, Path]:
    """Return what is in the tree, by its path from the top."""
    tops = [path for path in ROOT.iterdir() if not path.name.startswith(".") or path.name == ".ci"]
    return {path.relative_to(ROOT).as_posix(): path for top in tops for path in [top, *top.rglob("*")]}


def is_among(files: Mapping[str, Path], name: str) -> bool:
    """Tell whether `name` is one of them, from the top or from somewhere below it."""
    if name.partition("/")[0] in files:
        return name.rstrip("/") in files
    return any(f"/{file}".endswith(f"/{name.rstrip('/')}") for file in files)


def test_what_a_contributor_is_led_to_is_there() -> None:
    text = re.sub(r"```.*?```", "", (ROOT / "CONTRIBUTING.md").read_text(), flags=re.DOTALL)
    files = our_files()
    code = "\n".join(path.read_text() for path in files.values() if path.suffix == ".py" and path != Path(__file__))

    def is_there(name: str) -> bool:
        if "/" in name or "." in name:
            return is_among(files, name)
        return re.search(rf"\b{name}\b", code) is not None

    named = set(re.findall(r"`([\w./-]*[_/.A-Z][\w./-]*)`", text))
    assert {"reconciler/planning/guardrails.py", "_CHECKS", "reconciler/desired/fleet/"} <= named
    assert sorted(name for name in named - {".venv"} if not is_there(name)) == []


def test_every_file_of_ours_that_a_page_names_is_there() -> None:
    files = our_files()
    ending = re.compile(r"`([\w./]+\.(?:py|lua))")
    named = {(page.name, name) for page in DOCUMENTS for name in ending.findall(page.read_text())}

    assert len(named) > 20
    assert sorted(each for each in named if not is_among(files, each[1])) == []


def test_the_demo_environment_is_valid_also_strictly() -> None:
    assert load(ROOT / "desired" / "demo", strict=True).diagnostics == ()


def test_every_diagnostic_of_the_corpus_stands_in_the_catalogue_once() -> None:
    catalogue = re.findall(r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs" / "diagnostics.md").read_text(), re.MULTILINE)
    shown = {
        code
        for expected in (ROOT / "tests" / "desired" / "corpus").rglob("expected.txt")
        for code in re.findall(r"(?:error|warning)\[([a-z0-9-]+)\]", expected.read_text())
    }

    assert len(shown) > 40
    assert sorted(set(catalogue)) == sorted(catalogue)
    assert shown - set(catalogue) == set()
