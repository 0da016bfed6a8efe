"""Files of certificates and keys, before anything is connected: what is taken, and what is refused in which words."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from gateway.examples import URL, words_of
from gateway.servers import authority

from reconciler.errors import InputError
from reconciler.gateway.trust import build_context
from reconciler.model.gateway_settings import ClientCertificate, GatewaySettings

PASSWORD = "correct-horse-5ec2e7"


def trusting(root: Path, ca_file: str = "ca.pem") -> ssl.SSLContext:
    return build_context(GatewaySettings(url=URL, ca_file=ca_file), root=root)


def showing(root: Path, certificate: str = "client.pem", key: str = "client.key", **given: str) -> ssl.SSLContext:
    shown = ClientCertificate(certificate=certificate, key=key)
    return build_context(GatewaySettings(url=URL, client_certificate=shown), root=root, password=given.get("password"))


def write_client(root: Path, *, password: str | None = None, leaf: trustme.LeafCert | None = None) -> None:
    """Write client.pem and client.key, the key encrypted if there is a password."""
    leaf = leaf or authority().issue_cert("reconciler@client.example")
    chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    (root / "client.pem").write_bytes(chain)
    key = load_pem_private_key(leaf.private_key_pem.bytes(), password=None)
    hidden = NoEncryption() if password is None else BestAvailableEncryption(password.encode())
    (root / "client.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden))


# Whom to trust


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        pytest.param("absent.pem", None, "cannot be read: No such file", id="missing"),
        pytest.param("empty.pem", "", "is empty", id="empty"),
        pytest.param("blank.pem", " \n", "holds no certificate that can be read", id="blank"),
        pytest.param("text.pem", "not a certificate", "holds no certificate that can be read", id="text"),
        pytest.param("accents.pem", "é", "holds no certificate that can be read", id="no-ascii"),
        pytest.param(
            "cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "certificate", id="cut"
        ),
    ],
)
def test_a_ca_file_that_cannot_be_used_is_named_as_written_and_nobody_else_is_trusted_instead(
    tmp_path: Path, name: str, content: str | None, words: str
) -> None:
    (tmp_path / "certs").mkdir()
    if content is not None:
        (tmp_path / "certs" / name).write_text(content)

    with pytest.raises(InputError, match=words) as caught:
        trusting(tmp_path, f"certs/{name}")

    assert f"gateway.ca_file certs/{name}" in str(caught.value)
    assert str(tmp_path) not in f"{caught.value} {caught.value.hint}"
    assert caught.value.hint


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(os.mkfifo, id="pipe"),
        pytest.param(lambda place: place.symlink_to("/dev/zero"), id="link-to-a-device"),
    ],
)
def test_a_ca_file_that_is_no_plain_file_is_refused_at_once(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "ca.pem")
    with pytest.raises(InputError, match=r"^gateway\.ca_file ca\.pem is not a plain file$") as caught:
        trusting(tmp_path)
    assert str(tmp_path) not in f"{caught.value} {caught.value.hint}"


def test_a_directory_is_no_ca_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gateway\.ca_file \. "):
        trusting(tmp_path, ".")


def test_a_ca_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "ca.pem").open("wb") as file:
        file.truncate(1024 * 1024 + 1)
    with pytest.raises(InputError, match=r"^gateway\.ca_file ca\.pem is larger than 1 MiB$"):
        trusting(tmp_path)


def test_a_ca_file_may_hold_remarks_in_any_script(tmp_path: Path, ca_file: Path) -> None:
    (tmp_path / "ca.pem").write_bytes("# Főtanúsítvány\n".encode() + ca_file.read_bytes())
    assert len(trusting(tmp_path).get_ca_certs()) == 1


def test_a_ca_file_replaces_the_machines_authorities(ca_file: Path) -> None:
    assert len(trusting(ca_file.parent, ca_file.name).get_ca_certs()) == 1


def test_certificates_and_names_are_checked_and_old_tls_is_refused(tmp_path: Path) -> None:
    context = build_context(GatewaySettings(url=URL), root=tmp_path)

    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_insecure_checks_no_certificate_and_still_refuses_old_tls(tmp_path: Path) -> None:
    context = build_context(GatewaySettings(url=URL, insecure=True), root=tmp_path)

    assert not context.check_hostname
    assert context.verify_mode is ssl.CERT_NONE
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


# What to show


@pytest.mark.parametrize("password", [None, PASSWORD], ids=["plain-key", "encrypted-key"])
def test_a_certificate_and_its_key_are_taken(tmp_path: Path, password: str | None) -> None:
    write_client(tmp_path, password=password)

    showing(tmp_path, password=PASSWORD)  # a password that nobody asks for does no harm


def test_certificate_and_key_may_stand_in_one_file(tmp_path: Path) -> None:
    write_client(tmp_path)
    both = (tmp_path / "client.pem").read_bytes() + (tmp_path / "client.key").read_bytes()
    (tmp_path / "both.pem").write_bytes(both)

    showing(tmp_path, "both.pem", "both.pem")


def test_an_encrypted_key_without_a_password_is_refused_and_no_terminal_is_asked(tmp_path: Path) -> None:
    write_client(tmp_path, password=PASSWORD)

    with pytest.raises(InputError, match=r"client\.key is encrypted, and no password is given") as caught:
        showing(tmp_path)
    assert "gateway.client_certificate.password" in caught.value.hint


@pytest.mark.parametrize("wrong", ["wrong-battery-77", "x" * 5000], ids=["another", "endless"])
def test_a_wrong_password_is_refused_and_not_shown(tmp_path: Path, wrong: str) -> None:
    write_client(tmp_path, password=PASSWORD)

    with pytest.raises(InputError, match=r"client\.key cannot be decrypted with the password given") as caught:
        showing(tmp_path, password=wrong)
    assert wrong[:16] not in words_of(caught.value)
    assert PASSWORD not in words_of(caught.value)


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    write_client(tmp_path)
    certificate = (tmp_path / "client.pem").read_bytes()
    write_client(tmp_path)
    (tmp_path / "client.pem").write_bytes(certificate)

    words = "client_certificate.key client.key does not belong to gateway.client_certificate.certificate client.pem"
    with pytest.raises(InputError, match=re.escape(words)):
        showing(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        pytest.param("client.pem", None, "certificate client.pem cannot be read: No such file", id="no-certificate"),
        pytest.param("client.key", None, "key client.key cannot be read: No such file", id="no-key"),
        pytest.param("client.pem", b"", "certificate client.pem is empty", id="empty-certificate"),
        pytest.param("client.key", b"", "key client.key is empty", id="empty-key"),
        pytest.param("client.pem", b"\x30\x82", "certificate client.pem holds no certificate", id="der"),
        pytest.param("client.key", b"ssh-rsa AAAA", "key client.key holds no private key", id="not-a-key"),
        pytest.param(
            "client.pem",
            b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
            "certificate client.pem with gateway.client_certificate.key client.key cannot be used",
            id="cut-certificate",
        ),
        pytest.param(
            "client.key",
            b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
            "certificate client.pem with gateway.client_certificate.key client.key cannot be used",
            id="cut-key",
        ),
    ],
)
def test_a_client_certificate_that_cannot_be_used_is_named_as_written(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    write_client(tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(InputError, match=re.escape(f"gateway.client_certificate.{words}")) as caught:
        showing(tmp_path)
    assert str(tmp_path) not in f"{caught.value} {caught.value.hint}"
    assert caught.value.hint
