"""What our saved documents have in common, read back: the version of their format, the envelope, fingerprints, moments.

Rule of this file: the version is read first, since a newer format may differ in everything else.
"""

from __future__ import annotations

import re
from datetime import datetime

from reconciler.model.agent import AgentId
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.plan import Base, GuardrailFinding
from reconciler.report.documents.writing import FORMAT_VERSION
from reconciler.report.reading.change import agent_id
from reconciler.report.reading.values import Fields, MisreadError, count, listed, optional, shown, text, truth, word_of
from reconciler.report.reported import Envelope

_HIGHEST_EXIT_CODE = 255

_VERSION = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})", re.ASCII)
_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)


class NewerFormatError(ValueError):
    """Nothing is wrong with the document; this version is too old for it."""


def require_format(version: str) -> None:
    """Accept the format this version writes, and no other.

    Raises:
        NewerFormatError: it is of a later one.
        ValueError: it is of none.
    """
    if version == FORMAT_VERSION:
        return
    match = _VERSION.fullmatch(version)
    if match and (int(match[1]), int(match[2])) > (1, 0):
        raise NewerFormatError(
            f"format_version: {version} was written by a newer reconciler; this one reads {FORMAT_VERSION}"
        )
    raise ValueError(f"format_version: {shown(version)} is not {FORMAT_VERSION}, which this one reads")


def fingerprint_text(value: object) -> str:
    """Read a fingerprint."""
    if not _FINGERPRINT.fullmatch(text(value)):
        raise ValueError(f"{shown(value)} is not sha256: and 64 hexadecimal digits")
    return text(value)


def moment(value: object) -> str:
    """Read a time as the state has them: UTC, whole seconds."""
    try:
        known = _MOMENT.fullmatch(text(value)) is not None and datetime.fromisoformat(text(value)).tzinfo is not None
    except ValueError:  # the 30th of February
        known = False
    if not known:
        raise MisreadError(f"{shown(value)} is not a time such as 2026-01-31T09:30:00Z")
    return text(value)


def envelope(fields: Fields, *, command: str, site: str | None) -> Envelope:
    """Read who wrote the document, where, and how that run ended.

    Args:
        fields: what is left of the document.
        command: which the document says it is of.
        site: the same; read before, since it says more than where.
    """
    return Envelope(
        command=command,
        tool_version=fields.take("tool_version", text),
        environment=fields.take("environment", optional(text)),
        site=site,
        exit_code=fields.take("exit_code", _exit_code),
        exit_reason=fields.take("exit_reason", text),
        diagnostics=fields.take("diagnostics", listed(_diagnostic)),
    )


def base(value: object) -> Base:
    """Read which state something was made against, or left."""
    fields = Fields(value)
    found = Base(lineage=fields.take("lineage", optional(text)), serial=fields.take("serial", count))
    fields.finish()
    if (found.lineage is None) is not (found.serial == 0):
        raise MisreadError("contradicts the lineage: only a state that was never written has serial 0", ".serial")
    return found


def finding(value: object) -> GuardrailFinding:
    """Read a guardrail that a plan exceeds."""
    fields = Fields(value)
    found = GuardrailFinding(
        guardrail=fields.take("guardrail", text),
        planned=fields.take("planned", text),
        limit=fields.take("limit", text),
        lifted=fields.take("lifted", truth),
        agents=fields.take("agents", listed(agent_id)),
    )
    fields.finish()
    return found


def agents_once(value: object) -> tuple[AgentId, ...]:
    """Read a list of agents that names each once."""
    agents = listed(agent_id)(value)
    if len(set(agents)) != len(agents):
        raise MisreadError("names an agent twice")
    return agents


def _exit_code(value: object) -> int:
    if count(value) > _HIGHEST_EXIT_CODE:
        raise MisreadError(f"{shown(value)} is more than {_HIGHEST_EXIT_CODE}")
    return count(value)


def _diagnostic(value: object) -> Diagnostic:
    fields = Fields(value)
    diagnostic = Diagnostic(
        severity=fields.take("severity", word_of(Severity)),
        code=fields.take("code", text),
        summary=fields.take("summary", text),
        detail=fields.take("detail", text),
        path=fields.take("path", text),
        line=fields.take("line", count),
        column=fields.take("column", count),
        pointer=fields.take("pointer", text),
    )
    fields.finish()
    return diagnostic
