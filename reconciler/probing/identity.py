"""Who answers at gateway.url, whether the site's settings trust it, and what would make them.

As numbered steps, which the code below names:

1. a handshake that takes whatever is presented, to see it;
2. handshakes as a call would make them. When they come about, there is nothing more to ask;
3. else the same with other trust, one thing at a time: the certificate by itself (its name and dates), the machine's
   own authorities, and each authority that the gateway presents.

Rules of this file: handshakes only, in which no Guid is sent; what is presented proves nothing by itself, so whoever is
told to trust it is told to compare its fingerprint first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

from reconciler.gateway import FailedHandshake, FailureKind, Handshake, Trust
from reconciler.model.gateway_settings import GatewaySettings
from reconciler.model.probe import Certificate, Finding, Grade, Topic
from reconciler.probing.certificates import read_certificate
from reconciler.values import Struct

_TIMES = 3
_STRANGERS = frozenset({FailureKind.UNKNOWN_AUTHORITY, FailureKind.SELF_SIGNED})


class Shaker(Protocol):
    """What makes handshakes; see `gateway.HandshakeMaker`."""

    async def shake(self, trust: Trust | None = None) -> Handshake | FailedHandshake:
        """Return what a handshake comes to."""
        ...


class Identity(Struct, frozen=True, kw_only=True):
    """What the handshakes showed."""

    usable: bool
    """Calls may be made: the site's settings accept what answers."""
    reached: bool
    """Somebody answered with TLS at all."""
    finding: Finding
    certificates: tuple[Certificate, ...] = ()
    ca: Certificate | None = None
    """What the site's `ca_file` would have to hold, as the gateway presents it."""
    without_ca_file: bool = False
    """The machine's own authorities would do, and the site's `ca_file` does not."""
    handshakes: tuple[Handshake, ...] = ()


async def look_at_identity(shaker: Shaker, settings: GatewaySettings) -> Identity:
    """Return who answers at the gateway's URL and how far it can be trusted."""
    seen = await shaker.shake(Trust(verify=False))  # 1
    if isinstance(seen, FailedHandshake):
        finding = _finding(Grade.UNKNOWN, _word(seen.kind), seen.message, ())
        return Identity(usable=False, reached=False, finding=finding)
    made, refused = await _as_configured(shaker)  # 2
    certificates = tuple(map(read_certificate, seen.chain))
    diagnosis = _Diagnosis()
    if refused is not None or settings.insecure:
        diagnosis = await _diagnose(shaker, settings, certificates)  # 3
    return Identity(
        usable=refused is None,
        reached=True,
        finding=_conclude(settings, certificates, refused, diagnosis, f"{seen.version}, {seen.cipher}"),
        certificates=certificates,
        ca=diagnosis.ca,
        without_ca_file=diagnosis.machine_knows and settings.ca_file is not None,
        handshakes=(seen, *made),
    )


async def _as_configured(shaker: Shaker) -> tuple[list[Handshake], FailedHandshake | None]:
    made: list[Handshake] = []
    for _ in range(_TIMES):
        result = await shaker.shake()
        if isinstance(result, FailedHandshake):
            return made, result
        made.append(result)
    return made, None


class _Diagnosis(Struct, frozen=True, kw_only=True):
    """What the trials with other trust came to."""

    flaw: FailedHandshake | None = None
    """What is wrong with the certificate itself, its name or dates, whoever signed it."""
    machine_knows: bool = False
    ca: Certificate | None = None


async def _diagnose(shaker: Shaker, settings: GatewaySettings, chain: Sequence[Certificate]) -> _Diagnosis:
    by_itself = await shaker.shake(Trust(authorities=chain[0].pem, partial=True)) if chain else None
    flaw = by_itself if isinstance(by_itself, FailedHandshake) else None
    if await _knows(shaker, Trust(check_name=False)):
        return _Diagnosis(flaw=flaw, machine_knows=True)
    if settings.ca_file is not None and not _is_stranger(await shaker.shake()):
        return _Diagnosis(flaw=flaw)  # the authority is known: it is the name or the dates
    for each in (*(c for c in reversed(chain[1:]) if c.authority), *(c for c in chain[:1] if c.self_signed)):
        if await _knows(shaker, Trust(authorities=each.pem, check_name=False)):
            return _Diagnosis(flaw=flaw, ca=each)
    return _Diagnosis(flaw=flaw)


async def _knows(shaker: Shaker, trust: Trust) -> bool:
    return not _is_stranger(await shaker.shake(trust))


def _is_stranger(result: Handshake | FailedHandshake) -> bool:
    return isinstance(result, FailedHandshake) and result.kind in _STRANGERS


def _conclude(
    settings: GatewaySettings,
    chain: Sequence[Certificate],
    refused: FailedHandshake | None,
    diagnosis: _Diagnosis,
    agreed: str,
) -> Finding:
    evidence = [agreed]
    if refused is None and not settings.insecure:
        trusted = f"the gateway's certificate is verified by {settings.ca_file or 'the authorities of this machine'}"
        return _finding(Grade.CONFIRMED, "trusted", trusted, evidence)
    known = diagnosis.machine_knows or (settings.ca_file is not None and not _is_unknown(refused))
    words = [*_flaw_words(settings, chain, diagnosis.flaw), *_authority_words(settings, chain, diagnosis, known=known)]
    if settings.insecure:
        words.insert(0, "the site says insecure, so nobody checks whom the Guids go to")
    if not words and refused is not None:
        words.append(refused.message)
    value = "insecure" if refused is None else _word(refused.kind)
    return _finding(Grade.CONFIRMED, value, "; ".join(words), evidence)


def _is_unknown(refused: FailedHandshake | None) -> bool:
    return refused is not None and refused.kind in _STRANGERS


def _flaw_words(settings: GatewaySettings, chain: Sequence[Certificate], flaw: FailedHandshake | None) -> list[str]:
    if flaw is None or flaw.kind in _STRANGERS or not chain:
        return []
    if flaw.kind is FailureKind.WRONG_NAME:
        names = ", ".join(chain[0].names) or "no name at all"
        host = urlsplit(settings.url).hostname
        return [f"its certificate is for {names}, and gateway.url says {host}: write a name it is for"]
    dates = f"it is valid from {chain[0].not_before} to {chain[0].not_after}"
    return [f"{flaw.message}; {dates}"]


def _authority_words(
    settings: GatewaySettings, chain: Sequence[Certificate], diagnosis: _Diagnosis, *, known: bool
) -> list[str]:
    if diagnosis.machine_knows:
        unneeded = "insecure: true" if settings.insecure else "ca_file" if settings.ca_file is not None else None
        return [f"the authorities of this machine verify it: leave gateway.{unneeded} out"] if unneeded else []
    if known or not chain:
        return []
    by_whom = f"the authorities in {settings.ca_file} do" if settings.ca_file else "this machine does"
    unknown = f"it is signed by an authority that {by_whom} not know"
    if diagnosis.ca is None:
        return [f"{unknown} and the gateway does not present: ask the site's engineers for that of {chain[-1].issuer}"]
    told = f"compare the fingerprint of {diagnosis.ca.subject} with the site's engineers, then save its PEM (below)"
    return [f"{unknown}: {told} as ca.pem beside site.yaml; tried with it, who signed it is known"]


def _word(kind: FailureKind) -> str:
    return kind.name.lower().replace("_", "-")


def _finding(grade: Grade, value: str, conclusion: str, evidence: Sequence[str]) -> Finding:
    return Finding(topic=Topic.TLS, grade=grade, value=value, conclusion=conclusion, evidence=tuple(evidence))
