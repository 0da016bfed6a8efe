from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.secret_reference import MAX_REFERENCE, SecretKind, SecretReference

PASTED = "hunter2-Tr0ub4dor"


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        pytest.param("env:TOKEN_2", SecretKind.ENV, ("TOKEN_2",), id="variable"),
        pytest.param("file:keys/token", SecretKind.FILE, ("keys/token",), id="file"),
        pytest.param("file:/run/secrets/token", SecretKind.FILE, ("/run/secrets/token",), id="absolute-file"),
        pytest.param("file:C:/a:b", SecretKind.FILE, ("C:/a:b",), id="colons-in-a-path"),
        pytest.param("file:..token", SecretKind.FILE, ("..token",), id="dots-in-a-name"),
        pytest.param("file:/a/../b", SecretKind.FILE, ("/a/../b",), id="dots-in-an-absolute-path"),
        pytest.param("command:pass show 'a b'", SecretKind.COMMAND, ("pass", "show", "a b"), id="quoted-argument"),
        pytest.param("command:echo $HOME;ls", SecretKind.COMMAND, ("echo", "$HOME;ls"), id="no-shell"),
        pytest.param("command:  pass", SecretKind.COMMAND, ("pass",), id="blanks"),
    ],
)
def test_a_reference_says_where_the_secret_is(text: str, kind: SecretKind, words: tuple[str, ...]) -> None:
    assert SecretReference.parse(text) == SecretReference(kind=kind, words=words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(PASTED, "a secret itself never stands in a file", id="secret"),
        pytest.param("", "env:NAME, file:PATH or command:PROGRAM", id="nothing"),
        pytest.param(f"vault:{PASTED}", "env:NAME, file:PATH or command:PROGRAM", id="unknown-kind"),
        pytest.param(f"ENV:{PASTED}", "env:NAME", id="upper-case-kind"),
        pytest.param(f" env:{PASTED}", "env:NAME", id="blank-before"),
        pytest.param(f"env:{PASTED}", "the name of an environment variable", id="secret-behind-env"),
        pytest.param("env:", "the name of an environment variable", id="no-variable"),
        pytest.param("env:TOKEN ", "the name of an environment variable", id="blank-behind-a-variable"),
        pytest.param("env:TOKEN\n", "control character", id="line-break"),
        pytest.param("env:TÖKEN", "the name of an environment variable", id="letter-of-another-alphabet"),
        pytest.param("file:", "the path of the file", id="no-path"),
        pytest.param("file: ", "the path of the file", id="blank-path"),
        pytest.param("file:~/token", "absolute path", id="home"),
        pytest.param(f"file:../{PASTED}", "stays within the environment", id="way-out"),
        pytest.param(f"file:a/../../{PASTED}", "stays within the environment", id="hidden-way-out"),
        pytest.param("file:a\x00b", "control character", id="nul"),
        pytest.param(f"file:{'x' * MAX_REFERENCE}", "longer than 4096 characters", id="too-long"),
        pytest.param("command:", "a program", id="no-program"),
        pytest.param("command:''", "a program", id="empty-program"),
        pytest.param(f"command:pass '{PASTED}", "a quotation mark is not closed", id="open-quotation"),
        pytest.param(f"command:pass {PASTED}\\", "nothing is behind a '\\'", id="backslash-at-the-end"),
        pytest.param(f"command:a\x1b[2J{PASTED}", "control character", id="escape-sequence"),
    ],
)
def test_what_is_no_reference_is_refused_with_what_to_write_and_not_repeated(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        SecretReference.parse(text)

    assert words in str(caught.value)
    assert PASTED not in str(caught.value)


def test_of_a_command_only_the_program_is_shown() -> None:
    reference = SecretReference.parse(f"command:vault read -token {PASTED}")

    assert str(reference) == "command:vault …"
    assert PASTED not in f"{reference!r} {reference}"


@given(st.text())
def test_whatever_is_accepted_can_be_shown_on_one_line(text: str) -> None:
    for kind in SecretKind:
        try:
            shown = str(SecretReference.parse(f"{kind}:{text}"))
        except ValueError:
            continue
        assert shown.isprintable()
