"""Pull-request hosts: one sticky comment for each site, and one label that says how things stand.

The room talks to GitHub and GitLab and never to a gateway; what it tells, `report` has rendered. Nothing that stands at
a host is believed but what this token's own account has written there.
"""

from reconciler.review.access import HostWays, headers_of, open_pull_request, require_number, ways_of
from reconciler.review.body import StickyComment, sticky_comment
from reconciler.review.exchange import Request, exchanging
from reconciler.review.host import ReviewHost
from reconciler.review.marker import is_site_name
from reconciler.review.pull_request import HostKind, PullRequest, Wishes, find_pull_request
from reconciler.review.refusal import Access
from reconciler.review.rehearsal import RehearsedExchange
from reconciler.review.standing import Standing
from reconciler.review.sticky import Deed, Posted, fold_others, label, post

__all__ = [
    "Access",
    "Deed",
    "HostKind",
    "HostWays",
    "Posted",
    "PullRequest",
    "RehearsedExchange",
    "Request",
    "ReviewHost",
    "Standing",
    "StickyComment",
    "Wishes",
    "exchanging",
    "find_pull_request",
    "fold_others",
    "headers_of",
    "is_site_name",
    "label",
    "open_pull_request",
    "post",
    "require_number",
    "sticky_comment",
    "ways_of",
]
