"""Secrets read from where they are, by real variables, files and programs."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path

import pytest
from support.processes import wait_until

from reconciler import credentials
from reconciler.credentials import MAX_SECRET, read_secret
from reconciler.errors import CredentialError, ExitCode, SessionSourceError
from reconciler.model.secret_reference import SecretReference

SECRET = "Tr0ub4dor & horse"


def read(text: str, root: Path, **environ: str) -> str:
    environ = {"PATH": os.environ["PATH"], **environ}
    return read_secret(SecretReference.parse(text), root=root, environ=environ, what="sessions.password")


def shell(script: str) -> str:
    return f"command:/bin/sh -c {shlex.quote(script)}"


def refusal(text: str, root: Path, **environ: str) -> CredentialError:
    with pytest.raises(CredentialError) as caught:
        read(text, root, **environ)
    exc = caught.value
    assert str(exc).startswith(f"sessions.password: {SecretReference.parse(text)}: ")
    assert str(exc).isprintable()
    assert exc.hint
    assert exc.__cause__ is None
    assert exc.__context__ is None
    for told in (str(exc), exc.hint):
        assert SECRET not in told
        assert str(root) not in told
    return exc


def test_a_variable_is_read(tmp_path: Path) -> None:
    assert read("env:TOKEN", tmp_path, TOKEN=SECRET) == SECRET


def test_a_file_beside_the_site_is_read(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "token").write_text(SECRET)

    assert read("file:keys/token", tmp_path) == SECRET


def test_a_mounted_file_is_read_through_its_links(tmp_path: Path) -> None:
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "token").write_text(SECRET)
    (tmp_path / "token").symlink_to("..data/token")

    assert read(f"file:{tmp_path}/token", tmp_path / "elsewhere") == SECRET


def test_a_program_is_run_in_the_environments_directory_with_its_variables(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SECRET)

    assert read(shell('cat "$WHICH"'), tmp_path, WHICH="token") == SECRET


def test_a_program_gets_no_input_to_wait_for(tmp_path: Path) -> None:
    assert read(shell("cat; echo done"), tmp_path) == "done"


@pytest.mark.parametrize("written", [SECRET, f"{SECRET}\n", f"{SECRET}\r\n", f"\ufeff{SECRET}\n"])
def test_one_newline_at_the_end_is_no_part_of_the_secret(tmp_path: Path, written: str) -> None:
    (tmp_path / "token").write_bytes(written.encode())

    assert read("file:token", tmp_path) == SECRET


def test_blanks_at_the_ends_are_part_of_the_secret(tmp_path: Path) -> None:
    assert read("env:TOKEN", tmp_path, TOKEN=" a ") == " a "


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "the secret is empty", id="empty"),
        pytest.param(b" \t\n", "the secret is empty", id="blank"),
        pytest.param(b"one\ntwo\n", "more than one line", id="two-lines"),
        pytest.param(b"one\n\n", "more than one line", id="two-newlines"),
        pytest.param(b"one\r\nGuid: x", "more than one line", id="header-injection"),
        pytest.param(b"a\x00b", "control character", id="nul"),
        pytest.param(b"a\x7fb", "control character", id="delete"),
        pytest.param("a\x85b".encode(), "control character", id="next-line"),
        pytest.param("a\u2028b".encode(), "more than one line", id="line-separator"),
        pytest.param(b"a\xffb", "not UTF-8", id="not-utf-8"),
        pytest.param(b"x" * (MAX_SECRET + 1), "larger than 64 KiB", id="too-large"),
    ],
)
@pytest.mark.parametrize("way", ["file:token", "command:cat token"], ids=["file", "command"])
def test_what_is_not_one_line_of_text_is_refused(tmp_path: Path, content: bytes, words: str, way: str) -> None:
    (tmp_path / "token").write_bytes(content)

    assert words in str(refusal(way, tmp_path))


@pytest.mark.parametrize(
    ("value", "words"),
    [("", "is empty"), ("one\nGuid: x", "more than one line"), ("\udcff", "not UTF-8")],
    ids=["empty", "header-injection", "bytes-that-are-not-utf-8"],
)
def test_a_variable_that_is_not_one_line_of_text_is_refused(tmp_path: Path, value: str, words: str) -> None:
    assert words in str(refusal("env:TOKEN", tmp_path, TOKEN=value))


def test_a_secret_of_the_largest_size_is_read(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"x" * MAX_SECRET)

    assert read("file:token", tmp_path) == read("command:cat token", tmp_path) == "x" * MAX_SECRET


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    exc = refusal("env:TOKEN", tmp_path)

    assert str(exc) == "sessions.password: env:TOKEN: the environment variable is not set"


def test_a_missing_file_is_named_as_written(tmp_path: Path) -> None:
    exc = refusal("file:keys/token", tmp_path)

    assert str(exc) == "sessions.password: file:keys/token: the file cannot be read: No such file or directory"


def test_a_pipe_or_a_directory_is_no_secret_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    assert "not a plain file" in str(refusal("file:pipe", tmp_path))
    assert "cannot be read: Is a directory" in str(refusal("file:.", tmp_path))


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "cannot be started: No such file" in str(refusal("command:no-such-program", tmp_path))


def test_a_failing_program_is_told_with_the_end_of_its_complaint(tmp_path: Path) -> None:
    exc = refusal(shell("echo no such entry >&2; exit 3"), tmp_path)

    assert str(exc) == "sessions.password: command:/bin/sh …: the program ended with exit code 3: no such entry"


def test_a_program_ended_by_a_signal_is_told_by_its_name(tmp_path: Path) -> None:
    assert "was ended by SIGTERM" in str(refusal(shell("kill -TERM $$"), tmp_path))


def test_a_failing_program_that_repeats_the_secret_is_not_quoted(tmp_path: Path) -> None:
    exc = refusal(shell(f"echo {shlex.quote(SECRET)} | tee /dev/stderr; echo password: x >&2; exit 1"), tmp_path)

    assert "(2 lines withheld)" in str(exc)


def test_a_program_that_writes_without_end_is_ended(tmp_path: Path) -> None:
    assert "larger than 64 KiB" in str(refusal(shell("echo $$ > pid; exec cat /dev/zero"), tmp_path))
    assert gone(int((tmp_path / "pid").read_text()))


def test_complaints_without_end_do_not_fill_the_memory(tmp_path: Path) -> None:
    exc = refusal(shell("head -c 20000000 /dev/zero >&2; exit 1"), tmp_path)

    assert len(str(exc)) < 10_000


@pytest.mark.parametrize(
    ("script", "who"),
    [
        pytest.param("echo $$ > pid; exec sleep 60", "the program, or something it has started,", id="hangs"),
        pytest.param("sleep 60 & echo $! > pid", "the program, or something it has started,", id="leaves-a-child"),
        pytest.param("exec >&- 2>&-; echo $$ > pid; sleep 60", "the program", id="closes-its-output"),
    ],
)
def test_a_program_that_does_not_end_is_killed_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, who: str
) -> None:
    monkeypatch.setattr(credentials, "COMMAND_TIMEOUT", 1.0)

    assert f"{who} did not end within 1 s" in str(refusal(shell(script), tmp_path))
    assert gone(int((tmp_path / "pid").read_text()))


def test_what_a_program_leaves_in_the_background_lives_on(tmp_path: Path) -> None:
    script = "(exec >/dev/null 2>&1; until [ -e go ]; do sleep 0.05; done; touch alive) & echo token"

    assert read(shell(script), tmp_path) == "token"
    (tmp_path / "go").touch()
    wait_until((tmp_path / "alive").exists)


def test_the_one_who_asks_says_which_error_it_is(tmp_path: Path) -> None:
    reference = SecretReference.parse("env:TOKEN")
    with pytest.raises(SessionSourceError, match="not set") as caught:
        read_secret(reference, root=tmp_path, environ={}, what="sessions.token", raising=SessionSourceError)

    assert caught.value.exit_code is ExitCode.SESSION_SOURCE_FAILED


def test_a_secret_nobody_speaks_for_is_invalid_input(tmp_path: Path) -> None:
    assert refusal("env:TOKEN", tmp_path).exit_code is ExitCode.INVALID_INPUT


def test_no_shell_reads_the_words(tmp_path: Path) -> None:
    program = f"{shlex.quote(sys.executable)} -c 'import sys; print(sys.argv[1])' '$HOME;`id`'"

    assert read(f"command:{program}", tmp_path) == "$HOME;`id`"


def gone(pid: int) -> bool:
    """The process ends within moments (as a zombie too, if nobody inherits it)."""
    state = Path(f"/proc/{pid}/stat")
    for _ in range(100):
        try:
            if state.read_text().rpartition(")")[2].split()[0] in ("Z", "X"):
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False
