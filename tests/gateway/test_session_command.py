from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from gateway.examples import COOKIE, MARKER, words_of

from reconciler.errors import SessionSourceError
from reconciler.gateway import open_source
from reconciler.gateway.sessions import pipes
from reconciler.model.agent import AgentId
from reconciler.model.session import Absent, Session
from reconciler.model.session_settings import CommandSessions

ANSWER = json.dumps({"agentId": "1001", "guid": MARKER, "cookies": {"JSESSIONID": COOKIE}})


def shell(script: str, *, timeout: float = 10.0) -> CommandSessions:
    return CommandSessions(command=("/bin/sh", "-c", script), timeout=timeout)


def python(script: str, *, timeout: float = 30.0) -> CommandSessions:
    return CommandSessions(command=(sys.executable, "-c", script), timeout=timeout)


def fetch(settings: CommandSessions, root: Path, *agents: int) -> Mapping[AgentId, Session | Absent]:
    source = open_source(settings, root=root, environ={"PATH": os.environ["PATH"], "WHO": "1002"})
    return asyncio.run(source.fetch([AgentId(agent) for agent in agents or (1001,)]))


def refusal(settings: CommandSessions, root: Path) -> SessionSourceError:
    with pytest.raises(SessionSourceError) as caught:
        fetch(settings, root)
    exc = caught.value
    assert str(exc).isprintable()
    for secret in (MARKER, COOKIE):
        assert secret not in words_of(exc) + exc.hint
    assert str(root) not in str(exc)
    return exc


def written(pid_file: Path) -> bool:
    return pid_file.exists() and pid_file.read_text().endswith("\n")


def gone(pid_file: Path) -> bool:
    """The process whose id the file holds ends within moments (as a zombie too, if nobody inherits it)."""
    state = Path(f"/proc/{int(pid_file.read_text())}/stat")
    for _ in range(100):
        try:
            if state.read_text().rpartition(")")[2].split()[0] in ("Z", "X"):
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


def test_the_program_gets_ids_and_gives_sessions_a_json_line_each(tmp_path: Path) -> None:
    echo = "import json, sys\nfor line in sys.stdin: print(json.dumps({**json.loads(line), 'guid': 'g'}))"

    sessions = fetch(python(echo), tmp_path, 1002, 1001, 1002)

    expected = {AgentId(agent): Session(agent=AgentId(agent), guid="g") for agent in (1002, 1001)}
    assert expected == sessions


def test_the_ids_are_written_as_documented_each_once(tmp_path: Path) -> None:
    fetch(shell("cat > asked"), tmp_path, 1002, 1001, 1002)

    assert (tmp_path / "asked").read_bytes() == b'{"agentId":"1002"}\n{"agentId":"1001"}\n'


def test_sessions_not_asked_for_are_ignored_and_missing_ones_absent(tmp_path: Path) -> None:
    script = 'echo \'{"agentId": "\'$WHO\'", "guid": "g"}\''

    assert fetch(shell(script), tmp_path, 1001) == {}
    assert list(fetch(shell(script), tmp_path, 1001, 1002)) == [1002]


def test_the_program_runs_in_the_environments_directory_and_without_a_shell(tmp_path: Path) -> None:
    program = tmp_path / "get sessions; $(reboot)"
    program.write_text(f"#!/bin/sh\necho {shlex.quote(ANSWER)}\n")
    program.chmod(0o755)

    sessions = fetch(CommandSessions(command=(f"./{program.name}", "$HOME")), tmp_path)

    expected = Session(agent=AgentId(1001), guid=MARKER, cookies={"JSESSIONID": COOKIE})
    assert expected == sessions[AgentId(1001)]


def test_a_program_that_does_not_read_is_no_error(tmp_path: Path) -> None:
    many = range(101, 20_000)  # more than a pipe holds

    assert fetch(shell("exec 0<&-; true"), tmp_path, *many) == {}


def test_a_program_that_writes_before_it_reads_does_not_lock_up(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        'line = \'{"agentId": "%d", "guid": "\' + \'g\' * 400 + \'"}\'\n'
        "for agent in range(101, 5000): print(line % agent)\n"
        "sys.stderr.write('e' * 500000)\n"
        "sys.stdout.flush()\n"
        "sys.stdin.read()\n"
    )

    assert len(fetch(python(script), tmp_path, *range(101, 20_000))) == 4_899


def test_a_failing_program_is_named_with_its_exit_code_and_its_last_words(tmp_path: Path) -> None:
    exc = refusal(shell("echo first >&2; printf 'no \\033[31mroute\\n' >&2; exit 3"), tmp_path)

    assert str(exc) == "session command /bin/sh ended with exit code 3: first | no \\x1b[31mroute"
    assert "exit code 0" in exc.hint


@pytest.mark.parametrize(("number", "name"), [("TERM", "SIGTERM"), ("35", "exit code -35")])
def test_a_program_that_a_signal_ended_is_named_with_it(tmp_path: Path, number: str, name: str) -> None:
    assert name in str(refusal(shell(f"kill -{number} $$"), tmp_path))


def test_what_the_program_wrote_on_stdout_is_never_shown(tmp_path: Path) -> None:
    script = f"echo {shlex.quote(ANSWER)}; echo 'sent {MARKER} to nowhere' >&2; echo away >&2; exit 1"

    exc = refusal(shell(script), tmp_path)

    assert str(exc).endswith("ended with exit code 1: away (1 line withheld)")


def test_arguments_are_not_shown(tmp_path: Path) -> None:
    refusal(CommandSessions(command=("/bin/sh", "-c", "exit 1", MARKER)), tmp_path)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        pytest.param(("./absent",), "./absent cannot be started: No such file or directory", id="missing"),
        pytest.param(("./plain",), "./plain cannot be started: Permission denied", id="not-executable"),
        pytest.param(("./empty",), "./empty cannot be started: Exec format error", id="not-a-program"),
        pytest.param(("sh", "a\0b"), "cannot be passed to a program", id="nul"),
    ],
)
def test_a_program_that_cannot_be_started_is_named(tmp_path: Path, command: tuple[str, ...], words: str) -> None:
    (tmp_path / "plain").touch()
    (tmp_path / "empty").touch(mode=0o755)

    exc = refusal(CommandSessions(command=command), tmp_path)

    assert words in str(exc)
    assert "sessions.command" in exc.hint


def test_a_program_that_hangs_is_killed_with_all_it_started(tmp_path: Path) -> None:
    start = time.monotonic()

    exc = refusal(shell("echo here >&2; sleep 60 & echo $! > child; wait", timeout=1.5), tmp_path)

    assert time.monotonic() - start < 30.0
    assert str(exc) == "session command /bin/sh did not end within 1.5 s: here"
    assert "sessions.timeout" in exc.hint
    assert gone(tmp_path / "child")


def test_killing_a_program_is_no_news_for_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def many() -> list[object]:
        source = open_source(shell("exec sleep 60", timeout=0.05), root=tmp_path, environ={"PATH": os.environ["PATH"]})
        return await asyncio.gather(*(source.fetch([AgentId(1001)]) for _ in range(150)), return_exceptions=True)

    ends = asyncio.run(many())

    assert all(isinstance(end, SessionSourceError) for end in ends)
    assert [record.getMessage() for record in caplog.records if record.levelname != "DEBUG"] == []


def test_a_program_that_leaves_a_child_on_its_output_is_not_waited_for_without_end(tmp_path: Path) -> None:
    exc = refusal(shell("sleep 60 & echo $! > child", timeout=1.5), tmp_path)

    assert "left something running that holds its output open within 1.5 s" in str(exc)
    assert gone(tmp_path / "child")


def test_a_child_that_escapes_the_group_holds_nobody_up(tmp_path: Path) -> None:
    # It neither reads nor dies with the group, and the ids do not fit into the pipe.
    start = time.monotonic()

    script = "exec 3<&0; setsid sh -c 'echo $$ > child; exec sleep 60' <&3 & exit 0"

    with pytest.raises(SessionSourceError, match="left something running"):
        fetch(shell(script, timeout=2.0), tmp_path, *range(101, 20_000))

    os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)
    assert time.monotonic() - start < 30.0


def test_a_program_that_writes_without_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipes, "MAX_OUTPUT", 100_000)

    exc = refusal(shell("echo $$ > child; exec yes"), tmp_path)

    assert "session command /bin/sh wrote more than" in str(exc)
    assert gone(tmp_path / "child")


def test_complaints_without_end_do_not_fill_the_memory(tmp_path: Path) -> None:
    exc = refusal(
        python("import sys\nfor n in range(300000): print('line', n, file=sys.stderr)\nsys.exit(1)"), tmp_path
    )

    assert len(str(exc)) < 3_000
    assert str(exc).endswith("line 299999")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param("echo hello", "the output of session command /bin/sh, line 1: is not JSON", id="chatter"),
        pytest.param(f"echo '{ANSWER}'; echo '{ANSWER}'", "agent 1001 twice, in line 1 and line 2", id="twice"),
        pytest.param(f"echo '[{ANSWER}]'", "line 1: is not an object", id="array"),
    ],
)
def test_output_that_is_no_session_is_refused(tmp_path: Path, script: str, words: str) -> None:
    assert words in str(refusal(shell(script), tmp_path))


def test_a_cancelled_fetch_leaves_nothing_running(tmp_path: Path) -> None:
    source = open_source(shell("echo $$ > child; sleep 60"), root=tmp_path, environ=dict(os.environ))

    async def run() -> None:
        task = asyncio.create_task(source.fetch([AgentId(1001)]))
        while not written(tmp_path / "child"):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert gone(tmp_path / "child")


@pytest.mark.parametrize("moments", range(1, 6))
def test_a_fetch_cancelled_while_it_starts_leaves_nothing_running(tmp_path: Path, moments: int) -> None:
    source = open_source(shell("echo $$ > child; sleep 60; true"), root=tmp_path, environ=dict(os.environ))

    async def run() -> None:
        task = asyncio.create_task(source.fetch([AgentId(1001)]))
        for _ in range(moments):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    start = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - start < 30.0
    assert not written(tmp_path / "child") or gone(tmp_path / "child")


def test_a_program_that_cannot_be_started_by_a_cancelled_fetch_is_not_complained_of(tmp_path: Path) -> None:
    source = open_source(CommandSessions(command=("./absent",)), root=tmp_path, environ={})

    async def run() -> None:
        task = asyncio.create_task(source.fetch([AgentId(1001)]))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_the_shortest_deadline_leaves_nothing_running(tmp_path: Path) -> None:
    start = time.monotonic()

    exc = refusal(shell("sleep 60; true", timeout=1e-9), tmp_path)

    assert "did not end within 1e-09 s" in str(exc)
    assert time.monotonic() - start < 30.0
