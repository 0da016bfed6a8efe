"""Write a realistic fleet: `python benchmarks/fleet.py 10000 DIRECTORY`.

60 % of the agents have only a profile, 30 % stand in ranges, 10 % override numbers of their profile. The same count and
seed give the same bytes.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

FIRST_AGENT = 101
OVERRIDES_ABOVE, RANGES_BELOW = 0.857, 0.3 / 30 / 0.71
LARGEST_FLEET = 899_899
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
PROFILE_NAMES = ("chat", "chat-senior", "social", "mail", "all-round")
CHANNELS = ("email", "web_chat", "sms", "whatsapp", "telegram")


def write_fleet(
    root: Path, agents: int, *, url: str = "https://127.0.0.1:8043", rate: int = 10_000, concurrency: int = 16
) -> None:
    """Write an environment of `agents` agents (1 to 899,899) to `root`, which is created."""
    (root / "agents").mkdir(parents=True, exist_ok=True)
    site = SITE.format(name=f"fleet-{agents}", url=url, rate=rate, concurrency=concurrency)
    (root / "site.yaml").write_text(site)
    (root / "profiles.yaml").write_text(PROFILES)
    for number, start in enumerate(range(0, agents, PER_FILE)):
        lines = _lines(start, min(start + PER_FILE, agents), random.Random(start))
        text = f"team: team-{number % 40:02}\nagents:\n" + "".join(lines)
        (root / "agents" / f"part-{number:04}.yaml").write_text(text)


def _lines(start: int, end: int, chance: random.Random) -> Iterator[str]:
    position = start
    while position < end:
        agent, kind = FIRST_AGENT + position, chance.random()
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
    options = parser.parse_args()
    if not 1 <= options.agents <= LARGEST_FLEET:
        parser.error(f"there are 1 to {LARGEST_FLEET} agents")
    write_fleet(options.directory, options.agents)


if __name__ == "__main__":
    main()
