"""Write a realistic fleet: `python benchmarks/fleet.py 10000 DIRECTORY`.

60 % of the agents have only a profile, 30 % stand in ranges, 10 % override numbers of their profile. With `--recorded`
it also has a state, from which 1 % of the agents differ. The same count and seed give the same bytes.
"""

from __future__ import annotations

import argparse
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler.desired import load
from reconciler.model.agent import AgentId
from reconciler.model.concurrency import MAX_TOTAL
from reconciler.model.desired import DesiredAgent
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.state import AgentRecord, State
from reconciler.state import encode
from reconciler.values import replace

LOWEST_AGENT, HIGHEST_AGENT, USUAL_FIRST = 101, 999_999, 100_000
LARGEST_FLEET = HIGHEST_AGENT - LOWEST_AGENT + 1
OVERRIDES_ABOVE, RANGES_BELOW = 0.857, 0.3 / 30 / 0.71
PER_FILE = 1000
RANGE = 30
"""Agents in one range; ranges are drawn that much more rarely than single agents."""
PROFILES = """\
profiles:
  chat:
    total: 12
    channels: {web_chat: 6, sms: 4}
  chat-senior:
    extends: chat
    total: 20
    channels: {web_chat: 9}
  social:
    total: 10
    channels: {whatsapp: 4, facebook: 3, instagram: 2}
  mail:
    total: 8
    channels: {email: 8}
  all-round:
    extends: chat
    total: 16
    channels: {email: 4, whatsapp: 2, sms: null}
"""
SITE = """\
name: {name}
gateway:
  url: {url}
  ca_file: ca.pem
  concurrency: {concurrency}
  requests_per_second: {rate}
sessions: {{source: file, path: sessions.json}}
state: {{backend: local, path: state.json}}
guardrails: {{max_changed_percent: 30}}
"""
FIRST_RECORD, RECORDS_A_SECOND = datetime(2026, 1, 31, 7, 30, tzinfo=UTC), 20
CHANGED_SHARE = 100
"""One agent in so many is recorded with another total than is desired."""
PROFILE_NAMES = ("chat", "chat-senior", "social", "mail", "all-round")
CHANNELS = ("email", "web_chat", "sms", "whatsapp", "telegram")


def first_agent(agents: int) -> int:
    """Return the first id of a fleet of so many: above the reserved ones, unless it takes the whole id space."""
    return USUAL_FIRST if USUAL_FIRST + agents - 1 <= HIGHEST_AGENT else LOWEST_AGENT


def write_fleet(
    root: Path, agents: int, *, url: str = "https://127.0.0.1:8043", rate: int = 10_000, concurrency: int = 16
) -> None:
    """Write an environment of `agents` agents (1 to 999,899) to `root`, which is created."""
    (root / "agents").mkdir(parents=True, exist_ok=True)
    site = SITE.format(name=f"fleet-{agents}", url=url, rate=rate, concurrency=concurrency)
    (root / "site.yaml").write_text(site)
    (root / "profiles.yaml").write_text(PROFILES)
    first = first_agent(agents)
    for number, start in enumerate(range(0, agents, PER_FILE)):
        lines = _lines(first, start, min(start + PER_FILE, agents))
        text = f"team: team-{number % 40:02}\nagents:\n" + "".join(lines)
        (root / "agents" / f"part-{number:04}.yaml").write_text(text)


def write_numbers(root: Path, agents: int) -> None:
    """Write an environment whose agents stand each by itself, with numbers of its own and without a profile."""
    (root / "agents").mkdir(parents=True, exist_ok=True)
    site = SITE.format(name=f"numbers-{agents}", url="https://127.0.0.1:8043", rate=10_000, concurrency=16)
    (root / "site.yaml").write_text(site)
    first, chance = first_agent(agents), random.Random(agents)
    for number, start in enumerate(range(0, agents, PER_FILE)):
        entries = [
            f'  "{first + position}":\n    total: {chance.randint(20, 30)}\n'
            f"    channels: {{web_chat: {chance.randint(4, 9)}, sms: {chance.randint(2, 6)}}}\n"
            for position in range(start, min(start + PER_FILE, agents))
        ]
        (root / "agents" / f"part-{number:04}.yaml").write_text("agents:\n" + "".join(entries))


def write_state(root: Path) -> None:
    """Record the fleet at `root` as it is desired, but for 1 % of its agents."""
    desired = load(root).desired
    if desired is None:
        raise ValueError(f"{root} is not a valid environment")
    records = {agent: _recorded(agent, wanted, number) for number, (agent, wanted) in enumerate(desired.agents.items())}
    lineage = str(uuid.UUID(int=len(records)))
    state = State(lineage=lineage, serial=1, site=desired.site.name, agents=records)
    (root / "state.json").write_bytes(encode(state))


def _recorded(agent: AgentId, wanted: DesiredAgent, number: int) -> AgentRecord:
    values = wanted.concurrency
    if agent % CHANGED_SHARE == 0:
        values = replace(values, total=values.total % MAX_TOTAL + 1)
    moment = FIRST_RECORD + timedelta(seconds=number // RECORDS_A_SECOND)
    return AgentRecord.of(
        concurrency=values,
        callnums_key=CallnumsKey.CAMEL,
        acknowledged_at=moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        session=f"login-{1_700_000_000 + number}",
        team=wanted.team,
    )


def _lines(first: int, start: int, end: int) -> Iterator[str]:
    position, chance = start, random.Random(start)
    while position < end:
        agent, kind = first + position, chance.random()
        if kind < RANGES_BELOW and position + RANGE <= end:
            yield f"  {agent}-{agent + RANGE - 1}: {{profile: {chance.choice(PROFILE_NAMES)}}}\n"
            position += RANGE
            continue
        channel = f"{chance.choice(CHANNELS)}: {chance.randint(1, 9)}"
        override = f", total: 25, channels: {{{channel}}}" if kind > OVERRIDES_ABOVE else ""
        yield f"  {agent}: {{profile: {chance.choice(PROFILE_NAMES)}{override}}}\n"
        position += 1


def main() -> None:
    """Take the number and the directory from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("agents", type=int, help=f"how many agents, 1 to {LARGEST_FLEET}")
    parser.add_argument("directory", type=Path, help="where to write the environment")
    parser.add_argument("--recorded", action="store_true", help="record it too, 1 %% differently")
    options = parser.parse_args()
    if not 1 <= options.agents <= LARGEST_FLEET:
        parser.error(f"there are 1 to {LARGEST_FLEET} agents")
    write_fleet(options.directory, options.agents)
    if options.recorded:
        write_state(options.directory)


if __name__ == "__main__":
    main()
