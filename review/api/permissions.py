"""What a token may do."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from review.models import ApiToken


class HasScope(BasePermission):
    """A token needs the scope that the view names; a person signed in needs none beside the role."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the token may."""
        if not request.user or not request.user.is_authenticated:
            return False
        is_reading = request.method in ("GET", "HEAD", "OPTIONS")
        needed = getattr(view, "reads", "read") if is_reading else getattr(view, "scope", "read")
        return not isinstance(request.auth, ApiToken) or needed in request.auth.scopes
