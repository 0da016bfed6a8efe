from __future__ import annotations

import json
import os
import ssl
from pathlib import Path

import pytest

from reconciler.errors import InputError
from reconciler.simulator import Authority, SimulatedSession
from reconciler.simulator.replacing import replace_file
from reconciler.simulator.session_files import read_passwords, read_sessions, write_sessions

SESSIONS = (
    SimulatedSession(agent=1001, guid="one", key="login-1"),
    SimulatedSession(agent=1002, guid="two", cookies={"JSESSIONID": "c"}),
)


def test_sessions_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "sessions.json"

    write_sessions(path, SESSIONS)

    assert read_sessions(path) == SESSIONS
    assert json.loads(path.read_text()) == [
        {"agentId": "1001", "guid": "one", "session": "login-1"},
        {"agentId": "1002", "guid": "two", "cookies": {"JSESSIONID": "c"}},
    ]


def test_no_sessions_are_an_empty_array(tmp_path: Path) -> None:
    write_sessions(tmp_path / "sessions.json", ())

    assert read_sessions(tmp_path / "sessions.json") == ()


def test_only_the_owner_may_read_a_sessions_file_even_where_one_was_open_to_all(tmp_path: Path) -> None:
    path = tmp_path / "sessions.json"
    path.write_text("[]")
    path.chmod(0o644)

    write_sessions(path, SESSIONS)

    assert path.stat().st_mode & 0o777 == 0o600


def test_an_agent_id_may_be_a_number(tmp_path: Path) -> None:
    path = tmp_path / "sessions.json"
    path.write_text('[{"agentId": 1001, "guid": "one", "session": null}]')

    assert read_sessions(path) == (SimulatedSession(agent=1001, guid="one"),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        '[{"agentId": "1001"}]',
        '[{"agentId": "1001", "guid": ""}]',
        '[{"agentId": "1001", "guid": 7}]',
        '[{"agentId": "100", "guid": "secret"}]',
        '[{"agentId": true, "guid": "secret"}]',
        '[{"agentId": [], "guid": "secret"}]',
        '[{"agentId": "1001", "guid": "secret", "cookies": []}]',
        '[{"agentId": "1001", "guid": "secret", "cookies": {"a": 1}}]',
        '[{"agentId": "1001", "guid": "secret", "session": 1}]',
        '[{"agentId": "1001", "guid": "secret"}, {"agentId": 1001, "guid": "secret"}]',
    ],
)
def test_a_sessions_file_that_is_none_is_refused_without_quoting_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sessions.json"
    path.write_text(text)

    with pytest.raises(InputError) as caught:
        read_sessions(path)

    assert "secret" not in str(caught.value)


def test_a_sessions_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*none\.json"):
        read_sessions(tmp_path / "none.json")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot write .*ca\.pem"):
        Authority().write_certificate(tmp_path / "none" / "ca.pem")


def test_a_replacement_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def break_off(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", break_off)
    with pytest.raises(KeyboardInterrupt):
        replace_file(path, b"new", mode=0o600)

    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("file", "old")]


def test_the_certificate_file_holds_no_key_and_is_a_ca(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    authority = Authority()

    authority.write_certificate(path)

    assert path.read_bytes() == authority.certificate
    assert b"PRIVATE" not in authority.certificate
    context = ssl.create_default_context(cafile=str(path))
    assert context.cert_store_stats()["x509_ca"] >= 1


def test_making_a_server_context_leaves_no_key_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    Authority().server_context("gateway.example")

    assert list(tmp_path.iterdir()) == []


def test_passwords_are_read_by_agent(tmp_path: Path) -> None:
    path = tmp_path / "passwords.json"
    path.write_text('{"1001": "one", "1002": ""}')

    assert read_passwords(path) == {1001: "one", 1002: ""}


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"1001": 1}', '{"1001": null}', '{"100": "secret"}', '{"x": "secret"}', '["secret"]', "[" * 100_000],
)
def test_what_is_no_passwords_file_is_refused_without_quoting_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "passwords.json"
    path.write_text(text)

    with pytest.raises(InputError) as caught:
        read_passwords(path)

    assert "passwords.json" in str(caught.value)
    assert "secret" not in f"{caught.value}{caught.value.hint}"


def test_a_passwords_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*none\.json"):
        read_passwords(tmp_path / "none.json")
