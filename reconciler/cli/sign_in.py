"""What a command that calls agents needs where its site has them signed in, and what it says of them on its way out."""

from __future__ import annotations

from reconciler.cli.clock import utc_now
from reconciler.errors import UsageError
from reconciler.gateway import GatewayAccess, SessionSource, SignInAccess, with_overrides
from reconciler.model.session_sources import SessionSettings
from reconciler.model.sign_in_settings import SignInSessions
from reconciler.model.site import Site


def require_force(sessions: SessionSettings) -> None:
    """Refuse `--force-sign-in` where site.yaml does not say the same: both are needed to throw somebody out.

    Raises:
        UsageError: it does not.
    """
    if not isinstance(sessions, SignInSessions):
        raise UsageError(
            "--force-sign-in is for sites whose sessions.source is signin, and this one's is another",
            hint="leave it out: nobody is signed in here",
        )
    if not sessions.force:
        raise UsageError(
            "--force-sign-in throws people out of their sessions, and site.yaml does not allow it",
            hint="leave it out; or, if that is meant, say force: true under sessions in site.yaml",
        )


def sign_in_access(site: Site, access: GatewayAccess, *, force: bool) -> SignInAccess:
    """Return what signing in needs; to give it is to allow it, which only apply, rollback and probe do."""
    table = with_overrides(site.retcodes)
    return SignInAccess(gateway=site.gateway, access=access, table=table, now=utc_now, force=force)


def left_behind(source: SessionSource) -> str:
    """Return who is left signed in when the process ends at once, as lines for stderr; empty if nobody is."""
    return "".join(f"warning: {each.summary}\n  {each.detail}\n" for each in source.warnings())
