"""What programs are told where there is nothing."""

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from review.api.door import Always


@extend_schema(exclude=True)
class NoSuchAddress(APIView):
    """An answer for programs where there is no page."""

    permission_classes = [IsAuthenticated]
    content_negotiation_class = Always

    def get(self, request: Request) -> Response:
        """Always 404, with where to look."""
        raise NotFound(f"There is no {request.path}. The document at /api/schema/ lists what there is.")

    post = put = patch = delete = get
