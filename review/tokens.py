"""API tokens: made once, shown once, kept as a hash."""

import datetime as dt
import hashlib
import secrets

from django.contrib.auth.models import User
from django.utils import timezone

from review.models import ApiToken

SCOPES = ("read", "deliver", "run", "decide")


def make_token(*, user: User, name: str, scopes: list[str], days: int = 90) -> str:
    """A new token's text, which is not kept."""
    if unknown := set(scopes) - set(SCOPES):
        raise ValueError(f"There is no scope {sorted(unknown)[0]!r}; there is {', '.join(SCOPES)}.")
    text = secrets.token_urlsafe(32)
    ApiToken.objects.create(
        user=user,
        name=name,
        prefix=text[:8],
        sha256=digest(text),
        scopes=scopes,
        expires_at=timezone.now() + dt.timedelta(days=days),
    )
    return text


def digest(text: str) -> str:
    """The hash under which a token is kept; the token is random, so a plain one is enough."""
    return hashlib.sha256(text.encode()).hexdigest()
