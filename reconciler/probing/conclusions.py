"""What the calls say about unlisted channels, cookies and latency, and what of all that belongs into site.yaml. Pure.

Rule of this file: replies are believed for what they are answers to, and nothing else. That a call was acknowledged
does not say what became of a channel it left out; only somebody who looks can.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from reconciler.gateway import Handshake
from reconciler.model.gateway_settings import GatewaySettings
from reconciler.model.probe import Finding, Grade, Spread, Topic
from reconciler.probing.bench import Result
from reconciler.probing.experiment import Seen
from reconciler.probing.identity import Identity
from reconciler.probing.trials import Answer, Kind, Trial

_BLIND = "replies do not tell whether a channel that a call leaves out keeps its number"
_HOW = "probe with --pause and look at the agent's desktop or Personal Center"


def find_unlisted_channels(results: Sequence[Result], seen: Seen | None) -> Finding:
    """Return what is known of channels that a call does not list."""
    extras = sorted({extra for r in results if r.observation is not None for extra in r.observation.extras})
    evidence = [f"replies carry {extra}" for extra in extras]
    tried = [r.trial for r in results if r.trial.step.message.kind is Kind.PARTIAL]
    refused = [trial for trial in tried if trial.answer is Answer.REFUSED]
    if refused:
        evidence.append(f"a call without one of the channels: refused ({refused[0].retcode})")
        return _unlisted(Grade.LIKELY, "refused", "the gateway refuses a call that leaves a channel out", evidence)
    match seen:
        case Seen.KEPT:
            evidence.append("somebody looked: the channel left out had its number still")
            return _unlisted(Grade.LIKELY, "merge", "channels that a call leaves out keep their number", evidence)
        case Seen.GONE:
            evidence.append("somebody looked: the channel left out had no sessions any more")
            return _unlisted(Grade.LIKELY, "replace", "channels that a call leaves out are closed", evidence)
        case Seen.UNCLEAR:
            evidence.append("somebody looked, and could not tell")
            return _unlisted(Grade.UNKNOWN, None, _BLIND, evidence)
        case None:
            return _unlisted(Grade.UNKNOWN, None, f"{_BLIND}; {_HOW}", evidence)


def _unlisted(grade: Grade, value: str | None, conclusion: str, evidence: Sequence[str]) -> Finding:
    return Finding(
        topic=Topic.UNLISTED_CHANNELS, grade=grade, value=value, conclusion=conclusion, evidence=tuple(evidence)
    )


def find_cookies(results: Sequence[Result]) -> Finding:
    """Return whether the gateway's front sets cookies, and whether calls need those of the session."""
    names = sorted({name for r in results if r.observation is not None for name in r.observation.cookie_names})
    evidence = [f"replies set {', '.join(names)}" if names else "replies set no cookie"]
    given = any(result.has_cookies for result in results)
    evidence.append("the session has cookies" if given else "the session has no cookies")
    without = [r.trial for r in results if r.sent and (not r.trial.step.cookies or not r.has_cookies)]
    value, grade, conclusion = _need(without, [r.trial for r in results if r.has_cookies and r.trial.step.cookies])
    if without and given:
        evidence.append(f"the agent's own numbers sent without them: {without[-1].answer}")
    return Finding(
        topic=Topic.COOKIES,
        grade=grade,
        value=value,
        conclusion=conclusion,
        evidence=tuple(evidence if results else ()),
    )


def _need(without: Sequence[Trial], with_them: Sequence[Trial]) -> tuple[str | None, Grade, str]:
    if any(trial.answer is Answer.ACKNOWLEDGED for trial in without):
        return "not-needed", Grade.LIKELY, "calls are acknowledged without cookies (a cluster may do so by chance)"
    turned_away = any(trial.answer in (Answer.NOT_SIGNED_IN, Answer.SESSION_REFUSED) for trial in without)
    if turned_away and with_them and with_them[-1].answer is Answer.ACKNOWLEDGED:
        return "needed", Grade.LIKELY, "calls need the cookies of the agent's sign-in"
    return None, Grade.UNKNOWN, "the answers do not tell whether calls need cookies"


def spreads_of(handshakes: Sequence[Handshake], results: Sequence[Result]) -> tuple[Spread, ...]:
    """Return how long connecting, the handshake and the answers took."""
    answers = (r.observation.seconds for r in results if r.observation is not None and _was_answered(r.trial))
    taken = (
        _spread("connect", (each.connect_seconds for each in handshakes)),
        _spread("tls", (each.tls_seconds for each in handshakes)),
        _spread("answer", answers),
    )
    return tuple(each for each in taken if each is not None)


def find_latency(spreads: Sequence[Spread], timeout: float) -> Finding:
    """Return what is to be said of the times taken, against the site's `gateway.timeout` in seconds."""
    answers = [each for each in spreads if each.what == "answer"]
    if not answers:
        return Finding(topic=Topic.LATENCY, grade=Grade.UNKNOWN, conclusion="no call was answered")
    slowest = answers[0].high
    conclusion = f"the slowest of {answers[0].count} answers took {slowest:.0f} ms; gateway.timeout is {timeout:g} s"
    return Finding(topic=Topic.LATENCY, grade=Grade.CONFIRMED, value=f"{slowest:.0f}ms", conclusion=conclusion)


def _was_answered(trial: Trial) -> bool:
    return trial.answer not in (Answer.FAILED, Answer.NO_ANSWER, Answer.STOPPED)


def _spread(what: str, seconds: Iterable[float]) -> Spread | None:
    taken = sorted(each * 1000 for each in seconds)
    if not taken:
        return None
    low, middle, high = (round(each, 1) for each in (taken[0], median(taken), taken[-1]))
    return Spread(what=what, count=len(taken), low=low, median=middle, high=high)


def lines_for_site(identity: Identity, findings: Sequence[Finding], settings: GatewaySettings) -> tuple[str, ...]:
    """Return the lines for site.yaml: settings where something was found, a remark where it was not."""
    by_topic = {finding.topic: finding for finding in findings}
    return (*_gateway_lines(identity, by_topic.get(Topic.CALLNUMS_KEY), settings), *_removal_lines(by_topic))


def _gateway_lines(identity: Identity, key: Finding | None, settings: GatewaySettings) -> list[str]:
    lines = []
    if identity.ca is not None:
        lines.append(f"  ca_file: ca.pem  # SHA-256 {identity.ca.sha256}")
    elif identity.without_ca_file:
        lines.append(f"  # no ca_file: the machine's own authorities verify the gateway, {settings.ca_file} does not")
    if key is not None and key.value is not None:
        lines.append(f"  callnums_key: {key.value}  # {key.grade} by probe")
    elif key is not None and key.evidence:
        lines.append(f"  callnums_key: {settings.callnums_key}  # as before: probe could not tell")
    return ["gateway:", *lines] if lines else []


def _removal_lines(by_topic: dict[Topic, Finding]) -> list[str]:
    found = by_topic.get(Topic.UNLISTED_CHANNELS)
    match found.value if found is not None else "":
        case "merge":
            return ["on_channel_removal: zero  # seen: a channel left out keeps its number, so omit would not close it"]
        case "replace":
            return ["on_channel_removal: zero  # seen: a channel left out is closed, so omit would do as well"]
        case "refused":
            return ["on_channel_removal: zero  # seen: a call that leaves a channel out is refused, so not omit"]
        case None:
            return ["on_channel_removal: zero  # right whether a channel left out is kept or closed: that is not known"]
        case _:
            return []
