"""A probe as JSON-ready documents; `schemas/probe.schema.json` describes exactly these."""

from __future__ import annotations

from reconciler.model.probe import Finding, ProbeOutcome, ProbeScript
from reconciler.report.documents.text import Document
from reconciler.values import asdict


def probe_script_document(script: ProbeScript) -> Document:
    """Return the section `script`: everything that the probe may send."""
    return {
        "agent": str(script.agent),
        "url": script.url,
        "method": script.method,
        "path": script.path,
        "source": script.source,
        "at_most": script.at_most,
        "restoring_attempts": script.restoring_attempts,
        "seconds": script.seconds,
        "pause": script.pause,
        "messages": [asdict(each) for each in script.messages],
        "branches": [{**asdict(each), "letters": list(each.letters)} for each in script.branches],
    }


def probe_document(outcome: ProbeOutcome) -> Document:
    """Return what is particular to a probe that ran: calls, findings, certificates, times, lines for site.yaml."""
    return {
        "agent": str(outcome.agent),
        "end": outcome.end.name.lower().replace("_", "-"),
        "detail": outcome.detail,
        "restoration": outcome.restoration.name.lower().replace("_", "-"),
        "findings": [_finding(each) for each in outcome.findings],
        "calls": [{**asdict(each), "extras": list(each.extras)} for each in outcome.calls],
        "certificates": [{**asdict(each), "names": list(each.names)} for each in outcome.certificates],
        "ca_pem": outcome.ca_pem,
        "latency": [asdict(each) for each in outcome.latency],
        "site_lines": list(outcome.site_lines),
    }


def probe_summary(outcome: ProbeOutcome) -> Document:
    """Return the number of calls, and the grade of each finding by its topic."""
    return {"calls": len(outcome.calls), **{str(each.topic): str(each.grade) for each in outcome.findings}}


def _finding(finding: Finding) -> Document:
    return {
        "topic": str(finding.topic),
        "grade": str(finding.grade),
        "value": finding.value,
        "conclusion": finding.conclusion,
        "evidence": list(finding.evidence),
    }
