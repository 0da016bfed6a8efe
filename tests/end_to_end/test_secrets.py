"""A Guid and a cookie appear on the wire and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pytest
from support.processes import start_apply, wait_until
from support.rehearsal import RehearsalServer
from support.site import Ended, Site, publish_sessions

from reconciler.simulator import Gateway, SimulatedSession


@pytest.fixture(autouse=True)
def secrets(site: Site, server: RehearsalServer) -> set[str]:
    """Sign everybody in again, each with a Guid and a cookie that are like no other text, and return those."""
    sessions = [
        SimulatedSession(
            agent=agent,
            guid=f"5ec2e7-guid-{agent}",
            cookies={"JSESSIONID": f"5ec2e7-cookie-{agent}"},
            key=f"in-{agent}",
        )
        for agent in range(1001, 1021)
    ]
    for session in sessions:
        server.call(partial(Gateway.admit, session=session))
    publish_sessions(site, server)
    made = {session.guid for session in sessions} | {session.cookies["JSESSIONID"] for session in sessions}
    assert found(made, [site.root / "sessions.json"]) == made
    return made


def found(secrets: set[str], files: Iterable[Path], *texts: str) -> set[str]:
    """Return the secrets that stand in a file or a text."""
    everything = b"\n".join([*(file.read_bytes() for file in files), *(text.encode() for text in texts)])
    return {secret for secret in secrets if secret.encode() in everything}


def files_of(site: Site) -> list[Path]:
    """Return all files but the sessions file itself."""
    return [file for file in site.work.rglob("*") if file.is_file() and file != site.root / "sessions.json"]


def said(*ended: Ended) -> str:
    return "".join(each.out + each.err for each in ended)


def test_no_secret_is_written_anywhere_whatever_the_outcome(
    site: Site, server: RehearsalServer, secrets: set[str]
) -> None:
    server.call(lambda gateway: gateway.sign_out(1002))
    server.add_faults("1001=reset-after-commit", "1003=http-200-html", "1004=http-502", "1005=retcode:106-011")

    planned = site.run("plan", "demo", "--out", "plan.json")
    applied = site.run("apply", "demo", "--plan", "plan.json", "--json")
    again = site.run("apply", "demo", "--yes")
    listed = site.run("state", "show", "demo")

    assert found(secrets, files_of(site), said(planned, applied, again, listed)) == set()


def test_no_secret_is_in_what_a_killed_run_leaves_behind(
    slow_site: Site, server: RehearsalServer, secrets: set[str]
) -> None:
    journal = slow_site.root / "state.json.journal"
    process = start_apply(slow_site)
    wait_until(lambda: len(server.call(lambda gateway: gateway.agents_document())) >= 5)
    process.kill()
    out, err = process.communicate()

    assert journal in files_of(slow_site)
    assert '"1001"' in journal.read_text()
    assert found(secrets, files_of(slow_site), out, err) == set()


def test_a_broken_sessions_file_is_refused_without_quoting_it(site: Site, secrets: set[str]) -> None:
    text = (site.root / "sessions.json").read_text()
    site.write("sessions.json", text.replace('"agentId"', '"agentid"', 1))

    ended = site.run("apply", "demo", "--yes")

    assert ended.code == 4
    assert found(secrets, [], said(ended)) == set()
