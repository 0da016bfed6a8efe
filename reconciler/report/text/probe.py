"""A probe as text: what it will send, before; what it found, after. The last line of a result is `Probe: …`.

Rules of this file: what will be sent is shown whole, for a person is to say yes to it. Words of a server or of a
certificate were made safe where they came in, and are made so again here; a PEM block is shown as it is, for pasting.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.model.printable import printable
from reconciler.model.probe import (
    Certificate,
    Finding,
    Grade,
    MadeCall,
    ProbeEnd,
    ProbeOutcome,
    ProbeScript,
    Restoration,
    ScriptedBranch,
    Topic,
)
from reconciler.report.layout import counted, hang, paint, span_words
from reconciler.report.style import Role, Style

_BODY_LIMIT = 1000
_TITLES = {
    Topic.TLS: "TLS",
    Topic.CALLNUMS_KEY: "key spelling",
    Topic.UNLISTED_CHANNELS: "unlisted channels",
    Topic.COOKIES: "cookies",
    Topic.LATENCY: "latency",
}
_GRADE_ROLES = {Grade.CONFIRMED: Role.GOOD, Grade.LIKELY: Role.WARNING, Grade.UNKNOWN: Role.WARNING}
_RESTORATION_ROLES = {
    Restoration.NOT_TOUCHED: Role.GOOD,
    Restoration.RESTORED: Role.GOOD,
    Restoration.IN_DOUBT: Role.BAD,
}
_INDENT = 4


def probe_script_text(script: ProbeScript, *, style: Style) -> str:
    """Return everything that the probe may send, ending in a newline."""
    sections = (
        [style(Role.HEADING, f"probe of agent {script.agent} at site {printable(script.site, limit=60)}")],
        _risk(script, style),
        [
            *_wrapped(
                f"first: a few TLS handshakes with {printable(script.url)}, in which nothing is sent; if the settings "
                "of site.yaml do not trust what answers, the probe says why and ends there"
            ),
            f"then:  {script.method} {printable(script.path)}",
            *_wrapped(
                "       with the header Guid (hidden) and the cookies of the agent's session, which is read just "
                "before, and with one of these bodies:"
            ),
        ],
        [line for message in script.messages for line in _message(message.letter, message.purpose, message.body)],
        ["in this order, one after the other; an answer that is not expected ends it:"],
        [line for each in script.branches for line in _branch(each)],
        _wrapped(
            "repeated, and counted apart: a call whose session is refused, once, with a new session; and what gives "
            f"the numbers back, up to {script.restoring_attempts} times in a spelling",
            indent=0,
        ),
        [_end(script)],
    )
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _risk(script: ProbeScript, style: Style) -> list[str]:
    lines = _wrapped(
        f"This touches the numbers of one live agent for some seconds: {counted(script.at_most, 'call')} at most and "
        f"what has to be repeated, one a second, so about {script.seconds:.0f} s. It begins and ends with the agent's "
        f"{script.source} numbers. A gateway that takes a wrong spelling for 0, or that checks no numbers, can leave "
        "the agent without sessions, or with more of them on one channel, for a second or two.",
        indent=0,
    )
    if script.source == "desired":
        lines.append("Nothing is recorded of this agent: the first call already sets numbers that it may not have.")
    if script.in_doubt:
        lines.append("The recorded numbers are in doubt: the first call may set numbers that the agent does not have.")
    if script.pause is not None:
        lines.append(f"With --pause one channel stays closed for up to {span_words(script.pause)} while you look.")
    warned = paint(lines, Role.WARNING, style)
    if script.protected:
        warned += paint(["The agent is protected; --allow-protected says that it is meant."], Role.BAD, style)
    if script.signs_in:
        warned += paint(["The session source signs the agent in for this, and out again."], Role.BAD, style)
    if script.insecure:
        warned += paint(["The site says insecure: nobody checks who gets the agent's Guid."], Role.BAD, style)
    return warned


def _message(letter: str, purpose: str, body: str) -> list[str]:
    return [*_wrapped(f"  {letter}  {printable(purpose)}", indent=5), f"     {printable(body, limit=_BODY_LIMIT)}"]


def _branch(each: ScriptedBranch) -> list[str]:
    condition = f"if {each.condition}: " if each.condition else ""
    words = f"{condition}{', '.join(each.letters)}" + (f"  ({each.note})" if each.note else "")
    return _wrapped(f"{'':<{2 + 3 * each.depth}}{words}", indent=5 + 3 * each.depth)


def _end(script: ProbeScript) -> str:
    nobody = "" if script.signs_in else "; nobody is signed in or out"
    return f"afterwards the state records the {script.source} numbers as acknowledged, or the agent as in doubt{nobody}"


def probe_text(outcome: ProbeOutcome, *, style: Style) -> str:
    """Return what the probe found, ending in a newline."""
    sections = (
        [style(Role.HEADING, f"probe of agent {outcome.agent}")],
        _made(outcome.calls),
        [line for finding in outcome.findings for line in _finding(finding, style)],
        [line for each in outcome.certificates for line in _certificate(each)],
        _times(outcome),
        _pem(outcome.ca_pem),
        _site_lines(outcome.site_lines),
        _left(outcome, style),
        [_summary_line(outcome)],
    )
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _made(calls: Sequence[MadeCall]) -> list[str]:
    lines: list[str] = []
    told = set[tuple[str, str]]()
    for call in calls:
        cookies = "" if call.with_cookies else ", without its cookies"
        head = f"  {call.letter}  {call.milliseconds:>6.0f} ms  {call.answer}{cookies}"
        said = printable(": ".join(part for part in (call.retcode or "", call.message) if part))
        if call.answer == "acknowledged" or (call.letter, said) in told:
            lines.append(f"{head}  {call.retcode or ''}".rstrip() if call.answer != "acknowledged" else head)
        else:
            told.add((call.letter, said))
            lines += hang(f"{head}  ", said.split(" "), indent=17, separator=" ")
    return lines


def _finding(finding: Finding, style: Style) -> Iterable[str]:
    head = f"{_TITLES[finding.topic]:<17}  "
    grade = f"{finding.grade:<9}  "
    words = printable(finding.conclusion, limit=600).split(" ")
    first, *rest = hang(head + grade, words, indent=len(head) + len(grade), separator=" ")
    painted = style(_GRADE_ROLES[finding.grade], str(finding.grade))
    yield head + painted + first[len(head) + len(str(finding.grade)) :]
    yield from rest
    for line in finding.evidence:
        yield from paint([f"{'':<19}- {printable(line)}"], Role.PLACE, style)


def _certificate(each: Certificate) -> list[str]:
    return [
        f"certificate {printable(each.subject)}",
        f"    issued by  {printable(each.issuer)}",
        f"    names      {', '.join(map(printable, each.names)) or 'none'}",
        f"    valid      {each.not_before} to {each.not_after}",
        f"    SHA-256    {each.sha256}",
    ]


def _times(outcome: ProbeOutcome) -> list[str]:
    return [
        f"{each.what:<8} {each.count:>3} taken: {each.low:g} / {each.median:g} / {each.high:g} ms (least, median, most)"
        for each in outcome.latency
    ]


def _pem(pem: str | None) -> list[str]:
    if pem is None:
        return []
    return ["to be saved as ca.pem beside site.yaml, once its fingerprint was compared:", *pem.rstrip("\n").split("\n")]


def _site_lines(lines: Sequence[str]) -> list[str]:
    return ["for site.yaml:", *(f"    {printable(line)}" for line in lines)] if lines else []


def _wrapped(text: str, *, indent: int = 7) -> list[str]:
    head = text[: len(text) - len(text.lstrip())]
    return hang(head, text.lstrip().split(" "), indent=indent, separator=" ")


def _left(outcome: ProbeOutcome, style: Style) -> list[str]:
    words = {
        Restoration.NOT_TOUCHED: "nothing was taken, so the agent has what it had before",
        Restoration.RESTORED: "the agent has its own numbers back: the gateway acknowledged them last",
        Restoration.IN_DOUBT: (
            "the agent's numbers are not known: its own were not acknowledged again, or a call before them may still "
            "have been at work. The next plan lists it; "
            f"apply with --agent {outcome.agent} now"
        ),
    }[outcome.restoration]
    return paint(_wrapped(words, indent=_INDENT), _RESTORATION_ROLES[outcome.restoration], style)


def _summary_line(outcome: ProbeOutcome) -> str:
    counts = {grade: sum(finding.grade is grade for finding in outcome.findings) for grade in Grade}
    found = ", ".join(f"{count} {grade}" for grade, count in counts.items())
    ended = "complete" if outcome.end is ProbeEnd.COMPLETE else str(outcome.end)
    return f"Probe: {ended}; {found}; {counted(len(outcome.calls), 'call')}; agent {outcome.restoration}."
