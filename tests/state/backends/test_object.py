"""What is particular to states in object stores: conditions that are honoured, and settings that are not."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from state.backends.object_server import ENVIRONMENT
from state.backends.rigs import TOKEN, Rig, object_rig
from state.records import apply_one, holder
from state.runs import run

from reconciler.errors import StateError
from reconciler.model.states_away import ObjectKind, ObjectState
from reconciler.state.backends.object import _words
from reconciler.state.backends.object_store import connect


@contextmanager
def careless_store(*, honours_create: bool = False, refusal: tuple[int, bytes] | None = None) -> Iterator[int]:
    """Serve a store that takes every write, whatever its conditions say, or refuses every one; yield the port."""
    objects: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = objects.get(self.path)
            self._answer(404 if found is None else 200, found or b"")

        def do_PUT(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            if refusal is not None:
                self._answer(*refusal)
                return
            if honours_create and self.headers.get("If-None-Match") and self.path in objects:
                self._answer(412, b"")
                return
            objects[self.path] = data
            self._answer(200, b"", of=data)

        def _answer(self, status: int, body: bytes, *, of: bytes | None = None) -> None:
            self.send_response(status)
            self.send_header("ETag", f'"{hashlib.sha256(of if of is not None else body).hexdigest()}"')
            self.send_header("Last-Modified", "Sat, 31 Jan 2026 09:30:00 GMT")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(10)


def rig_of(root: Path, port: int) -> Rig:
    settings = ObjectState(
        kind=ObjectKind.S3,
        bucket="states",
        key="demo.json",
        options={"endpoint": f"http://127.0.0.1:{port}", "region": "us-east-1"},
        secrets={"access_key_id": TOKEN, "secret_access_key": TOKEN},
    )
    return Rig(root=root, settings=settings, environ=ENVIRONMENT, password="made-up")


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        pytest.param(501, b"<Error><Code>NotImplemented</Code></Error>", "under a condition: ", id="not-implemented"),
        pytest.param(501, b"", "under a condition: ", id="not-implemented-without-a-word"),
        pytest.param(
            400,
            b'<?xml version="1.0"?>\n<Error><Code>InvalidArgument</Code><Message>If-Match</Message></Error>',
            "under a condition: ",
            id="invalid-argument",
        ),
        pytest.param(400, b"<Error><Code>MissingSecurityHeader</Code></Error>", "cannot be written: ", id="another"),
        pytest.param(400, b"<html>501 <Code>NotImplemented</Code>", "cannot be written: ", id="not-the-stores-words"),
    ],
)
def test_a_store_that_refuses_conditions_is_told_apart_from_one_that_refuses_the_request(
    tmp_path: Path, status: int, body: bytes, words: str
) -> None:
    with careless_store(refusal=(status, body)) as port:
        store = rig_of(tmp_path, port).store()
        with pytest.raises(StateError, match=words) as caught, store.lock(holder()):
            pytest.fail("it takes no lock")
    assert ("If-Match and If-None-Match" in caught.value.hint) is ("condition" in words)
    assert "<" not in str(caught.value)


@pytest.mark.parametrize("honours_create", [False, True], ids=["no-condition", "only-if-none-match"])
def test_a_store_that_does_not_honour_conditions_is_refused_before_anything_is_sent(
    tmp_path: Path, honours_create: bool
) -> None:
    with careless_store(honours_create=honours_create) as port:
        rig = rig_of(tmp_path, port)
        for _ in range(3):  # what the first try has left behind is no proof
            with pytest.raises(StateError, match="does not honour conditional writes") as caught:
                run(rig.store(), apply_one)
            assert "two runs could overwrite each other's state" in caught.value.hint


def test_a_store_that_was_not_asked_to_the_end_whether_it_honours_conditions_is_asked_again(
    tmp_path: Path, object_port: int
) -> None:
    with object_rig(tmp_path, object_port) as rig:
        place = rig.backend().lock()._place._place  # type: ignore[attr-defined]
        place.save(b" \n", expected=None)  # as a run leaves it that died while it was asking
        with rig.store().lock(holder()):
            assert b"alice@desk" in place.load().data
        assert place.load().data == b"\n"


def test_the_object_of_the_lock_stays_and_says_nothing(tmp_path: Path, object_port: int) -> None:
    with object_rig(tmp_path, object_port) as rig:
        place = rig.backend().lock()._place  # type: ignore[attr-defined]
        with rig.store().lock(holder()):
            assert b"alice@desk" in place.load().data
        assert place.load().data == b"\n"
        with rig.store("there").lock(holder()):
            pass


@pytest.mark.parametrize(
    ("state", "secrets", "authorities"),
    [
        pytest.param(
            ObjectState(kind=ObjectKind.GCS, bucket="b", key="k"),
            {"service_account_key": '{"private_key": "made-up-secret"}'},
            None,
            id="half-a-key",
        ),
        pytest.param(
            ObjectState(kind=ObjectKind.S3, bucket="b", key="k"),
            {"access_key_id": "made-up-secret"},
            None,
            id="half-the-credentials",
        ),
        pytest.param(
            ObjectState(kind=ObjectKind.AZURE, bucket="b", key="k", options={"account": "a"}),
            {"account_key": "made-up-secret!"},
            None,
            id="no-base64",
        ),
        pytest.param(ObjectState(kind=ObjectKind.S3, bucket="b", key="k"), {}, b"made-up-secret", id="no-certificate"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_without_repeating_them(
    state: ObjectState, secrets: dict[str, str], authorities: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(StateError, match="cannot be opened with these settings") as caught:
        connect(state, secrets=secrets, authorities=authorities)
    assert caught.value.__cause__ is None
    assert "made-up" not in f"{caught.value}{caught.value.hint}"


@pytest.mark.parametrize(
    ("options", "endpoint"),
    [
        pytest.param({"endpoint": "https://obs.example"}, "https://obs.example", id="in-the-path"),
        pytest.param(
            {"endpoint": "https://obs.example:8443", "addressing": "virtual"},
            "https://states.obs.example:8443",
            id="in-the-host",
        ),
    ],
)
def test_the_bucket_of_a_store_of_ones_own_is_where_the_site_says(options: dict[str, str], endpoint: str) -> None:
    state = ObjectState(kind=ObjectKind.S3, bucket="states", key="demo.json", options={**options, "region": "here"})
    store = connect(state, secrets={"access_key_id": "x", "secret_access_key": "y"}, authorities=None)
    assert store.config["endpoint"] == endpoint
    assert store.config["region"] == "here"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(ObjectState(kind=ObjectKind.S3, bucket="b", key="a/k.json"), "s3://b/a/k.json", id="s3"),
        pytest.param(ObjectState(kind=ObjectKind.GCS, bucket="b", key="k"), "gs://b/k", id="gcs"),
        pytest.param(ObjectState(kind=ObjectKind.AZURE, bucket="c", key="k"), "az://c/k", id="azure"),
    ],
)
def test_a_state_is_named_by_its_url(state: ObjectState, expected: str) -> None:
    assert str(state) == expected


def test_an_azure_store_takes_its_settings_by_our_names() -> None:
    state = ObjectState(kind=ObjectKind.AZURE, bucket="states", key="demo.json", options={"account": "acc"})
    store = connect(state, secrets={"account_key": "bWFkZSB1cA=="}, authorities=None)
    assert store.config["account_name"] == "acc"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param('<?xml version="1.0"?> <Error> <Key>made-up-key</Key> </Error>', id="one-line"),
        pytest.param('<?xml version="1.0"?>\n<Error>\n<Key>made-up-key</Key>\n</Error>', id="lines"),
        pytest.param("<html> made-up-key", id="a-page"),
    ],
)
def test_what_a_store_sends_with_a_refusal_is_not_repeated(sent: str) -> None:
    said = _words(RuntimeError(f"403 Forbidden for https://obs.example/b/k?X-Amz-Signature=made-up-key: {sent}"))
    assert said == "403 Forbidden for https://obs.example/b/k?…"
