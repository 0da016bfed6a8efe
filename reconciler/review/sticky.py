"""One comment for each site, and one label, whoever else is at work on the same pull request.

Neither host can be told "add this unless it is there", so two jobs at once may each add a comment. The way out is to
look again after adding, and to make what is then seen into one: every job decides alike, so whoever looks last leaves
one comment. Once its words stand there, a job never changes a comment to them again, or two jobs of different commits
would do so in turn without end.

1. Look at the comments that are ours.
2. Decide what is missing (`next_steps`, a pure function), do it, and begin again; end when nothing is.
3. Take the worst standing of all sites, and make it the one label of ours; look again whether it still is the worst.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from reconciler.errors import ReviewHostError
from reconciler.review.body import StickyComment
from reconciler.review.exchange import Unanswered
from reconciler.review.host import Comment, ReviewHost
from reconciler.review.marker import Marker
from reconciler.review.standing import LABEL_FAMILY, Standing, worst

_ROUNDS = 5


class Deed(StrEnum):
    """What became of a site's comment."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """How it ended for one site."""

    site: str
    standing: Standing
    deed: Deed
    page: str
    """Where people see it; empty if the host does not say."""
    folded: int = 0
    removed: int = 0
    """Second comments, of two jobs that ran at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What is to be done next."""

    create: bool = False
    update: Comment | None = None
    keep: Comment | None = None
    """The comment that is the site's, once this is done."""
    fold: tuple[Comment, ...] = ()
    remove: tuple[Comment, ...] = ()

    @property
    def settled(self) -> bool:
        """Tell whether nothing is to be done."""
        return not (self.create or self.update or self.fold or self.remove)


def next_steps(live: Collection[Comment], wanted: Marker, *, fold_old: bool, told: bool) -> Steps:
    """Return what makes `live` into the one comment that is wanted.

    Args:
        live: our comments of the site that are not folded.
        wanted: what the comment is to say.
        fold_old: a comment that says something else is folded and a new one added, rather than changed.
        told: our words have stood there already.
    """
    ordered = sorted(live, key=lambda comment: comment.id)
    if not ordered:  # when told, a host that answers late
        return Steps(create=not told)
    if fold_old:
        newest = ordered[-1]
        if newest.marker != wanted and not told:
            return Steps(create=True)
        return Steps(keep=newest, fold=tuple(ordered[:-1]))
    oldest = ordered[0]
    stale = oldest.marker != wanted and (not told or len(ordered) > 1)
    return Steps(keep=oldest, update=oldest if stale else None, remove=tuple(ordered[1:]))


def post(host: ReviewHost, wanted: StickyComment, *, fold_old: bool) -> Posted:
    """See to it that the site has the comment that is wanted, and no other.

    Raises:
        ReviewHostError: the host refuses, or cannot be reached.
    """
    deed, page, told, gone, away = Deed.UNCHANGED, "", False, 0, 0
    for _ in range(_ROUNDS):
        steps = next_steps(_live(host, wanted.marker.site), wanted.marker, fold_old=fold_old, told=told)
        page = steps.keep.page if steps.keep is not None else page
        if steps.create:
            deed = Deed.CREATED
            with suppress(Unanswered):  # it may be there: the next look tells
                page, told = host.create(wanted.body).page, True
            continue
        if steps.update is not None:
            told = host.replace(steps.update, wanted.body)
            deed = Deed.UPDATED if deed is Deed.UNCHANGED else deed
        for comment in steps.fold:
            host.fold(comment)
        for comment in steps.remove:
            host.remove(comment)
        gone, away = gone + len(steps.remove), away + len(steps.fold)
        if steps.settled:
            return Posted(
                site=wanted.marker.site, standing=wanted.standing, deed=deed, page=page, folded=away, removed=gone
            )
    raise ReviewHostError(
        f"the comment of site {wanted.marker.site} is not there after {_ROUNDS} attempts",
        hint="look at the pull request, and at who else comments on it; then run again",
    )


def fold_others(host: ReviewHost, posted: Collection[Posted]) -> tuple[str, ...]:
    """Fold our comments of sites of which nothing was posted; return those sites.

    Raises:
        ReviewHostError: the host refuses, or cannot be reached.
    """
    told = {each.site for each in posted}
    others = [each for each in host.comments() if each.marker.standing is not None and each.marker.site not in told]
    for comment in others:
        host.fold(comment)
    return tuple(sorted({each.marker.site for each in others}))


def label(host: ReviewHost, posted: Collection[Posted]) -> Standing | None:
    """See to it that the pull request carries one label of ours, and return what it says.

    Args:
        host: the pull request.
        posted: what was just posted, which a host that answers late may not show yet.

    Raises:
        ReviewHostError: the host refuses, or cannot be reached.
    """
    ours = {each.site: each.standing for each in posted}
    set_to: Standing | None = None
    for _ in range(_ROUNDS):
        seen = {each.marker.site: each.marker.standing for each in host.comments() if each.marker.standing is not None}
        wanted = worst([*{**ours, **seen}.values()])
        if wanted is None or wanted is set_to:
            break
        carried = {name for name in host.labels() if name.startswith(LABEL_FAMILY)}
        if carried == {wanted.label}:
            return wanted
        host.relabel(add=sorted({wanted.label} - carried), remove=sorted(carried - {wanted.label}))
        set_to = wanted
    return set_to


def _live(host: ReviewHost, site: str) -> list[Comment]:
    return [each for each in host.comments() if each.marker.site == site and each.marker.standing is not None]
