"""The `state` section of site.yaml: each backend with its own settings, and nothing that is a secret or a command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from reconciler.desired import load
from reconciler.model.secret_reference import SecretReference
from reconciler.model.state_settings import LocalState
from reconciler.model.states_away import BasicLogin, GitState, HttpState, ObjectKind, ObjectState, StateSettings
from reconciler.schemas import schema_text

HEAD = "name: test\ngateway: {url: https://gateway.example:8043}\n"
KEY = SecretReference.parse("env:KEY")


def write(root: Path, section: str) -> Path:
    (root / "site.yaml").write_text(f"{HEAD}state: {section}\n")
    (root / "fleet.yaml").write_text("agents:\n  1001: {total: 5, channels: {web_chat: 3}}\n")
    return root


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        pytest.param("{}", LocalState(), id="default"),
        pytest.param("{path: a/b.json}", LocalState(path="a/b.json"), id="local"),
        pytest.param("{backend: git}", GitState(), id="git"),
        pytest.param(
            "{backend: git, remote: 'https://git.example/a.git', ref: refs/heads/state, password: env:KEY}",
            GitState(
                remote="https://git.example/a.git",
                ref="refs/heads/state",
                login=BasicLogin(username="x-access-token", password=KEY),
            ),
            id="git-with-a-token",
        ),
        pytest.param(
            "{backend: git, remote: 'git@git.example:team/a.git', journal: /var/lib/reconciler}",
            GitState(remote="git@git.example:team/a.git", journal="/var/lib/reconciler"),
            id="git-over-ssh",
        ),
        pytest.param(
            "{backend: object, url: s3://states/a/demo.json, region: eu-1, endpoint: https://obs.example, "
            "addressing: virtual, access_key_id: env:KEY, secret_access_key: env:KEY}",
            ObjectState(
                kind=ObjectKind.S3,
                bucket="states",
                key="a/demo.json",
                options={"region": "eu-1", "endpoint": "https://obs.example", "addressing": "virtual"},
                secrets={"access_key_id": KEY, "secret_access_key": KEY},
            ),
            id="object-s3",
        ),
        pytest.param(
            "{backend: object, url: gs://states/demo.json, service_account_key: env:KEY}",
            ObjectState(kind=ObjectKind.GCS, bucket="states", key="demo.json", secrets={"service_account_key": KEY}),
            id="object-gcs",
        ),
        pytest.param(
            "{backend: object, url: az://states/demo.json, account: acc, sas_token: env:KEY}",
            ObjectState(
                kind=ObjectKind.AZURE,
                bucket="states",
                key="demo.json",
                options={"account": "acc"},
                secrets={"sas_token": KEY},
            ),
            id="object-azure",
        ),
        pytest.param(
            "{backend: http, url: https://state.example/demo, lock_url: https://state.example/demo/lock, "
            "lock_method: POST, unlock_method: DELETE, username: ci, password: env:KEY, timeout: 5s, retries: 0}",
            HttpState(
                url="https://state.example/demo",
                lock_url="https://state.example/demo/lock",
                lock_method="POST",
                unlock_method="DELETE",
                login=BasicLogin(username="ci", password=KEY),
                timeout=5.0,
                retries=0,
            ),
            id="http-as-gitlab-has-it",
        ),
    ],
)
def test_each_backend_is_read_with_its_own_settings(tmp_path: Path, section: str, expected: StateSettings) -> None:
    loaded = load(write(tmp_path, section))
    assert loaded.diagnostics == ()
    assert loaded.desired is not None
    assert loaded.desired.site.state == expected


@pytest.mark.parametrize(
    ("section", "place", "words"),
    [
        pytest.param(
            "{backend: git, path: a}", "/state/path", "'path' does not go with backend 'git'", id="others-key"
        ),
        pytest.param(
            "{path: a, remote: origin}",
            "/state/remote",
            "'remote' does not go with backend 'local'",
            id="key-of-a-backend",
        ),
        pytest.param("{backend: object}", "/state", "url", id="object-without-url"),
        pytest.param("{backend: http}", "/state", "url", id="http-without-url"),
        pytest.param("{backend: git, username: me}", "/state", "password", id="user-without-password"),
        pytest.param(
            "{backend: http, url: https://a.example/b, password: env:KEY}", "/state", "username", id="no-user"
        ),
        pytest.param(
            "{backend: object, url: s3://b/k, access_key_id: env:KEY}", "/state", "secret_access_key", id="half"
        ),
        pytest.param("{backend: object, url: az://b/k}", "/state", "account", id="azure-without-account"),
        pytest.param(
            "{backend: object, url: gs://b/k, region: x}",
            "/state/region",
            "does not go with backend 'object' with gs://",
            id="region-of-gcs",
        ),
        pytest.param("{backend: git, remote: 'ext::sh -c x'}", "/state/remote", "name of a remote, or a URL", id="ext"),
        pytest.param("{backend: git, remote: '--upload-pack=x'}", "/state/remote", "or a URL", id="option"),
        pytest.param("{backend: git, remote: '-oProxyCommand=x@h:p'}", "/state/remote", "or a URL", id="ssh-option"),
        pytest.param("{backend: git, remote: 'ssh://-oProxyCommand=x/p'}", "/state/remote", "host", id="ssh-host"),
        pytest.param("{backend: git, remote: 'ssh://-o@h.example/p'}", "/state/remote", "user", id="ssh-user"),
        pytest.param("{backend: git, remote: 'ssh://a:b@h.example/p'}", "/state/remote", "password", id="ssh-password"),
        pytest.param("{backend: git, remote: 'file://host/x'}", "/state/remote", "absolute path", id="file-of-a-host"),
        pytest.param("{backend: git, remote: 'http://g.example/a'}", "/state/remote", "https://", id="plain-http"),
        pytest.param("{backend: git, ref: refs/state}", "/state/ref", "full name of a ref", id="ref-too-short"),
        pytest.param("{backend: git, ref: refs/heads/a..b}", "/state/ref", "full name of a ref", id="ref-dots"),
        pytest.param("{backend: git, ref: refs/heads/a.lock}", "/state/ref", "full name of a ref", id="ref-lock"),
        pytest.param("{backend: git, ref: refs/heads/-a}", "/state/ref", "full name of a ref", id="ref-option"),
        pytest.param("{backend: object, url: 's3://b/../k'}", "/state/url", "the object's name", id="key-dots"),
        pytest.param("{backend: object, url: s3://b}", "/state/url", "the object's name", id="no-key"),
        pytest.param("{backend: object, url: 's3://a:b@c/k'}", "/state/url", "name of a bucket", id="bucket-user"),
        pytest.param("{backend: object, url: ftp://b/k}", "/state/url", "s3://", id="no-store"),
        pytest.param(
            "{backend: object, url: s3://b/k, endpoint: http://a.example}", "/state/endpoint", "https", id="end"
        ),
        pytest.param("{backend: http, url: http://a.example/b}", "/state/url", "https://", id="http-plain"),
        pytest.param("{backend: http, url: https://a.example/b, timeout: 2d}", "/state/timeout", "duration", id="time"),
        pytest.param("{backend: http, url: https://a.example/b, retries: 99}", "/state/retries", "10", id="retries"),
    ],
)
def test_what_cannot_be_a_backend_is_refused_at_its_place(tmp_path: Path, section: str, place: str, words: str) -> None:
    loaded = load(write(tmp_path, section))
    assert loaded.desired is None
    told = [f"{found.pointer}: {found.summary}" for found in loaded.diagnostics]
    assert any(each.startswith(place) and words in each for each in told), told


DOC = (Path(__file__).parents[2] / "docs" / "state.md").read_text()
EXAMPLES = [block for block in re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL) if block.startswith("state:")]


@pytest.mark.parametrize("example", EXAMPLES, ids=[str(number) for number in range(len(EXAMPLES))])
def test_every_example_of_the_documentation_is_a_state(tmp_path: Path, example: str) -> None:
    (write(tmp_path, "{}") / "site.yaml").write_text(HEAD + example)
    assert load(tmp_path).diagnostics == ()


def test_every_setting_is_in_the_documentation() -> None:
    properties = json.loads(schema_text("site"))["properties"]["state"]["properties"]
    assert [name for name in properties if name not in DOC] == []
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize(
    "section",
    [
        pytest.param("{backend: git, password: pasted-by-mistake}", id="git"),
        pytest.param("{backend: object, url: s3://b/k, access_key_id: pasted-by-mistake}", id="object"),
        pytest.param("{backend: http, url: 'https://me:pasted-by-mistake@a.example/b'}", id="in-a-url"),
        pytest.param("{backend: git, remote: 'https://me:pasted-by-mistake@a.example/b'}", id="in-a-remote"),
    ],
)
def test_a_secret_that_was_pasted_is_refused_and_not_repeated(tmp_path: Path, section: str) -> None:
    loaded = load(write(tmp_path, section))
    assert loaded.desired is None
    assert "pasted-by-mistake" not in repr(loaded.diagnostics)


def test_a_site_whose_name_no_ref_can_have_says_so(tmp_path: Path) -> None:
    (write(tmp_path, "{backend: git}") / "site.yaml").write_text(
        HEAD.replace("name: test", "name: a..b") + "state: {backend: git}\n"
    )
    loaded = load(tmp_path)
    assert loaded.desired is None
    assert any("state.ref" in found.summary for found in loaded.diagnostics)
