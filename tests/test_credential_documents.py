"""A document of secrets is read from where a single secret is, and may have many lines."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from reconciler.credentials import MAX_DOCUMENT, MAX_SECRET, read_secret, read_secret_document
from reconciler.errors import CredentialError, SessionSourceError
from reconciler.model.secret_reference import SecretReference

DOCUMENT = '{\n\t"1001": {"password": "hunter2"}\n}\n'


def read(reference: str, root: Path, environ: dict[str, str] | None = None) -> str:
    parsed = SecretReference.parse(reference)
    return read_secret_document(parsed, root=root, environ=environ or {}, what="the setting")


def test_a_document_comes_from_a_variable_a_file_or_a_program_line_for_line(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text(DOCUMENT)
    program = f"command:{sys.executable} -c 'print(open(\"secrets.json\").read())'"

    found = [read("env:X", tmp_path, {"X": DOCUMENT}), read("file:secrets.json", tmp_path), read(program, tmp_path)]

    assert [text.splitlines()[:3] for text in found] == [DOCUMENT.splitlines()] * 3


def test_a_document_may_be_larger_than_a_single_secret(tmp_path: Path) -> None:
    text = "x" * (MAX_SECRET + 1)
    (tmp_path / "secrets").write_text(text)

    assert read("file:secrets", tmp_path) == text
    with pytest.raises(CredentialError, match="larger than 64 KiB"):
        read_secret(SecretReference.parse("file:secrets"), root=tmp_path, environ={}, what="the setting")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"x" * (MAX_DOCUMENT + 1), "larger than 16384 KiB", id="too-large"),
        pytest.param(b"\xffhunter2", "not UTF-8", id="not-utf-8"),
        pytest.param(b" \n\n", "empty", id="empty"),
    ],
)
def test_a_document_that_cannot_be_read_is_refused_without_quoting_it(
    tmp_path: Path, content: bytes, words: str
) -> None:
    (tmp_path / "secrets").write_bytes(content)

    with pytest.raises(SessionSourceError, match=words) as refusal:
        read_secret_document(
            SecretReference.parse("file:secrets"),
            root=tmp_path,
            environ={},
            what="the setting",
            raising=SessionSourceError,
        )

    assert str(refusal.value).startswith("the setting: file:secrets: ")
    assert "hunter2" not in repr([refusal.value, refusal.value.__cause__, refusal.value.__context__])
