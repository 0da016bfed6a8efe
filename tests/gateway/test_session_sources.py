from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from gateway.examples import MARKER, words_of

from reconciler.errors import SessionSourceError
from reconciler.gateway import open_source
from reconciler.gateway.sessions import file
from reconciler.model.agent import AgentId
from reconciler.model.session import Absent, Session
from reconciler.model.session_settings import CommandSessions, EnvSessions, FileSessions
from reconciler.model.session_sources import SessionSettings

BOTH = json.dumps([{"agentId": "1001", "guid": MARKER}, {"agentId": "1002", "guid": "two"}])


def fetch(settings: SessionSettings, root: Path, *agents: int, **environ: str) -> Mapping[AgentId, Session | Absent]:
    source = open_source(settings, root=root, environ=environ)
    return asyncio.run(source.fetch([AgentId(agent) for agent in agents]))


def refusal(settings: SessionSettings, root: Path, **environ: str) -> SessionSourceError:
    with pytest.raises(SessionSourceError) as caught:
        fetch(settings, root, 1001, **environ)
    assert str(root) not in str(caught.value)
    return caught.value


def test_a_file_gives_the_sessions_of_those_asked_for_only(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(BOTH)

    sessions = fetch(FileSessions(path="s.json"), tmp_path, 1002, 1003)

    assert sessions == {AgentId(1002): Session(agent=AgentId(1002), guid="two")}


@pytest.mark.parametrize("name", ["s.csv", "S.CSV"])
def test_a_file_whose_name_ends_in_csv_is_csv(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("agentId,guid\n1001,one\n")

    assert fetch(FileSessions(path=name), tmp_path, 1001) == {1001: Session(agent=AgentId(1001), guid="one")}


def test_a_file_is_read_anew_at_every_fetch(tmp_path: Path) -> None:
    source = open_source(FileSessions(path="s.json"), root=tmp_path, environ={})
    for guid in ("one", "two"):
        (tmp_path / "s.json").write_text(json.dumps([{"agentId": "1001", "guid": guid}]))
        assert asyncio.run(source.fetch([AgentId(1001)])) == {1001: Session(agent=AgentId(1001), guid=guid)}


def test_a_file_is_parsed_again_only_when_it_has_changed(tmp_path: Path) -> None:
    source = open_source(FileSessions(path="s.json"), root=tmp_path, environ={})
    fetches = []
    for text in (BOTH, BOTH, BOTH.replace("two", "new")):
        (tmp_path / "s.json").write_text(text)
        fetches.append(asyncio.run(source.fetch([AgentId(1001)])))

    first, second, third = (found[AgentId(1001)] for found in fetches)
    assert first is second
    assert first is not third
    assert first == third


def test_a_file_that_became_bad_or_empty_is_refused_though_it_was_good(tmp_path: Path) -> None:
    source = open_source(FileSessions(path="s.json"), root=tmp_path, environ={})
    for bad in ("", "[", BOTH[:-1]):
        (tmp_path / "s.json").write_text(BOTH)
        asyncio.run(source.fetch([AgentId(1001)]))
        (tmp_path / "s.json").write_text(bad)
        with pytest.raises(SessionSourceError, match="is not JSON"):
            asyncio.run(source.fetch([AgentId(1001)]))


def test_a_path_that_is_absolute_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(BOTH)

    assert list(fetch(FileSessions(path=str(path)), tmp_path / "elsewhere", 1001)) == [1001]


def test_a_missing_file_is_named_as_written_with_a_remedy(tmp_path: Path) -> None:
    exc = refusal(FileSessions(path="in/s.json"), tmp_path)

    assert str(exc) == "session file in/s.json cannot be read: No such file or directory"
    assert "sessions.path" in exc.hint


def test_a_directory_is_no_session_file(tmp_path: Path) -> None:
    (tmp_path / "s.json").mkdir()

    assert "s.json" in str(refusal(FileSessions(path="s.json"), tmp_path))


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "s.json")

    exc = refusal(FileSessions(path="s.json"), tmp_path)

    assert "not a plain file" in str(exc)
    assert "source: command" in exc.hint


def test_a_file_over_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s.json").write_text(BOTH)
    monkeypatch.setattr(file, "MAX_FILE", len(BOTH) - 1)

    assert "is larger than" in str(refusal(FileSessions(path="s.json"), tmp_path))


def test_the_limit_of_a_file_is_told_as_it_is(tmp_path: Path) -> None:
    with (tmp_path / "s.json").open("wb") as content:
        content.truncate(16 * 1024 * 1024 + 1)

    assert str(refusal(FileSessions(path="s.json"), tmp_path)) == "session file s.json is larger than 16 MiB"


def test_the_sessions_of_a_hundred_thousand_agents_fit_into_a_file() -> None:
    entry = json.dumps({"agentId": "100001", "guid": "x" * 36, "cookies": {"JSESSIONID": "x" * 48}})

    assert 100_000 * len(entry + ", ") <= file.MAX_FILE


def test_a_bad_file_is_named_with_its_entry(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(f'[{{"agentId": "1001", "guid": "{MARKER} "}}]')

    exc = refusal(FileSessions(path="s.json"), tmp_path)

    assert "session file s.json, entry 1: guid" in str(exc)
    assert MARKER not in words_of(exc)


def test_a_variable_gives_the_sessions_of_those_asked_for_only(tmp_path: Path) -> None:
    sessions = fetch(EnvSessions(), tmp_path, 1001, 1003, RECONCILER_SESSIONS=BOTH)

    assert sessions == {AgentId(1001): Session(agent=AgentId(1001), guid=MARKER)}


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        pytest.param({}, "environment variable GUIDS is not set", id="absent"),
        pytest.param({"GUIDS": ""}, "environment variable GUIDS is not JSON", id="empty"),
        pytest.param({"GUIDS": MARKER}, "environment variable GUIDS is not JSON", id="text"),
        pytest.param({"GUIDS": "\udcff"}, "environment variable GUIDS, line 1: is not UTF-8", id="bytes"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(tmp_path: Path, environ: dict[str, str], words: str) -> None:
    exc = refusal(EnvSessions(variable="GUIDS"), tmp_path, **environ)

    assert words in str(exc)
    assert exc.hint
    assert MARKER not in words_of(exc)


@pytest.mark.parametrize(
    "settings",
    [FileSessions(path="absent"), EnvSessions(), CommandSessions(command=("absent",))],
    ids=["file", "env", "command"],
)
def test_where_nobody_is_asked_for_the_source_is_not_touched(tmp_path: Path, settings: SessionSettings) -> None:
    assert fetch(settings, tmp_path) == {}


@pytest.mark.parametrize(
    "settings",
    [FileSessions(path="s.json"), EnvSessions(), CommandSessions(command=("cat", MARKER))],
    ids=["file", "env", "command"],
)
def test_a_source_shows_no_secret(tmp_path: Path, settings: SessionSettings) -> None:
    source = open_source(settings, root=tmp_path, environ={"RECONCILER_SESSIONS": MARKER})

    assert MARKER not in f"{source!r} {source}"
