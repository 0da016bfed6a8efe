r"""Environments as people, editors and strangers write them, at random: a grammar of fleet files, and slips upon them.

Rules of this file: it takes a `Random` and nothing else, so that a seed is a whole environment. `odd` is how often
something odd stands where something usual could; at 0 an environment is mostly valid. The slips know nothing of YAML:
they move lines, swap quotes, and put characters where they do not belong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from desired.environments import SITE

NUMBERS = [
    "null", "null", "0", "61", "-1", "05", "+5", "1_0", "1e1", "1.0", "5.5", "0x1F", "0o7", "~", "Null", "yes", "no",
    "", "'5'", '"5"', "true", "1e400", ".inf", ".nan", "-0", "9223372036854775808", "9" * 18, "9" * 19,
    "12:30", "2026-01-01", "5 ", "१", "\uff15", "*a", "&a 5", "!!int 5", "[1]", "{}", "5 # x", "5#x", "- 5", "|", "> x",
    "\\", "5,", "{a: 1}",
]  # fmt: skip
TEXTS = [
    "'p'", '"p"', "p ", "P", "null", "1", "''", '""', "'p\n      '", '"p\\u0041"', '"p\\n"', "p q", "p:q", "p: q",
    "p#q", "p #q", "'p #q'", '"p # q"', "*a", "&a p", "!p", "p\n      q", "[p]", "{p}", "|\n        p", "é",
    "\U0001f600", "'it''s'", "it's", 'a"b', '"a', "'a", "a'", 'b"', "@p", "`p", "%p", "-", "- p", "?", "? p", ":",
    ": p", "p-", "1001", "x" * 300, "\u00a0p", "p\u3000", "'p\n\n    q'", '"p\\\n      q"',
]  # fmt: skip
PROFILES = ["p", "q", "p", "odd", "shut", "p2"]
ODD_PROFILES = ["half", "cyc", "gone", *TEXTS]
CHANNELS = ["sms", "web_chat", "5g", "email", "line"]
ODD_CHANNELS = ["fax", "'sms'", '"5g"', "sms ", "SMS", "<<", "1", "? sms", "*a", ""]
BASES = [["profile"], ["profile"], ["total", "channels"]]
"""What a valid entry has at least."""
NAMES = ["profile", "total", "channels", "team", "protected"]
ODD_NAMES = [*NAMES, "profil", "'profile'", '"total"', "<<", "extends", "1001", "x/~y", "", "? profile", "&k profile"]
ENDS = [
    " # x", " #", "#x", " ", "  ", "\n", "\n\n", "\n  # c", "\n      # c", "\n# c", "\r", " # 'x", ' # "', "\n   \n",
]  # fmt: skip
KEYS = [
    "100", "099", "1001 ", "+1001", "1_001", "1e3", "1001.0", "'1001", "\"1001'", "'1001'", "1003-1001", "1003-1003",
    "101-102", "60000", "59999-60001", "69999", "70000", "999999", "1000000", "9223372036854775808", "p", "x: 1001",
    "? 1001", "\uff11\uff10\uff10\uff11", "[1001]", "{1001}", "'1001-1002'", "1001--1002", "1001-", "-1001",
    "1001 - 1002", "&a 1001", "!!str 1001", '"\\u0031001"', '"1001\\n"',
]  # fmt: skip
BODIES = [
    "", " null", " 5", " []", " {}", " x", " [profile]", " {profile}", " {profile: p} {}", " {profile: p", " }",
    ' "a', "\n  - x", "\n    - profile: p", " |\n    x", " &a {profile: p}", " *a", " !!map {profile: p}",
    " {? profile : p}", " {profile: p,}", " {,}", " {: }", " {'profile':p}", ' {"total":5}', " # c\n    profile: p",
    " {profile: p}#c", " ? x", "\n    ? profile\n    : p", " {profile: p, profile: q}", ": {profile: p}",
    "{profile: p}", ' {profile: "p\n    # x\n    q"}', " {team: 'a\n    b'}", " {profile: p}: x",
]  # fmt: skip
HEADS = ["", "", "", "team: east\n", "# c\n"]
ODD_HEADS = [
    "---\n", "team: 'a b'\n\n", "%YAML 1.2\n---\n", "%TAG ! x\n---\n", "x: &a 5\n", "x: &a {profile: p}\n",
    "team: &a p\n", "team: |\n  x\n", "team: >\n agents:\n   1001: x\n", 'x: "\n', "x: '\n", "x: {\n", "x: [\n", "{\n",
    "- 1\n", "? x\n: y\n", "agents: {}\n", "'agents': {}\n", '"agents": {1001: {profile: p}}\n', "# agents:\n",
    "x: |\n  agents:\n    1001: {profile: p}\n", "--- {}\n...\n---\n", "a\n", "team: east # c\r\n", "\r\n",
    "profiles: {z: {total: 61}}\n", "profiles:\n  cyc: {extends: cyd}\n  cyd: {extends: cyc}\n", "team: [x]\n", "? \n",
    "--- #x\n", "--- \n", "team: no\n", "  team: x\n", "!!map\n", "&r\n", "team: x\nteam: x\n", "\ufeff",
]  # fmt: skip
OPENINGS = [
    "agents: # c\n", "agents:  \n", "agents:\n\n# c\n", "agents:\n   # c\n", "agents :\n", "'agents':\n", "agents:\r\n",
    "agents: {\n", "agents: &x\n", "agents: !!map\n", "agents:\n- ", "? agents\n:\n", "agents: |\n", "agents: >\n",
    'agents: "\n', "  agents:\n", "agents:#\n", "agents: [\n", "agents: {}\n", 'agents: # "\n', "",
]  # fmt: skip
TAILS = ["", "", "", "team: z\n"]
ODD_TAILS = [
    "...\n", "---\n", "--- x\n", "}\n", "]\n", '"\n', "'\n", " x", "# end", "\n\n", "   ", "team: *a\n", "x: *a\n",
    "profiles: *a\n", "agents:\n  1901: {profile: p}\n", "agents: {}\n", "'agents': {1: 2}\n", 'x: "}\n',
    "x: '\n  y'\n",
    'y"\nagents:\n  1001: {profile: p}\n', 'y: "\n', "Team: z\n", "'team': z\n", "? team\n: z\n", "- 1\n",
    "  1999: {profile: p}\n", "z", "z:", "z: {", "profiles:\n  1009: {total: 5}\n", "x: |\n  y", "<<: 1\n", "!x y: 1\n",
    "&b team: z\n", "_: 1\n", "é: 1\n", "0: 1\n", "%YAML 1.2\n", "agents: {1001: {total: 5, total: 5}}\n",
    "z: 1\n? {agents: {1002: {total: 5, total: 5}}}\n: 1\n",
]  # fmt: skip
SHARED = """\
profiles:
  p: {total: 12, channels: {sms: 4, web_chat: 6}}
  q: {extends: p, total: 5}
  odd: {total: 3, channels: {sms: 9}}
  shut: {total: 3, channels: {sms: 0}}
  half: {total: 9}
  p2: {extends: half, channels: {email: 1}}
"""
WRONG_PROFILES = ["  x: {extends: nobody}\n", "  x: {total: 61}\n", "  cyc: {extends: cyd}\n  cyd: {extends: cyc}\n"]
GUARDED = f"""\
{SITE}guardrails:
  protected: {{teams: [east, west, nobody], agents: [1001, 1005-1010, 9000]}}
  capacity_floor:
    channels: {{sms: '-10%', email: 3}}
    teams: {{east: {{sms: 1, 5g: 2}}, zz: {{total: 1}}}}
"""
STRAY = [
    *" \n'\"#:{}[],-?*&!|>%@`\\\t\rx10", "\n\n", "\r\n", "\x85", "\u2028", "\ufeff", "\x00", "\u00a0", "  ", "---\n",
    "...\n", "# ", "*a", "&a ", "!!str ", "<<: ", "|\n", ": ", "- ", "? ", "\u202e", "é", "\U0001f600", "\x1b",
    "agents:\n", "team: x\n", "''", '""', "\\\n",
]  # fmt: skip
SWAPS = [
    ("'", '"'), ('"', "'"), ("{", "["), ("}", "]"), (": ", ":"), (":", " :"), (" ", "  "), (",", ""), ("}", ""),
    ("{", ""), ("'", ""), ('"', ""), (",", ",\n      "), ("\n", ""), ("\n", " \n"), ("\n", "\r\n"), ("\n", " # c\n"),
]  # fmt: skip


def environment(random: Random) -> dict[str, str]:
    """Return the texts of an environment: up to three fleet files and their profiles, with slips in some of them."""
    odd = random.choice([0, 0, 0, 0.01, 0.03, 0.1, 0.3])
    writer = _Writer(random, odd)
    names = ["a.yaml", "b/c.yaml", "z.yaml"][: random.choice([1, 1, 2, 3])]
    starts = random.sample([101, 1001, 59_990, 69_995, 2001, 2010], len(names))
    files = {name: writer.fleet(start) for name, start in zip(names, starts, strict=True)}
    others = [*files.values(), SHARED, _Writer(random, 0.1).fleet(1001)]
    for name in names:
        for _ in range(random.choice([0, 0, 0, 0, 1, 2, 4])):
            files[name] = slip(random, files[name], others)
    if random.random() < 0.9:
        files["profiles.yaml"] = SHARED + (random.choice(WRONG_PROFILES) if random.random() < odd else "")
    return {**files, "site.yaml": random.choice([SITE, GUARDED])}


class _Writer:
    """Writes fleet files."""

    def __init__(self, random: Random, odd: float) -> None:
        self._random, self._odd = random, odd
        self._indent = random.choice(["  "] * 6 + [" ", "    "])

    def fleet(self, start: int) -> str:
        self._indent = self._pick([self._indent], ["  ", " ", "    ", "   "])
        count = self._random.choice([1, 2, 3, 5, 8, 12, 20])
        entries = [f"{self._indent}{key}:{body}{self._end()}\n" for key, body in self._said(start, count)]
        if self._random.random() < 0.2:
            self._random.shuffle(entries)
        around = [self._pick(HEADS, ODD_HEADS), self._pick(["agents:\n"], OPENINGS), *entries]
        return "".join([*around, self._pick(TAILS, ODD_TAILS)])

    def _pick(self, usual: Sequence[str], odd: Sequence[str]) -> str:
        return self._random.choice(odd if self._random.random() < self._odd else usual)

    def _said(self, agent: int, count: int) -> Iterator[tuple[str, str]]:
        alike = [self._body() for _ in range(self._random.choice([1, 2, 3, 8]))]
        for _ in range(count):
            width = self._random.choice([0] * 8 + [2, 9])
            quote = self._random.choice(["", "", "", "'", '"'])
            key = f"{quote}{agent}-{agent + width}{quote}" if width else f"{quote}{agent}{quote}"
            yield self._pick([key], KEYS), self._random.choice(alike) if self._random.random() < 0.8 else self._body()
            agent += self._random.choice([1, 1, 1, 3, 10]) + width if self._random.random() > self._odd / 3 else 0

    def _end(self) -> str:
        return self._pick([""], ENDS)

    def _body(self) -> str:
        if self._random.random() < self._odd / 3:
            return self._random.choice(BODIES).replace("  ", self._indent)
        names = [*self._random.choice(BASES), *self._random.sample(NAMES, self._random.choice([0, 0, 1, 3]))]
        names = [self._pick([name], ODD_NAMES) for name in dict.fromkeys(names)]
        deep = self._indent * 2
        if self._random.random() < 0.5:
            comma = self._pick([", "], [",", f",\n{deep}", f",\n{deep}# c\n{deep}", f",\n\n{deep}"])
            return f" {{{comma.join(f'{name}:{self._value(name)}' for name in names)}}}"
        deep = self._pick([deep], [f"{self._indent} ", self._indent * 3, self._indent])
        return "".join(f"\n{deep}{name}:{self._value(name, deep)}{self._end()}" for name in names)

    def _value(self, name: str, deep: str = "") -> str:
        match name:
            case "channels":
                return self._channels(deep if self._random.random() < 0.5 else "")
            case "total":
                return f" {self._pick(['1', '5', '12', '60'], NUMBERS)}"
            case "protected":
                return f" {self._pick(['true', 'false'], NUMBERS)}"
            case "team":
                return f" {self._pick(['east', 'west', 'a b', 'T.1', 'no'], TEXTS)}"
        return f" {self._pick(PROFILES, ODD_PROFILES)}"

    def _channels(self, deep: str) -> str:
        names = [self._pick(CHANNELS, ODD_CHANNELS) for _ in range(self._random.choice([1, 1, 2]))]
        pairs = [f"{name}: {self._pick(['0', '1', '3', '9'], NUMBERS)}" for name in dict.fromkeys(names)]
        return "".join(f"\n{deep}  {pair}{self._end()}" for pair in pairs) if deep else f" {{{', '.join(pairs)}}}"


def slip(random: Random, text: str, others: Sequence[str]) -> str:
    """Return `text` with one thing done to it that an editor, a merge or a finger may do; `others` are at hand."""
    if random.random() < 0.3:
        return _stray(random, text)
    lines = text.splitlines(keepends=True) or ["x"]
    there = random.choice(others).splitlines(keepends=True) or ["x"]
    return "".join(_moved(random, lines, there[random.randrange(len(there)) :]))


def _stray(random: Random, text: str) -> str:
    left, right = sorted((random.randint(0, len(text)), random.randint(0, len(text))))
    match random.randrange(3):
        case 0:
            return text[:left] + text[left + random.choice([1, 1, 2, 5]) :]
        case 1:
            opening, closing = random.choice([("'", "'"), ('"', '"'), ("{", "}"), ("[", "]")])
            return f"{text[:left]}{opening}{text[left:right]}{closing}{text[right:]}"
    return f"{text[:left]}{random.choice(STRAY)}{text[left + random.choice([0, 1]) :]}"


def _moved(random: Random, lines: list[str], others: list[str]) -> list[str]:
    one, other, some = random.randrange(len(lines)), random.randrange(len(lines)), random.choice([1, 1, 2, 5])
    before, these, after = lines[:one], lines[one : one + some], lines[one + some :]
    there, instead = random.choice(SWAPS)
    ways = [
        [*lines[:other], *these, *lines[other:]],
        [*before, *after],
        [*before, *(" " * some + line for line in these), *after],
        [*before, *(line.removeprefix(" ").removeprefix(" ") for line in these), *after],
        [*before, *reversed(these), *after],
        [*before, *others],
        [*before, *others[:some], *these, *after],
        [*before, *(line.replace(there, instead, random.choice([1, -1])) for line in these), *after],
        [line.replace("\n", "\r\n") for line in lines],
    ]
    return random.choice(ways)
