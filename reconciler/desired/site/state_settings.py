"""What the `state` section of site.yaml says, in typed values.

Rules of this file: a section is checked for what the schema cannot say, and built only when nothing is wrong with it;
what is not written is the model's own default. What concerns states that are kept away is loaded for those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from reconciler.desired.reading.marks import YamlDocument
from reconciler.desired.site.sections import OBJECT_SECRETS, parse_secret_reference, written
from reconciler.model.diagnostic import Diagnostic
from reconciler.model.state_settings import LocalState

if TYPE_CHECKING:
    from reconciler.model.states_away import StateSettings


def state_checks(value: Any) -> Iterator[tuple[tuple[str, ...], Callable[[str], object]]]:
    """Yield what the schema cannot say of the section `value`: each place, and what its text is read with."""
    for key in ("password", *OBJECT_SECRETS):
        yield ("state", key), parse_secret_reference
    if _is_away(value):
        from reconciler.desired.site.states_away import away_checks  # noqa: PLC0415 - see the rules of this file

        yield from away_checks(value)


def check_default_ref(document: YamlDocument) -> Iterator[Diagnostic]:
    """Report a site whose state would go to a ref that Git does not take: not every site's name can be a ref's."""
    if isinstance(document.value, dict) and _is_away(document.value.get("state")):
        from reconciler.desired.site.states_away import check_ref_of_name  # noqa: PLC0415 - see the rules of this file

        yield from check_ref_of_name(document)


def build_state(value: dict[str, Any]) -> StateSettings:
    """Return the backend that the section describes; an empty one is the default."""
    if not _is_away(value):
        return LocalState(**written(value, "path"))
    from reconciler.desired.site.states_away import build_away  # noqa: PLC0415 - see the rules of this file

    return build_away(value)


def _is_away(value: Any) -> bool:
    return isinstance(value, dict) and value.get("backend") in ("git", "object", "http")
