"""API tokens: made once, shown once, kept as a hash."""

import datetime as dt
import hashlib
import secrets

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ingestion.audit_log import record_event
from review.models import ApiToken

LONGEST_DAYS = 365
SCOPES = ("read", "deliver", "run", "decide", "define", "audit")


@transaction.atomic
def make_token(*, user: User, name: str, scopes: list[str], days: int = 90, by: User | None = None) -> str:
    """A new token's text, which is not kept."""
    if unknown := set(scopes) - set(SCOPES):
        raise ValueError(f"There is no scope {sorted(unknown)[0]!r}; there is {', '.join(SCOPES)}.")
    if not scopes or not 1 <= days <= LONGEST_DAYS:
        raise ValueError(f"A token needs a scope at least, and ends after 1 to {LONGEST_DAYS} days.")
    text = secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=text[:8],
        sha256=digest(text),
        scopes=scopes,
        expires_at=timezone.now() + dt.timedelta(days=days),
    )
    after = {"user": user.get_username(), "scopes": scopes, "expires_at": token.expires_at}
    record_event("token.made", of=token, by=by, after=after)
    return text


@transaction.atomic
def revoke_token(*, token: ApiToken, by: User | None = None) -> None:
    """Take a token back: the next request with it is refused."""
    before = {"user": token.user.get_username(), "scopes": token.scopes, "expires_at": token.expires_at}
    record_event("token.revoked", of=token, by=by, before=before)
    token.delete()


def digest(text: str) -> str:
    """The hash under which a token is kept; the token is random, so a plain one is enough."""
    return hashlib.sha256(text.encode()).hexdigest()
