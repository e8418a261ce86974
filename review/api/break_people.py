"""By REST, who comes into question for a break: to look after it, or to be called in a comment."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from reconciliation.models import Break
from review.api.door import Door
from review.api.permissions import check_right
from review.assigning import deciders_of
from review.comments import WRITES, people_who_see
from review.rights import DECIDES

LONGEST_NAME = 150


class PeopleSerializer(serializers.Serializer):
    """Users' names."""

    people = serializers.ListField(child=serializers.CharField())


def _break(request: Request, pk: str) -> Break:
    return get_object_or_404(Break.objects.visible_to(request.user).select_related("reconciliation"), pk=pk)


class AssigneesView(Door):
    """Those to whom a break can be given."""

    @extend_schema(responses=PeopleSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """Who may decide it, by name."""
        check_right(request, DECIDES, "Assigning")
        found = deciders_of(_break(request, pk))
        return Response({"people": list(found.values_list("username", flat=True))})


class MentionsView(Door):
    """Those who can be called by `@name`."""

    parameters = ("beginning",)

    @extend_schema(
        parameters=[OpenApiParameter("beginning", description="Of the name; without one nobody is told.")],
        responses=PeopleSerializer,
    )
    def get(self, request: Request, pk: str) -> Response:
        """The first few who may see the break and whose names begin so."""
        check_right(request, WRITES, "Commenting")
        beginning = request.GET.get("beginning", "")[:LONGEST_NAME]
        brk = _break(request, pk)
        return Response({"people": people_who_see(brk, beginning) if beginning else []})
