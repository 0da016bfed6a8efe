"""An earlier commit, read from Git's objects: what an environment was then, and which files have changed since.

The only room that looks at a user's history. It reads objects and never checks anything out; nothing is written but
into a directory that is thrown away.
"""

from __future__ import annotations

from reconciler.revisions.checkout import Revision, changed_files, find_revision
from reconciler.revisions.objects import UnreadableTreeError
from reconciler.revisions.unpacking import environment_at

__all__ = ["Revision", "UnreadableTreeError", "changed_files", "environment_at", "find_revision"]
