"""The fingerprint of an inverse plan: what the file of a rollback is held against before anything of it is believed.

Unlike a plan's, it covers everything in the file: what it says of the past goes back into the state as it stands.
"""

from __future__ import annotations

import hashlib

from reconciler.errors import StalePlanError
from reconciler.model.inverse import InverseChange, InversePlan
from reconciler.model.state import AgentRecord
from reconciler.planning.fingerprint import canonical_line, plain_values
from reconciler.values import replace


def sealed(inverse: InversePlan) -> InversePlan:
    """Return `inverse` with its fingerprint."""
    return replace(inverse, fingerprint=_fingerprint(inverse))


def require_unaltered_inverse(inverse: InversePlan, *, name: str) -> None:
    """Refuse an inverse plan that does not fit its fingerprint.

    Args:
        inverse: as read from a file.
        name: the file's name as the user wrote it.

    Raises:
        StalePlanError: somebody edited the file.
    """
    if _fingerprint(inverse) != inverse.fingerprint:
        raise StalePlanError(
            f"{name}: what is in it does not fit its fingerprint: the file was altered after it was made",
            hint="take the file as the run left it, or revert the commit in Git and apply that",
        )


def _fingerprint(inverse: InversePlan) -> str:
    digest = hashlib.sha256(canonical_line(_heading(inverse)))
    for change in inverse.changes:
        digest.update(canonical_line(_entry(change)))
    return f"sha256:{digest.hexdigest()}"


def _heading(inverse: InversePlan) -> list[object]:
    place = [inverse.site, inverse.url, str(inverse.callnums_key)]
    state = [inverse.lineage, inverse.serial_before, inverse.serial_after]
    return [*place, *state, inverse.left_by, inverse.begun_at]


def _entry(change: InverseChange) -> list[object]:
    result = None if change.result is None else str(change.result)
    return [change.agent, str(change.action), _record(change.before), plain_values(change.after), result]


def _record(record: AgentRecord | None) -> list[object] | None:
    if record is None:
        return None
    facts = [record.acknowledged_at, record.session, record.team, record.protected]
    return [plain_values(record.concurrency), str(record.callnums_key), str(record.status), *facts]
