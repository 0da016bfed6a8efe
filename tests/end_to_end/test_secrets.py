"""A Guid and a cookie appear on the wire and nowhere else."""

from __future__ import annotations

import json

from support.rehearsal import RehearsalServer
from support.site import Ended, Site


def secrets_of(site: Site) -> set[str]:
    """Collect every Guid and cookie value of the sessions file."""
    sessions = json.loads((site.root / "sessions.json").read_text())
    return {session["guid"] for session in sessions} | {
        value for session in sessions for value in session.get("cookies", {}).values()
    }


def everything_written(site: Site, *ended: Ended) -> str:
    """Return all output and all files but the sessions file itself."""
    files = [file for file in site.work.rglob("*") if file.is_file() and file.name != "sessions.json"]
    return "".join([*(end.out + end.err for end in ended), *(file.read_text() for file in files)])


def test_no_secret_is_written_anywhere_whatever_the_outcome(site: Site, server: RehearsalServer) -> None:
    server.call(lambda gateway: gateway.sign_out(1002))
    server.add_faults("1001=reset-after-commit", "1003=http-200-html", "1004=http-502", "1005=retcode:106-011")
    secrets = secrets_of(site)
    assert len(secrets) >= 20

    planned = site.run("plan", "demo", "--out", "plan.json")
    applied = site.run("apply", "demo", "--plan", "plan.json", "--json")
    again = site.run("apply", "demo", "--yes")
    listed = site.run("state", "show", "demo")

    text = everything_written(site, planned, applied, again, listed)
    assert [secret for secret in secrets if secret in text] == []


def test_a_broken_sessions_file_is_refused_without_quoting_it(site: Site) -> None:
    secrets = secrets_of(site)
    text = (site.root / "sessions.json").read_text()
    site.write("sessions.json", text.replace('"agentId"', '"agentid"', 1))

    ended = site.run("apply", "demo", "--yes")

    assert ended.code == 4
    assert [secret for secret in secrets if secret in ended.out + ended.err] == []
