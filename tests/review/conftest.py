"""Both hosts over HTTPS, a pull request on each, and the command as a CI job runs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from review import github_host, gitlab_host
from review.github_host import GithubHost, github
from review.gitlab_host import GitlabHost, gitlab
from review.served import Served, authority
from support.site import Ended, Site


@dataclass
class Desk:
    """A job that has planned, and comments."""

    site: Site
    host: GithubHost | GitlabHost
    arguments: tuple[str, ...] = ()

    def plan(self, name: str = "plan.json") -> str:
        """Plan what the environment says now; return the saved plan's name."""
        assert self.site.run("plan", "demo", "--out", name).code == 0
        return name

    def change(self, old: str = "web_chat: 6", new: str = "web_chat: 7") -> str:
        """Change the YAML, and plan."""
        self.site.edit("fleet.yaml", old, new)
        return self.plan()

    def run(self, *arguments: str) -> Ended:
        """Run `reconciler comment`."""
        return self.site.run("comment", *arguments, *self.arguments)

    @property
    def texts(self) -> list[str]:
        """All comments, oldest first."""
        kept = self.host.comments if isinstance(self.host, GithubHost) else self.host.notes
        return [each.body for each in kept]

    @property
    def deeds(self) -> list[str]:
        """The requests that change something, as `METHOD what`."""
        return [f"{each.method} {_short(each.path)}" for each in self.host.writes]


def _short(path: str) -> str:
    return "/".join(path.split("/")[-2:]) if path.rsplit("/", 1)[-1].isdigit() else path.rsplit("/", 1)[-1]


@pytest.fixture
def authorities(tmp_path: Path) -> str:
    file = tmp_path / "authorities.pem"
    file.write_bytes(authority().cert_pem.bytes())
    return str(file)


@pytest.fixture
def on_github(tmp_path: Path, authorities: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with github() as host:
        set_github_job(monkeypatch, host)
        yield Desk(Site(tmp_path), host, ("--ca-file", authorities))


@pytest.fixture
def on_gitlab(tmp_path: Path, authorities: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with gitlab() as host:
        set_gitlab_job(monkeypatch, host)
        yield Desk(Site(tmp_path), host, ("--ca-file", authorities))


@pytest.fixture(params=["github", "gitlab"])
def desk(request: pytest.FixtureRequest) -> Desk:
    """A pull request on either host."""
    found: Desk = request.getfixturevalue(f"on_{request.param}")
    return found


def set_github_job(patch: pytest.MonkeyPatch, host: Served, *, prefix: str = "") -> None:
    """Set the variables of a job of GitHub Actions."""
    patch.setenv("GITHUB_ACTIONS", "true")
    patch.setenv("GITHUB_API_URL", f"{host.url}{prefix}")
    patch.setenv("GITHUB_REPOSITORY", github_host.REPOSITORY)
    patch.setenv("GITHUB_REF", f"refs/pull/{github_host.NUMBER}/merge")
    patch.setenv("GITHUB_TOKEN", github_host.TOKEN)


def set_gitlab_job(patch: pytest.MonkeyPatch, host: Served, *, prefix: str = "") -> None:
    """Set the variables of a job of a merge-request pipeline."""
    patch.setenv("GITLAB_CI", "true")
    patch.setenv("CI_API_V4_URL", f"{host.url}{prefix}/api/v4")
    patch.setenv("CI_PROJECT_ID", "42")
    patch.setenv("CI_PROJECT_PATH", gitlab_host.PROJECT)
    patch.setenv("CI_MERGE_REQUEST_PROJECT_ID", "42")
    patch.setenv("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "42")
    patch.setenv("CI_MERGE_REQUEST_IID", str(gitlab_host.IID))
    patch.setenv("GITLAB_TOKEN", gitlab_host.TOKEN)
