"""The queue's counts by REST: how many breaks there are under a query, in each state and of each kind, reason, band."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from reconciliation.holds import return_due
from review.api.door import Door
from review.counting import FACETS, count_breaks
from review.query import BadQuery, asked_of, known_of
from review.visible import entered_reconciliations


class FacetSerializer(serializers.Serializer):
    """How many breaks have a value; `by` is the word that the query would have it by."""

    by = serializers.CharField()
    value = serializers.CharField(allow_blank=True)
    count = serializers.IntegerField()


class CountsSerializer(serializers.Serializer):
    """Breaks under a query. Each facet counts under every word of the query but its own. `is_bounded`: the query asks by more than
    is tallied and leaves more breaks than are looked at, so the counts leave out what it asks by."""

    q = serializers.CharField(allow_blank=True)
    total = serializers.IntegerField()
    is_bounded = serializers.BooleanField()
    facets = FacetSerializer(many=True)


class CountsView(Door):
    """Counts of breaks."""

    parameters = ("q",)

    @extend_schema(
        parameters=[OpenApiParameter("q", description="As of GET breaks; what is in review if it names no state.")],
        responses=CountsSerializer,
    )
    def get(self, request: Request) -> Response:
        """Count them."""
        return_due(timezone.now())
        try:
            asked = asked_of(
                {"q": request.GET.get("q", "")}, known_of(lambda: entered_reconciliations(request._request))
            )
        except BadQuery as error:
            raise ValidationError({"detail": str(error)}) from None
        counts = count_breaks(request._request, asked)
        facets = [
            {"by": name, "value": value, "count": count}
            for name in FACETS
            for value, count in counts.of(name).most_common()
        ]
        told = {"q": asked.text, "total": counts.total, "is_bounded": counts.is_bounded, "facets": facets}
        return Response(CountsSerializer(told).data)
