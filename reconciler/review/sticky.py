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
from enum import StrEnum

from reconciler.errors import ReviewHostError
from reconciler.review.body import StickyComment
from reconciler.review.exchange import Unanswered
from reconciler.review.host import Comment, ReviewHost
from reconciler.review.marker import Marker
from reconciler.review.standing import LABEL_FAMILY, Standing, worst
from reconciler.values import Struct

_ROUNDS = 5


class Deed(StrEnum):
    """What became of a site's comment."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class Posted(Struct, frozen=True, kw_only=True):
    """How it ended for one site."""

    site: str
    standing: Standing
    deed: Deed
    page: str
    """Where people see it; empty if the host does not say."""
    folded: int = 0
    removed: int = 0
    """Second comments, of two jobs that ran at once."""


class Steps(Struct, frozen=True, kw_only=True):
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


class _Work:
    """One site's comment on its way."""

    def __init__(self, wanted: StickyComment) -> None:
        self._wanted = wanted
        self._told = False
        self._lost: Unanswered | None = None
        self._deed, self._page, self._folded, self._removed = Deed.UNCHANGED, "", 0, 0
        self.settled = False

    @property
    def posted(self) -> Posted | None:
        """What became of it; `None` as long as nothing is known."""
        if self._deed is Deed.UNCHANGED and not self.settled:
            return None
        return Posted(
            site=self._wanted.marker.site,
            standing=self._wanted.standing,
            deed=self._deed,
            page=self._page,
            folded=self._folded,
            removed=self._removed,
        )

    @property
    def failure(self) -> ReviewHostError:
        """Why it does not come to an end."""
        return self._lost or ReviewHostError(
            f"the comment of site {self._wanted.marker.site} is not there after {_ROUNDS} attempts",
            hint="look at the pull request, and at who else comments on it; then run again",
        )

    def go_on(self, host: ReviewHost, comments: Collection[Comment], *, fold_old: bool) -> None:
        """Do what is missing, given our comments of all sites."""
        live = [each for each in comments if each.marker.site == self._wanted.marker.site and _is_live(each)]
        steps = next_steps(live, self._wanted.marker, fold_old=fold_old, told=self._told)
        self._page = self._page if steps.keep is None else steps.keep.page
        self.settled = steps.settled
        if steps.create:
            self._create(host)
        if steps.update is not None:
            self._told = host.replace(steps.update, self._wanted.body)
            self._deed = Deed.UPDATED if self._deed is Deed.UNCHANGED else self._deed
        for comment in steps.fold:
            host.fold(comment)
            self._folded += 1
        for comment in steps.remove:
            host.remove(comment)
            self._removed += 1

    def _create(self, host: ReviewHost) -> None:
        try:
            self._page = host.create(self._wanted.body).page
        except Unanswered as error:  # it may be there: the next look tells
            self._lost = error
        else:
            self._told = True
        self._deed = Deed.CREATED


def post(
    host: ReviewHost, wanted: Collection[StickyComment], *, fold_old: bool
) -> tuple[list[Posted], ReviewHostError | None]:
    """See to it that each site has the comment that is wanted, and no other.

    All sites are looked at together: a host limits how often it is asked.

    Returns:
        What became of them, and what ended it before all was done, if anything did.
    """
    works = [_Work(each) for each in wanted]
    failure = None
    try:
        _settle(host, works, fold_old=fold_old)
    except ReviewHostError as error:
        failure = error
    return [posted for work in works if (posted := work.posted) is not None], failure


def _settle(host: ReviewHost, works: Collection[_Work], *, fold_old: bool) -> None:
    for _ in range(_ROUNDS):
        open_works = [work for work in works if not work.settled]
        if not open_works:
            return
        comments = host.comments()
        for work in open_works:
            work.go_on(host, comments, fold_old=fold_old)
    for work in works:
        if not work.settled:
            raise work.failure


def fold_others(host: ReviewHost, posted: Collection[Posted]) -> tuple[str, ...]:
    """Fold our comments of sites of which nothing was posted; return those sites.

    Raises:
        ReviewHostError: the host refuses, or cannot be reached.
    """
    told = {each.site for each in posted}
    others = [each for each in host.comments() if _is_live(each) and each.marker.site not in told]
    for comment in others:
        host.fold(comment)
    return tuple(sorted({each.marker.site for each in others}))


def label(host: ReviewHost, posted: Collection[Posted]) -> Standing | None:
    """See to it that the pull request carries one label of ours, and return what it says; none of no comments.

    Args:
        host: the pull request.
        posted: what was just posted, which a host that answers late may not show yet.

    Raises:
        ReviewHostError: the host refuses, or cannot be reached.
    """
    ours = {each.site: each.standing for each in posted}
    set_to: set[str] | None = None
    wanted: Standing | None = None
    for _ in range(_ROUNDS):
        seen = {each.marker.site: each.marker.standing for each in host.comments() if each.marker.standing is not None}
        wanted = worst({**ours, **seen}.values())
        names = set() if wanted is None else {wanted.label}
        if names == set_to:
            break
        carried = {name for name in host.labels() if name.startswith(LABEL_FAMILY)}
        if carried == names:
            break
        host.relabel(add=sorted(names - carried), remove=sorted(carried - names))
        set_to = names
    return wanted


def _is_live(comment: Comment) -> bool:
    return comment.marker.standing is not None
