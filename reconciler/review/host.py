"""What a host of pull requests can do for us. Whoever adds one writes this and joins the tests that go over all.

Rules of this file: values and protocols only. A host hands out none but comments that this token's own account has
written: what somebody else wrote is not ours to change, and not to be believed, whatever marker it begins with.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from reconciler.review.marker import Marker
from reconciler.values import Struct


class Comment(Struct, frozen=True, kw_only=True):
    """A comment of ours, as it stands at the host."""

    id: int
    """Rises from comment to comment."""
    marker: Marker
    body: str
    page: str = ""
    """The address at which people see it."""
    node: str = ""
    """Its name in GitHub's other API."""


class ReviewHost(Protocol):
    """One pull request at one host."""

    def comments(self) -> tuple[Comment, ...]:
        """Return our comments, oldest first.

        Raises:
            ReviewHostError: the host refuses, or cannot be reached. So do all of these.
        """
        ...

    def create(self, body: str) -> Comment:
        """Add a comment.

        Raises:
            Unanswered: it may have been added, or not.
        """
        ...

    def replace(self, comment: Comment, body: str) -> bool:
        """Give a comment another text; tell whether it was still there."""
        ...

    def remove(self, comment: Comment) -> None:
        """Remove a comment, if it is still there."""
        ...

    def fold(self, comment: Comment) -> None:
        """Fold a comment away, for a newer one has taken its place."""
        ...

    def labels(self) -> tuple[str, ...]:
        """Return the labels that the pull request carries."""
        ...

    def relabel(self, *, add: Collection[str], remove: Collection[str]) -> None:
        """Change the labels of the pull request; those to be added are labels of ours."""
        ...
