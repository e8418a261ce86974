"""What a program has to know by name before it asks: reconciliations, sources, reasons."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from attribution.models import Reason
from ingestion.models import Source
from reconciliation.models import Reconciliation
from reconciliation.visibility import visible_sources
from review.api.door import Door


class ReconciliationSerializer(serializers.ModelSerializer):
    """A reconciliation; `is_whole` where the caller sees all of it."""

    record_type = serializers.CharField(source="a.record_type.code")
    a = serializers.CharField(source="a.code")
    b = serializers.CharField(source="b.code")
    team = serializers.CharField(source="team.code", default=None, allow_null=True)
    is_whole = serializers.BooleanField()

    class Meta:
        model = Reconciliation
        fields = ("code", "label", "record_type", "a", "b", "team", "four_eyes", "is_whole")


class SourceSerializer(serializers.ModelSerializer):
    """A source."""

    record_type = serializers.CharField(source="record_type.code")

    class Meta:
        model = Source
        fields = ("code", "label", "record_type", "kind", "delivers")


class ReasonSerializer(serializers.ModelSerializer):
    """A reason that a decision or an audit can give; `functional` where it is no error."""

    class Meta:
        model = Reason
        fields = ("code", "label", "functional", "description")


class ReconciliationsView(Door):
    """The reconciliations of which the caller sees something."""

    @extend_schema(responses=ReconciliationSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All of them, by code."""
        seen = Reconciliation.objects.entered_by(request.user).select_related("a__record_type", "b", "team")
        return Response(ReconciliationSerializer(seen.order_by("code"), many=True).data)


class SourcesView(Door):
    """The sources that the caller sees."""

    @extend_schema(responses=SourceSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All of them, by code."""
        seen = visible_sources(request.user).select_related("record_type").order_by("code")
        return Response(SourceSerializer(seen, many=True).data)


class ReasonsView(Door):
    """The reasons in use."""

    @extend_schema(responses=ReasonSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All of them, by code."""
        return Response(ReasonSerializer(Reason.objects.filter(active=True).order_by("code"), many=True).data)
