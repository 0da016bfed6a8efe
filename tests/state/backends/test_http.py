"""What is particular to states behind HTTP: the words of the protocol, trouble, and other tools' locks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread, current_thread
from threading import enumerate as enumerate_threads

import pytest
from state.backends.rigs import TOKEN, Rig
from state.backends.state_server import LOGIN, SILENCE, StateServer, serving
from state.backends.wire import Wire
from state.records import WEB_CHAT_4, apply_one, holder, planned, record, state
from state.runs import run
from support.processes import PATIENCE, wait_until

from reconciler.errors import LockHeldError, LockLostError, StateConflictError, StateError
from reconciler.model.agent import AgentId
from reconciler.model.state import empty_state
from reconciler.model.states_away import BasicLogin, HttpState
from reconciler.state import encode
from reconciler.state.backends.http import HttpLock
from reconciler.state.journal.recorder import Recorder

LOGGED_IN = BasicLogin(username=LOGIN[0], password=TOKEN)
TERRAFORM = {
    "ID": "0b6f3d8e",
    "Operation": "OperationTypeApply",
    "Info": "",
    "Who": "carol@laptop",
    "Version": "1.9.0",
    "Created": "2026-01-31T09:30:00.123456Z",
    "Path": "",
}


@pytest.fixture
def server() -> Iterator[StateServer]:
    with serving() as kept:
        yield kept


def rig_of(server: StateServer, root: Path, **settings: object) -> Rig:
    given = {"url": server.url, "login": LOGGED_IN, "retries": 1, **settings}
    return Rig(root=root, settings=HttpState(**given), password=LOGIN[1])  # type: ignore[arg-type]


def test_the_lock_is_written_as_the_protocol_has_it(server: StateServer, tmp_path: Path) -> None:
    with rig_of(server, tmp_path).store().lock(holder()):
        assert server.lock is not None
        lock = json.loads(server.lock)
    assert list(lock) == ["ID", "Operation", "Info", "Who", "Version", "Created", "Path"]
    assert (lock["ID"], lock["Operation"], lock["Who"]) == ("run-1", "apply", "alice@desk")
    assert server.lock is None


def test_a_state_is_locked_read_again_written_and_unlocked(server: StateServer, tmp_path: Path) -> None:
    run(rig_of(server, tmp_path).store(), apply_one)
    assert server.seen == {"LOCK": 1, "GET": 2, "POST": 1, "UNLOCK": 1}
    assert server.state is not None


def test_the_addresses_and_methods_of_gitlab_do(server: StateServer, tmp_path: Path) -> None:
    rig = rig_of(server, tmp_path, lock_url=f"{server.url}/lock", lock_method="POST", unlock_method="DELETE")
    saved = run(rig.store(), apply_one)
    assert rig.store("there").read() == saved
    assert server.seen == {"GET": 3, "POST": 2, "DELETE": 1}
    assert server.lock is None


@pytest.mark.parametrize("status", [423, 409])
def test_the_lock_of_another_tool_is_named(server: StateServer, tmp_path: Path, status: int) -> None:
    server.held_status, server.lock = status, json.dumps(TERRAFORM).encode()
    with pytest.raises(LockHeldError) as caught, rig_of(server, tmp_path).store().lock(holder()):
        pytest.fail("two holders")
    who = "carol@laptop (OperationTypeApply, since 2026-01-31T09:30:00.123456Z, lock 0b6f3d8e)"
    assert str(caught.value) == f"{server.url} is locked by {who}"
    assert "reconciler state unlock 0b6f3d8e" in caught.value.hint


@pytest.mark.parametrize("body", [b"", b"locked", b"[]", b"{}"], ids=["empty", "text", "array", "no-id"])
def test_a_holder_who_is_not_named_still_holds(server: StateServer, tmp_path: Path, body: bytes) -> None:
    server.answer = lambda *_: (423, body)  # type: ignore[method-assign]
    with (
        pytest.raises(LockHeldError, match=r"is locked by another run$"),
        rig_of(server, tmp_path).store().lock(holder()),
    ):
        pytest.fail("two holders")


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_a_server_in_trouble_is_asked_again(server: StateServer, tmp_path: Path, status: int) -> None:
    server.trouble = [status]
    assert rig_of(server, tmp_path).store().read() == empty_state("demo")
    assert server.seen["GET"] == 2


def test_a_server_that_stays_in_trouble_is_told_with_its_status(server: StateServer, tmp_path: Path) -> None:
    server.trouble = [503] * 9
    with pytest.raises(StateError, match=r"cannot be read: the server answered 503 Service Unavailable$"):
        rig_of(server, tmp_path).store().read()
    assert server.seen["GET"] == 2


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        pytest.param(401, "state.username and state.password", id="unauthorised"),
        pytest.param(403, "state.username and state.password", id="forbidden"),
        pytest.param(302, "the address of the state", id="redirect"),
        pytest.param(418, "the address of the state", id="strange"),
        pytest.param(599, "the address of the state", id="unknown"),
    ],
)
def test_another_status_is_an_error_and_is_not_asked_again(
    server: StateServer, tmp_path: Path, status: int, hint: str
) -> None:
    kept = rig_of(server, tmp_path).store()
    for ask in (kept.read, lambda: kept.lock(holder()).__enter__(), lambda: kept.unlock("run-1")):
        server.trouble = [status]
        with pytest.raises(StateError, match=f"the server answered {status}") as caught:
            ask()
        assert hint in caught.value.hint
        assert LOGIN[1] not in f"{caught.value}{caught.value.hint}"
    assert server.seen["GET"] == 1


def test_a_write_that_is_refused_is_an_error(server: StateServer, tmp_path: Path) -> None:
    backend = rig_of(server, tmp_path).backend()
    server.trouble = []
    found = backend.load()
    assert found is None
    server.answer = lambda method, *_: (404, b"") if method == "GET" else (413, b"")  # type: ignore[method-assign]
    with pytest.raises(StateError, match="cannot be written: the server answered 413"):
        backend.save(b"{}", expected=None)


def test_a_write_after_the_lock_was_broken_is_a_conflict(server: StateServer, tmp_path: Path) -> None:
    rig = rig_of(server, tmp_path)
    kept = rig.store()
    with kept.lock(holder()):
        server.lock = None
        with pytest.raises(StateConflictError, match="the lock is not ours any more"):
            kept.write(empty_state("demo").with_agents({AgentId(1001): record()}))
    assert server.state is None


def test_a_lock_whose_answer_was_lost_is_ours(server: StateServer, tmp_path: Path) -> None:
    server.lock = json.dumps({**TERRAFORM, "ID": "run-1"}).encode()
    with rig_of(server, tmp_path).store().lock(holder()):
        pass
    assert server.lock is None


def test_no_login_sends_none(server: StateServer, tmp_path: Path) -> None:
    with pytest.raises(StateError, match="answered 401"):
        rig_of(server, tmp_path, login=None).store().read()


def test_a_file_without_a_certificate_is_refused(server: StateServer, tmp_path: Path) -> None:
    rig = rig_of(server, tmp_path, ca_file="ca.pem")
    (tmp_path / "here").mkdir()
    for content, words in ((None, "cannot be read: No such file"), (b"not a certificate", "holds no certificate")):
        if content is not None:
            (tmp_path / "here" / "ca.pem").write_bytes(content)
        with pytest.raises(StateError, match=words):
            rig.store().read()


def _deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b'{"ID": ' + _deep(1000) + b"}", "is locked by ? (?, since ?, lock ?)", id="deep-id"),
        pytest.param(b'{"ID": "a", "Who": ' + _deep(1000) + b"}", "is locked by ? (?, since ?, lock a)", id="deep-who"),
        pytest.param(b'{"ID": 5, "Who": {"a": 1}}', "is locked by ? (?, since ?, lock 5)", id="other-types"),
        pytest.param(b'{"ID": "a", "Who": "\\u001b[2J"}', "is locked by \\x1b[2J (", id="control-characters"),
    ],
)
def test_whatever_a_server_says_of_a_lock_is_told_in_words(
    server: StateServer, tmp_path: Path, body: bytes, words: str
) -> None:
    server.answer = lambda *_: (423, body)  # type: ignore[method-assign]
    store = rig_of(server, tmp_path).store()
    with pytest.raises(LockHeldError) as caught, store.lock(holder()):
        pytest.fail("two holders")
    assert words in str(caught.value)
    with pytest.raises(LockHeldError):
        store.unlock("another")


def test_a_lock_that_the_look_at_it_has_left_behind_is_told(server: StateServer, tmp_path: Path) -> None:
    server.answer = lambda method, *_: (500 if method == "UNLOCK" else 200, b"")  # type: ignore[method-assign]
    with pytest.raises(StateError, match=r"was free, and is locked as unlock-run-9-[0-9a-f]{8} now: .* answered 500"):
        rig_of(server, tmp_path).store().unlock("run-9")


def test_the_command_that_breaks_a_lock_is_quoted_and_names_the_environment(
    server: StateServer, tmp_path: Path
) -> None:
    server.lock = json.dumps({**TERRAFORM, "ID": "$(reboot); x"}).encode()
    with pytest.raises(LockHeldError) as caught, rig_of(server, tmp_path).store().lock(holder()):
        pytest.fail("two holders")
    assert caught.value.hint.endswith("reconciler state unlock '$(reboot); x' demo")


def reserialised(server: StateServer) -> None:
    """Let the server keep JSON in a form of its own."""
    answer = server.answer

    def rewriting(method: str, lock_id: str | None, body: bytes) -> tuple[int, bytes]:
        kept = json.dumps(json.loads(body), indent=4, sort_keys=True).encode() if method == "POST" else body
        return answer(method, lock_id, kept)

    server.answer = rewriting  # type: ignore[method-assign]


def test_a_server_that_keeps_json_in_a_form_of_its_own_keeps_states(server: StateServer, tmp_path: Path) -> None:
    reserialised(server)
    rig = rig_of(server, tmp_path)
    kept = rig.store()
    with kept.lock(holder()):
        recorder = kept.begin_run(planned(1001))
        asyncio.run(apply_one(recorder))
        saved = recorder.finish(rescue_directory=tmp_path)
    assert rig.store("there").read() == saved
    run(rig.store("there"), lambda recorder: apply_one(recorder, concurrency=WEB_CHAT_4))


def test_a_write_whose_answer_was_lost_is_found_in_whatever_form_the_server_keeps_it(
    server: StateServer, tmp_path: Path
) -> None:
    reserialised(server)
    with Wire(server.port) as wire:
        rig = rig_of(server, tmp_path, url=f"http://127.0.0.1:{wire.port}/state/demo", retries=0)
        kept = rig.store()
        with kept.lock(holder()):
            recorder = kept.begin_run()
            asyncio.run(apply_one(recorder))
            wire.drop_replies = 1
            saved = recorder.finish(rescue_directory=tmp_path)
        assert (wire.drop_replies, server.seen["POST"]) == (0, 1)
        assert rig.store("there").read() == saved


@pytest.mark.parametrize("form", ["as-sent", "of-its-own"])
def test_a_holder_whose_lock_was_broken_stops_once_the_next_run_has_begun(
    server: StateServer, tmp_path: Path, form: str
) -> None:
    if form == "of-its-own":
        reserialised(server)
    rig, lost = replace(rig_of(server, tmp_path), lease=0.04), Event()
    kept, other = rig.store(), rig.store("there")
    with kept.lock(holder()):
        recorder = kept.begin_run(planned(1001))
        kept.watch_lock(lambda _: lost.set())
        other.unlock("run-1")
        recorder.require_lock()
        with other.lock(holder("bob@night", "run-2")):
            later = other.begin_run(planned(1001))
            assert lost.wait(PATIENCE)
            with pytest.raises(LockLostError, match="somebody else has written the state; nothing more is sent"):
                recorder.require_lock()
            later.require_lock()
        with pytest.raises(StateConflictError):
            asyncio.run(end_late(recorder, tmp_path))


async def end_late(recorder: Recorder, rescue: Path) -> None:
    with pytest.raises(LockLostError):
        await apply_one(recorder)
    recorder.finish(rescue_directory=rescue)


def test_a_lock_lost_before_the_run_begins_lets_none_begin(server: StateServer, tmp_path: Path) -> None:
    rig, lost = replace(rig_of(server, tmp_path), lease=0.04), Event()
    kept = rig.store()
    with kept.lock(holder()):
        looked = server.seen["GET"]
        wait_until(lambda: server.seen["GET"] > looked + 1)  # nobody has read it yet but who looks
        server.state = encode(state())
        kept.watch_lock(lambda _: lost.set())
        assert lost.wait(PATIENCE)
        kept.watch_lock(told := Listener())
        assert told.errors
        with pytest.raises(LockLostError):
            kept.begin_run(planned(1001))


class Listener:
    def __init__(self) -> None:
        self.errors: list[LockLostError] = []

    def __call__(self, error: LockLostError) -> None:
        self.errors.append(error)


def test_a_holders_own_writes_and_a_server_in_trouble_are_no_sign_of_another_holder(
    server: StateServer, tmp_path: Path
) -> None:
    rig, told = replace(rig_of(server, tmp_path, retries=0), lease=0.004), Listener()
    kept = rig.store()
    with kept.lock(holder()):
        kept.watch_lock(told)
        for number in range(1001, 1021):
            kept.write(kept.read().with_agents({AgentId(number): record()}))
        server.trouble = [503] * 3
        wait_until(lambda: not server.trouble)
        looked = server.seen["GET"]
        wait_until(lambda: server.seen["GET"] > looked + 1)
        kept.begin_run()
    assert told.errors == []


def test_a_replica_that_lags_behind_a_holders_own_writes_is_no_sign_of_another_holder(
    server: StateServer, tmp_path: Path
) -> None:
    rig, told, answer = replace(rig_of(server, tmp_path), lease=0.04), Listener(), server.answer
    kept = rig.store()
    with kept.lock(holder()):
        kept.watch_lock(told)
        kept.write(kept.read().with_agents({AgentId(1001): record()}))
        earlier = server.state
        kept.write(kept.read().with_agents({AgentId(1002): record()}))
        for lagging in (earlier, None):
            behind = (404, b"") if lagging is None else (200, lagging)
            server.answer = lambda method, *rest, _is=behind: _is if method == "GET" else answer(method, *rest)  # type: ignore[method-assign]
            looked = server.seen["GET"]
            wait_until(lambda looked=looked: server.seen["GET"] > looked + 2)  # type: ignore[misc]
        server.answer = answer  # type: ignore[method-assign]
        kept.begin_run()
    assert told.errors == []


def test_a_look_that_cannot_be_taken_is_no_end_of_looking(
    server: StateServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig, lost, failed = replace(rig_of(server, tmp_path), lease=0.04), Event(), list[str]()
    start = Thread.start

    def start_no_more(thread: Thread) -> None:
        if current_thread().name == "http-watch" and len(failed) < 2:
            failed.append(thread.name)
            raise RuntimeError("can't start new thread")
        start(thread)

    kept = rig.store()
    with kept.lock(holder()):
        kept.read()
        monkeypatch.setattr(Thread, "start", start_no_more)
        kept.watch_lock(lambda _: lost.set())
        wait_until(lambda: len(failed) == 2)
        server.state = encode(state())
        assert lost.wait(PATIENCE)


def test_who_holds_no_lock_any_more_looks_no_more(server: StateServer, tmp_path: Path) -> None:
    others = set(enumerate_threads())
    with replace(rig_of(server, tmp_path), lease=0.004).store().lock(holder()):
        assert "http-watch" in {thread.name for thread in set(enumerate_threads()) - others}
    wait_until(lambda: "http-watch" not in {thread.name for thread in set(enumerate_threads()) - others})
    assert server.seen["UNLOCK"] == 1


@pytest.mark.parametrize("status", [500, 401, 400])
def test_a_lock_that_could_not_be_let_go_of_is_told_with_the_command_that_breaks_it(
    server: StateServer, tmp_path: Path, status: int
) -> None:
    rig, told = rig_of(server, tmp_path, retries=0), list[str]()
    kept = rig.store()
    command = "reconciler state unlock run-1 demo"
    with kept.lock(holder(), tell=told.append):
        during = kept.to_break
        server.trouble = [status]
    assert (during, kept.to_break) == (command, None)
    assert told == [f"the lock on {kept.name} could not be let go of and may still be held; break it with: {command}"]
    broken = rig.store().unlock("run-1")
    assert broken is not None


def test_a_lock_that_nobody_had_the_time_to_let_go_of_is_told(server: StateServer, tmp_path: Path) -> None:
    kept, told = rig_of(server, tmp_path).store(), list[str]()
    with kept.lock(holder(), tell=told.append):
        kept.hurry(0)
    assert [text.rpartition("with: ")[2] for text in told] == ["reconciler state unlock run-1 demo"]


def test_a_lock_that_another_has_by_now_is_left_to_them_without_a_word(server: StateServer, tmp_path: Path) -> None:
    told: list[str] = []
    with rig_of(server, tmp_path).store().lock(holder(), tell=told.append):
        server.lock = json.dumps(TERRAFORM).encode()
    assert (told, server.state) == ([], None)
    with pytest.raises(LockHeldError, match="carol@laptop"), rig_of(server, tmp_path).store().lock(holder()):
        pytest.fail("two holders")


def losing_the_first_answer(server: StateServer, *, nameless: bool) -> None:
    """Let the server do what it is asked first, and a proxy before it answer that it is in trouble."""
    answer = server.answer

    def told(method: str, lock_id: str | None, body: bytes) -> tuple[int, bytes]:
        status, said = answer(method, lock_id, body)
        if server.seen[method] == 1 and method == "LOCK":
            return 502, b""
        return status, b"" if nameless else said

    server.answer = told  # type: ignore[method-assign]


@pytest.mark.parametrize("nameless", [False, True], ids=["named", "nameless"])
def test_a_look_whether_it_is_free_leaves_no_lock_behind_though_its_answer_was_lost(
    server: StateServer, tmp_path: Path, nameless: bool
) -> None:
    losing_the_first_answer(server, nameless=nameless)
    assert rig_of(server, tmp_path).store().unlock("run-9") is None
    assert server.lock is None


def test_no_two_looks_whether_it_is_free_take_each_other_for_themselves(server: StateServer, tmp_path: Path) -> None:
    for _ in range(2):
        rig_of(server, tmp_path).store().unlock("run-9")
    probes = {json.loads(body)["ID"] for body in server.bodies}
    assert len(probes) == 2
    assert all(probe.startswith("unlock-run-9-") for probe in probes)


def test_a_nameless_lock_of_another_is_not_unlocked_by_the_look_at_it(server: StateServer, tmp_path: Path) -> None:
    server.lock = json.dumps(TERRAFORM).encode()
    losing_the_first_answer(server, nameless=True)
    with pytest.raises(LockHeldError, match="and not by run-9"):
        rig_of(server, tmp_path).store().unlock("run-9")
    assert server.lock is not None


def test_a_nameless_lock_that_may_be_our_own_is_told_with_its_id(
    server: StateServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HttpLock, "poll", 0.01)
    losing_the_first_answer(server, nameless=True)
    rig = rig_of(server, tmp_path)
    with (
        pytest.raises(LockHeldError, match="is locked by another run") as caught,
        rig.store().lock(holder(), patience=1.0),
    ):
        pytest.fail("two holders")
    assert server.seen["LOCK"] > 2
    assert caught.value.hint.endswith("it may be this run's own: reconciler state unlock run-1 demo")
    assert rig.store().unlock("run-1") is not None
    assert server.lock is None


def test_a_state_behind_http_follows_a_site_that_was_renamed_under_the_one_lock_there_is(
    server: StateServer, tmp_path: Path
) -> None:
    rig = rig_of(server, tmp_path)
    saved = run(rig.store(), apply_one)
    source, renamed = rig.store(), rig.store(site="renamed")
    with source.lock(holder()):
        moved = source.move_to(renamed)
    assert (moved.site, moved.lineage, moved.agents) == ("renamed", saved.lineage, saved.agents)
    assert renamed.read() == moved


def doing_what_nobody_hears(server: StateServer, deaf: str, *, status: int) -> None:
    """Let the server do what it is asked by the method `deaf`, and answer with `status` all the same."""
    answer = server.answer

    def told(method: str, lock_id: str | None, body: bytes) -> tuple[int, bytes]:
        done = answer(method, lock_id, body)
        return (status, b"") if method == deaf else done

    server.answer = told  # type: ignore[method-assign]


@pytest.mark.parametrize("status", [502, SILENCE], ids=["trouble", "silence"])
def test_a_lock_of_whose_taking_nobody_heard_is_let_go_of(server: StateServer, tmp_path: Path, status: int) -> None:
    doing_what_nobody_hears(server, "LOCK", status=status)
    store = rig_of(server, tmp_path, retries=0).store()
    with pytest.raises(StateError, match="cannot be locked") as caught, store.lock(holder()):
        pytest.fail("nobody knows that it is held")
    assert server.lock is None
    assert server.seen == {"LOCK": 1, "UNLOCK": 1}
    assert "state unlock" not in caught.value.hint


def test_a_lock_of_whose_taking_and_letting_go_nobody_heard_is_told_with_its_id(
    server: StateServer, tmp_path: Path
) -> None:
    doing_what_nobody_hears(server, "LOCK", status=502)
    answer = server.answer
    server.answer = lambda method, *rest: (500, b"") if method == "UNLOCK" else answer(method, *rest)  # type: ignore[method-assign]
    store = rig_of(server, tmp_path, retries=0).store()
    with pytest.raises(StateError, match="cannot be locked: the server answered 502") as caught, store.lock(holder()):
        pytest.fail("nobody knows that it is held")
    assert caught.value.hint.endswith("that may be this run's own: reconciler state unlock run-1 demo")


def test_a_server_that_cannot_be_reached_has_locked_nothing(tmp_path: Path) -> None:
    with serving() as server:
        store = rig_of(server, tmp_path, retries=0).store()
    with pytest.raises(StateError, match="cannot be locked") as caught, store.lock(holder()):
        pytest.fail("there is no server")
    assert "state unlock" not in caught.value.hint
