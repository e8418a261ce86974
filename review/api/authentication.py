"""Token sign-in of programs: `Authorization: Token TEXT`."""

import datetime as dt

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from ingestion.origin import through_door
from ingestion.prepared import TEXT, prepared
from review.models import ApiToken
from review.tokens import digest

USE_SEEN_EVERY = dt.timedelta(minutes=1)  # a write at each of hundreds of requests a second would tell nobody more


def _known() -> QuerySet[ApiToken]:
    return ApiToken.objects.select_related("user").filter(sha256=TEXT)


class TokenAuthentication(BaseAuthentication):
    """A live token's user, with the token as `request.auth`."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """None without a token; refused when it is unknown or expired."""
        words = get_authorization_header(request).split()
        if len(words) != 2 or words[0].lower() != b"token":
            return None
        found = prepared("token", _known, {TEXT: digest(words[1].decode("latin-1"))})
        token = found[0] if found else None
        if token is None or token.expires_at <= timezone.now() or not token.user.is_active:
            raise AuthenticationFailed("This token is unknown or has expired.")
        now = timezone.now()
        if token.last_used_at is None or now - token.last_used_at > USE_SEEN_EVERY:
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        through_door(f"api {token.prefix}")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return "Token"


class _Scheme(OpenApiAuthenticationExtension):
    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """As OpenAPI says it."""
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Token TEXT"}
