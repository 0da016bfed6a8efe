"""Whom a rollback does not call and whom it calls with a doubt, read back from its document."""

from __future__ import annotations

from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.going_back import GoingBack
from reconciler.model.state import AgentRecord
from reconciler.report.reading.envelope import agents_once, moment
from reconciler.report.reading.values import Fields, keyed, truth

_NOT_SAVED = AgentRecord.of(
    concurrency=Concurrency.of(1, {Channel.WEB_CHAT: 0}), callnums_key=CallnumsKey.CAMEL, acknowledged_at=None
)
"""In place of a record that is put back: the document names the agent alone, and no rollback is made from it."""

_left_by = keyed({command: command for command in ("apply", "rollback")})


def going_back(value: object) -> GoingBack:
    """Read `going_back` of a rollback's document. It is to be shown, never carried out."""
    fields = Fields(value)
    back = GoingBack(
        left_by=fields.take("left_by", _left_by),
        begun_at=fields.take("begun_at", moment),
        finished=fields.take("finished", truth),
        restored=dict.fromkeys(fields.take("restored", agents_once), _NOT_SAVED),
        unknown=fields.take("unknown", agents_once),
        uncertain=fields.take("uncertain", agents_once),
        changed_since=fields.take("changed_since", agents_once),
        already=fields.take("already", agents_once),
    )
    fields.finish()
    return back
