"""What is particular to states in Git: history, credentials, and other people's repositories left alone."""

from __future__ import annotations

import base64
import gc
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from state.backends.git_server import LOGIN, serving_git
from state.backends.rigs import TOKEN, Rig, bare_repository, git_environment, git_rig
from state.records import WEB_CHAT_4, apply_one, holder
from state.runs import run
from support.counterparts import require_program

from reconciler.errors import LockHeldError, StateError, StateUnansweredError
from reconciler.model.state import empty_state
from reconciler.model.states_away import BasicLogin, GitState
from reconciler.state.backends.git_remote import find_remote

SECRET = LOGIN[1]


def git(*arguments: str, at: Path) -> str:
    command = [require_program("git", package="git"), "-C", str(at), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=git_environment()).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """An environment in a checkout whose origin is a bare repository."""
    repository = bare_repository(tmp_path)
    root = tmp_path / "checkout"
    root.mkdir()
    git("init", "--quiet", at=root)
    git("remote", "add", "origin", f"file://{repository}", at=root)
    (root / "site.yaml").write_text("name: demo\n")
    git("add", "site.yaml", at=root)
    return root


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "served").mkdir()
    bare_repository(tmp_path / "served")
    with serving_git(tmp_path / "served", require_program("git", package="git")) as port:
        yield f"127.0.0.1:{port}/states.git"


def rig_of(root: Path, settings: GitState, *, password: str = SECRET) -> Rig:
    return Rig(root=root, settings=settings, environ=git_environment(), password=password)


def logged_environment(tmp_path: Path) -> tuple[dict[str, str], Path]:
    """Return an environment whose git writes its arguments down, and where."""
    log, real = tmp_path / "arguments", require_program("git", package="git")
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {log}\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    return {**git_environment(), "PATH": f"{wrapper.parent}:/usr/bin:/bin"}, log


def test_every_version_is_a_commit_that_says_who_made_it_and_why(tmp_path: Path) -> None:
    rig = git_rig(tmp_path)
    run(rig.store(), apply_one)
    run(rig.store(), lambda recorder: apply_one(recorder, concurrency=WEB_CHAT_4))
    assert rig.repository is not None
    log = git("log", "--format=%an|%s", "refs/reconciler/demo", at=rig.repository).splitlines()
    assert log == ["reconciler|a run has ended: serial 2", "reconciler|a run has ended: serial 1"]
    assert git("ls-tree", "--name-only", "refs/reconciler/demo", at=rig.repository) == "state.json\n"


def test_the_ref_of_the_lock_is_there_while_it_is_held_and_not_after(tmp_path: Path) -> None:
    rig = git_rig(tmp_path)
    assert rig.repository is not None
    with rig.store().lock(holder()):
        assert "refs/reconciler/demo+lock" in git("for-each-ref", at=rig.repository)
    assert git("for-each-ref", at=rig.repository) == ""


def fingerprint(directory: Path) -> dict[str, str]:
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_checkout_of_the_environment_is_not_touched(checkout: Path) -> None:
    before = fingerprint(checkout)
    rig = rig_of(checkout.parent, GitState())
    (checkout.parent / "here").symlink_to(checkout)
    saved = run(rig.store(), apply_one)
    assert rig.store().read() == saved
    after = fingerprint(checkout)
    assert {path: digest for path, digest in after.items() if ".reconciler" not in path} == before
    assert git("for-each-ref", at=checkout) == ""
    assert "refs/reconciler/demo" in git("for-each-ref", at=checkout.parent / "states.git")
    assert git("status", "--porcelain", "--ignored=no", at=checkout) == "A  site.yaml\n"


def test_a_remote_with_a_relative_path_is_relative_to_the_checkout(checkout: Path) -> None:
    git("remote", "set-url", "origin", "../states.git", at=checkout)
    (checkout / "desired").mkdir()
    (checkout.parent / "here").symlink_to(checkout / "desired")
    run(rig_of(checkout.parent, GitState()).store(), apply_one)
    assert "refs/reconciler/demo" in git("for-each-ref", at=checkout.parent / "states.git")


@pytest.mark.parametrize("remote", ["origin", "upstream"])
def test_a_remote_that_is_not_there_is_named(tmp_path: Path, remote: str) -> None:
    with pytest.raises(StateError, match=f"no Git repository with a remote '{remote}'") as caught:
        rig_of(tmp_path, GitState(remote=remote)).store().read()
    assert "state.remote" in caught.value.hint


def with_user_information(checkout: Path, served: str) -> None:
    git("remote", "set-url", "origin", f"http://{LOGIN[0]}:{SECRET}@{served}", at=checkout)


def with_a_header(checkout: Path, served: str) -> None:
    token = base64.b64encode(":".join(LOGIN).encode()).decode()
    host = served.partition("/")[0]
    git("remote", "set-url", "origin", f"http://{served}", at=checkout)
    git("config", "--local", f"http.http://{host}/.extraheader", f"AUTHORIZATION: basic {token}", at=checkout)


@pytest.mark.parametrize(
    "prepare",
    [
        pytest.param(with_user_information, id="in-the-address-as-gitlab-does"),
        pytest.param(with_a_header, id="in-the-configuration-as-github-does"),
    ],
)
def test_the_credentials_of_a_checkout_are_used_and_are_no_argument(
    checkout: Path, served: str, tmp_path: Path, prepare: Callable[[Path, str], None]
) -> None:
    prepare(checkout, served)
    if prepare is with_a_header:
        # The made-up server compares letter by letter, and the header of a CI host begins in lower case.
        text = (checkout / ".git" / "config").read_text()
        (checkout / ".git" / "config").write_text(text.replace("AUTHORIZATION: basic", "Authorization: Basic"))
    environment, log = logged_environment(tmp_path)
    (checkout.parent / "here").symlink_to(checkout)
    rig = Rig(root=checkout.parent, settings=GitState(), environ=environment)
    saved = run(rig.store(), apply_one)
    assert rig.store().read() == saved
    assert "push --porcelain" in log.read_text()
    assert SECRET not in log.read_text()
    assert base64.b64encode(":".join(LOGIN).encode()).decode() not in log.read_text()


def test_a_user_name_alone_leaves_the_password_to_a_credential_helper(
    checkout: Path, served: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    host = served.partition("/")[0]
    (home / ".git-credentials").write_text(f"http://other:x@{host}\nhttp://{LOGIN[0]}:{SECRET}@{host}\n")
    (home / ".gitconfig").write_text("[credential]\n\thelper = store\n")
    git("remote", "set-url", "origin", f"http://{LOGIN[0]}@{served}", at=checkout)
    (checkout.parent / "here").symlink_to(checkout)
    environ = {**git_environment(), "HOME": str(home)}
    rig = Rig(root=checkout.parent, settings=GitState(), environ=environ)
    saved = run(rig.store(), apply_one)
    assert rig.store().read() == saved


@pytest.mark.parametrize(
    ("settings", "environ", "sent"),
    [
        pytest.param("", {}, True, id="nobody-to-ask"),
        pytest.param("[credential]\n\thelper =\n", {}, True, id="helper-taken-back"),
        pytest.param('[credential "https://git.example"]\n\thelper = store\n', {}, False, id="helper-for-the-host"),
        pytest.param("[core]\n\taskPass = ask\n", {}, False, id="a-program-that-asks"),
        pytest.param("", {"GIT_ASKPASS": "ask"}, False, id="a-program-that-asks-by-variable"),
    ],
)
def test_a_token_for_a_user_name_is_sent_by_itself_only_where_nobody_keeps_a_password(
    checkout: Path, tmp_path: Path, settings: str, environ: dict[str, str], sent: bool
) -> None:
    (tmp_path / "gitconfig").write_text(settings)
    around = {**git_environment(), "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"), **environ}
    git("remote", "set-url", "origin", "https://made-up-token@git.example/a.git", at=checkout)
    remote = find_remote("origin", root=checkout, environ=around)
    assert remote.url == "https://git.example/a.git"
    names = dict(remote.config)
    assert ("http.https://git.example/.extraHeader" in names) is sent
    assert names.get("credential.https://git.example.username") == (None if sent else "made-up-token")
    assert "made-up-token" not in repr(remote)


@pytest.mark.parametrize(
    ("header", "sent"), [("X-Trace: 1", True), ("AUTHORIZATION: basic eDp5", False)], ids=["another", "login"]
)
def test_only_a_header_that_is_a_login_keeps_a_token_from_being_sent(checkout: Path, header: str, sent: bool) -> None:
    git("remote", "set-url", "origin", "https://made-up-token@git.example/a.git", at=checkout)
    git("config", "--local", "http.https://git.example/.extraHeader", header, at=checkout)
    remote = find_remote("origin", root=checkout, environ=git_environment())
    assert (remote.config[-1] == ("credential.helper", "")) is sent


@pytest.mark.parametrize(
    ("setting", "value"), [("credential.helper", "store"), ("http.extraHeader", "Authorization: Basic eDp5")]
)
def test_what_a_checkout_has_set_is_not_asked_of_a_remote_that_is_an_address(
    checkout: Path, setting: str, value: str
) -> None:
    git("config", "--local", setting, value, at=checkout)
    remote = find_remote("https://made-up-token@git.example/a.git", root=checkout, environ=git_environment())
    assert "http.https://git.example/.extraHeader" in dict(remote.config)


def test_a_user_name_beside_a_header_that_a_ci_host_has_left_stays_what_it_is(checkout: Path, served: str) -> None:
    token = base64.b64encode(":".join(LOGIN).encode()).decode()
    address = f"http://acme@{served}"
    git("remote", "set-url", "origin", address, at=checkout)
    git("config", f"http.{address}.extraheader", f"Authorization: Basic {token}", at=checkout)
    (checkout.parent / "here").symlink_to(checkout)
    assert rig_of(checkout.parent, GitState()).store().read() == empty_state("demo")


@pytest.mark.parametrize("place", ["checkout", "person"])
def test_one_login_is_sent_whatever_headers_others_have_set(
    checkout: Path, served: str, tmp_path: Path, place: str
) -> None:
    host = served.partition("/")[0]
    git("remote", "set-url", "origin", f"http://{LOGIN[0]}:{SECRET}@{served}", at=checkout)
    settings = tmp_path / "gitconfig" if place == "person" else checkout / ".git" / "config"
    with settings.open("a") as file:
        file.write(f'[http "http://{host}/"]\n\textraHeader = Authorization: Basic Y2hlY2tvdXQ=\n')
    (checkout.parent / "here").symlink_to(checkout)
    environ = {**git_environment(), "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig")}
    rig = Rig(root=checkout.parent, settings=GitState(), environ=environ)
    assert rig.store().read() == empty_state("demo")


def test_a_login_by_reference_is_used_and_is_no_argument(served: str, tmp_path: Path) -> None:
    environment, log = logged_environment(tmp_path)
    settings = GitState(remote=f"http://{served}", login=BasicLogin(username=LOGIN[0], password=TOKEN))
    rig = Rig(root=tmp_path, settings=settings, environ=environment, password=SECRET)
    saved = run(rig.store(), apply_one)
    assert rig.store().read() == saved
    assert SECRET not in log.read_text()


def test_a_wrong_login_ends_in_words_without_a_question_and_without_the_secret(served: str, tmp_path: Path) -> None:
    settings = GitState(remote=f"http://{served}", login=BasicLogin(username=LOGIN[0], password=TOKEN))
    rig = rig_of(tmp_path, settings, password="another-made-up-token")
    with pytest.raises(StateError, match="cannot be read") as caught:
        rig.store().read()
    assert "another-made-up-token" not in f"{caught.value}{caught.value.hint}"


def test_a_password_is_not_sent_over_a_network_in_the_clear(checkout: Path) -> None:
    git("remote", "set-url", "origin", "http://git.example/a.git", at=checkout)
    with pytest.raises(StateError, match="reached over plain http"):
        find_remote("origin", root=checkout, environ=git_environment(), login=LOGIN)
    assert find_remote("origin", root=checkout, environ=git_environment()).url == "http://git.example/a.git"


def test_variables_that_lead_git_elsewhere_are_left_out(tmp_path: Path) -> None:
    rig = git_rig(tmp_path)
    trap = tmp_path / "trap"
    rig.environ |= {
        "GIT_DIR": str(trap),
        "GIT_WORK_TREE": str(trap),
        "GIT_INDEX_FILE": str(trap),
        "GIT_OBJECT_DIRECTORY": str(trap),
        "GIT_TRACE_CURL": str(tmp_path / "trace"),
        "GIT_NAMESPACE": "elsewhere",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "user.name",
        "GIT_CONFIG_VALUE_0": "somebody",
    }
    saved = run(rig.store(), apply_one)
    assert rig.store().read() == saved
    assert not trap.exists()
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize(
    "remote",
    ["ext::sh -c 'touch trap'", "-oProxyCommand=x", "--upload-pack=touch trap"],
    ids=["ext", "option", "long-option"],
)
def test_an_address_that_is_a_command_is_not_run(tmp_path: Path, remote: str) -> None:
    rig = rig_of(tmp_path, GitState(remote=remote))
    with pytest.raises(StateError):
        rig.store().read()
    assert not list(tmp_path.rglob("trap"))


def test_without_git_the_remedy_is_told(tmp_path: Path) -> None:
    rig = Rig(root=tmp_path, settings=GitState(remote="file:///nowhere"), environ={"PATH": str(tmp_path)})
    before = os.environ["PATH"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        with pytest.raises(StateError, match="git cannot be started: No such file or directory") as caught:
            rig.store().read()
    assert os.environ["PATH"] == before
    assert "install Git" in caught.value.hint


def test_a_ref_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    rig = git_rig(tmp_path)
    assert rig.repository is not None
    tree = git("hash-object", "-w", "-t", "tree", "/dev/null", at=rig.repository).strip()
    commit = subprocess.run(
        ["git", "-C", str(rig.repository), "commit-tree", tree, "-m", "x"],
        check=True,
        capture_output=True,
        text=True,
        env={
            **git_environment(),
            **{f"GIT_{role}_{part}": "x" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")},
        },
    ).stdout.strip()
    git("update-ref", "refs/reconciler/demo", commit, at=rig.repository)
    words = r"refs/reconciler/demo of .* is no commit that holds state\.json and nothing else"
    with pytest.raises(StateError, match=words):
        rig.store().read()


def commit_of(repository: Path, entries: str) -> str:
    """Return a commit whose tree is what `entries` say to `git mktree`."""
    identity = {f"GIT_{role}_{part}": "x" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    tree = fed("mktree", "--missing", at=repository, stdin=entries)
    command = ["git", "-C", str(repository), "commit-tree", tree, "-m", "x"]
    environment = {**git_environment(), **identity}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()


def fed(*arguments: str, at: Path, stdin: str) -> str:
    command = ["git", "-C", str(at), *arguments]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env=git_environment(), input=stdin
    ).stdout.strip()


def odd_tips(repository: Path, blob: str) -> dict[str, str]:
    """What else than a state a ref can lead to, by name."""
    commit = commit_of(repository, f"100644 blob {blob}\tstate.json\n")
    tag = f"object {commit}\ntype commit\ntag demo\ntagger x <x> 0 +0000\n\nx\n"
    return {
        "tag": fed("mktag", at=repository, stdin=tag),
        "blob": blob,
        "link": commit_of(repository, f"120000 blob {blob}\tstate.json\n"),
        "submodule": commit_of(repository, f"160000 commit {commit}\tstate.json\n"),
        "others-too": commit_of(repository, f"100644 blob {blob}\tstate.json\n100644 blob {blob}\tprecious.txt\n"),
    }


@pytest.mark.parametrize("kind", ["tag", "blob", "link", "submodule", "others-too"])
def test_a_ref_that_leads_to_more_or_else_than_the_state_is_left_as_it_is(tmp_path: Path, kind: str) -> None:
    rig = git_rig(tmp_path)
    assert rig.repository is not None
    run(rig.store(), apply_one)
    blob = git("rev-parse", "refs/reconciler/demo:state.json", at=rig.repository).strip()
    tip = odd_tips(rig.repository, blob)[kind]
    git("update-ref", "--no-deref", "refs/reconciler/demo", tip, at=rig.repository)
    with pytest.raises(StateError, match=r"is no commit that holds state\.json and nothing else"):
        run(rig.store(), apply_one)
    assert git("rev-parse", "refs/reconciler/demo", at=rig.repository).strip() == tip


def test_a_state_too_large_to_be_one_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = git_rig(tmp_path)
    run(rig.store(), apply_one)
    monkeypatch.setattr("reconciler.state.backends.git.MAX_READ", 10)
    with pytest.raises(StateError, match="is larger than"):
        rig.store().read()


def test_a_persons_own_settings_neither_run_their_hooks_nor_sign_the_push(tmp_path: Path) -> None:
    rig = git_rig(tmp_path)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("reference-transaction", "pre-push"):
        (hooks / name).write_text(f"#!/bin/sh\npwd -P >> {tmp_path}/ran-{name}\n")
        (hooks / name).chmod(0o755)
    settings = tmp_path / "gitconfig"
    settings.write_text(f"[core]\n\thooksPath = {hooks}\n[push]\n\tgpgSign = true\n")
    rig.environ["GIT_CONFIG_GLOBAL"] = str(settings)
    saved = run(rig.store(), apply_one)
    assert rig.store().read() == saved
    # The other side of a `file://` is this machine too: what hooks run in that repository is its own business.
    ran_in = {line for ran in tmp_path.glob("ran-*") for line in ran.read_text().splitlines()}
    assert ran_in <= {str(rig.repository)}


@pytest.mark.parametrize(
    "setting",
    [
        pytest.param("[push]\n\trecurseSubmodules = only\n", id="submodules-only"),
        pytest.param("[push]\n\trecurseSubmodules = check\n[submodule]\n\trecurse = true\n", id="submodules-too"),
        pytest.param("[push]\n\tpushOption = ci.skip\n", id="options-the-host-does-not-know"),
        pytest.param("[push]\n\tfollowTags = true\n\tuseForceIfIncludes = true\n\tdefault = nothing\n", id="defaults"),
    ],
)
def test_a_persons_own_settings_do_not_change_what_is_pushed(tmp_path: Path, setting: str) -> None:
    rig = git_rig(tmp_path)
    (tmp_path / "gitconfig").write_text(setting)
    rig.environ["GIT_CONFIG_GLOBAL"] = str(tmp_path / "gitconfig")
    there = rig.store("there")
    with rig.store().lock(holder()), pytest.raises(LockHeldError), there.lock(holder("bob@night", "run-2")):
        pytest.fail("two holders")
    saved = run(rig.store(), apply_one)
    assert rig.store("there").read() == saved


@pytest.mark.parametrize("held", ["nothing", "a-branch"])
def test_a_repository_that_names_its_objects_by_sha256_keeps_states(tmp_path: Path, held: str) -> None:
    rig = git_rig(tmp_path)
    assert rig.repository is not None
    shutil.rmtree(rig.repository)
    git("init", "--quiet", "--bare", "--object-format=sha256", str(rig.repository), at=tmp_path)
    if held == "a-branch":
        git("update-ref", "refs/heads/other", commit_of(rig.repository, ""), at=rig.repository)
    rig.environ["GIT_DEFAULT_HASH"] = "sha1"
    saved = run(rig.store(), apply_one)
    assert rig.store("there").read() == saved
    later = run(rig.store("there"), lambda recorder: apply_one(recorder, concurrency=WEB_CHAT_4))
    assert rig.store().read() == later
    assert len(git("rev-parse", "refs/reconciler/demo", at=rig.repository).strip()) == 64


def test_what_a_person_has_set_for_new_repositories_is_not_asked(tmp_path: Path) -> None:
    rig = git_rig(tmp_path)
    (tmp_path / "gitconfig").write_text("[init]\n\tdefaultObjectFormat = sha256\n\tdefaultRefFormat = reftable\n")
    rig.environ |= {"GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"), "GIT_DEFAULT_HASH": "sha256"}
    saved = run(rig.store(), apply_one)
    assert rig.store("there").read() == saved


def test_a_push_that_nobody_heard_is_told_as_it_failed_first(tmp_path: Path) -> None:
    rig = git_rig(tmp_path)
    real, wrapper = require_program("git", package="git"), tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(
        f'#!/bin/sh\ncase " $* " in *" push "*) echo p >> {tmp_path}/n; echo "fatal: try $(wc -l < {tmp_path}/n)" >&2; '
        f'exit 128;; esac\nexec {real} "$@"\n'
    )
    wrapper.chmod(0o755)
    rig.environ["PATH"] = f"{wrapper.parent}:/usr/bin:/bin"
    with pytest.raises(StateUnansweredError, match=r"cannot be written: fatal: try 1$"):
        rig.backend().save(b"{}", expected=None)


def test_a_push_that_ends_well_and_has_sent_nothing_is_no_write(tmp_path: Path) -> None:
    rig = git_rig(tmp_path)
    real, wrapper = require_program("git", package="git"), tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\ncase " $* " in *" push "*) echo Done; exit 0;; esac\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    rig.environ["PATH"] = f"{wrapper.parent}:/usr/bin:/bin"
    with pytest.raises(StateUnansweredError, match="cannot be written"):
        rig.backend().save(b"{}", expected=None)


def test_a_server_that_does_not_take_the_ref_is_told_in_its_words(tmp_path: Path) -> None:
    rig = git_rig(tmp_path)
    assert rig.repository is not None
    hook = rig.repository / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(StateError, match="pre-receive hook declined"):
        rig.backend().save(b"{}", expected=None)


def test_what_git_needs_on_this_machine_is_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    rig = git_rig(tmp_path)
    run(rig.store(), apply_one)
    gc.collect()
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize(
    ("url", "shown", "names"),
    [
        pytest.param("https://git.example/a.git", "https://git.example/a.git", [], id="plain"),
        pytest.param(
            "https://me:pa%3Ass@git.example:8443/a.git",
            "https://git.example:8443/a.git",
            [*["http.https://git.example:8443/.extraHeader"] * 2, "http.followRedirects", "credential.helper"],
            id="user-information",
        ),
        pytest.param(
            "HTTPS://me:pa%3Ass@git.example/a.git",
            "https://git.example/a.git",
            [*["http.https://git.example/.extraHeader"] * 2, "http.followRedirects", "credential.helper"],
            id="shouted",
        ),
        pytest.param("git@git.example:team/a.git", "git@git.example:team/a.git", [], id="ssh"),
    ],
)
def test_an_address_leaves_its_secret_to_the_configuration(
    checkout: Path, url: str, shown: str, names: Sequence[str]
) -> None:
    git("remote", "set-url", "origin", url, at=checkout)
    remote = find_remote("origin", root=checkout, environ=git_environment())
    assert remote.url == shown
    assert [name for name, _ in remote.config] == names
    if names:
        header = re.fullmatch(r"Authorization: Basic (.*)", remote.config[1][1])
        assert header is not None
        assert base64.b64decode(header[1]) == b"me:pa:ss"
        assert header[1] not in repr(remote)
