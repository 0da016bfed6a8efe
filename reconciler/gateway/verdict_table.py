"""The one table of everything that a call can come to: retcodes, HTTP statuses, unreadable replies, broken connections.

Rules of this file: it is for looking things up, in `explain` and in the documentation; what is done about a call is
decided in `protocol`, by the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reconciler.gateway.protocol.failure import FAILURES
from reconciler.gateway.retcodes import RETCODES, UNKNOWN, with_overrides
from reconciler.gateway.rows import VerdictTable
from reconciler.gateway.statuses import BODIES, STATUSES
from reconciler.model.site import RetcodeClass


def verdict_table(overrides: Mapping[str, RetcodeClass] | None = None) -> VerdictTable:
    """Return every row but that of success, by code, as a site with these overrides judges."""
    table = {**RETCODES, UNKNOWN.code: UNKNOWN, **STATUSES, **BODIES, **FAILURES}
    return with_overrides(overrides or {}, MappingProxyType(table))
