"""Incidents by REST. One is decided as a bulk: POST bulk-previews with its id."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion.person import person_of
from review.api.door import Rows
from review.api.strict import one_of
from review.incidents.standing import Figures, figures_of, signature_text, visible_incidents
from review.models import Incident


class WaitingSumSerializer(serializers.Serializer):
    """What waits of one currency."""

    currency = serializers.CharField()
    amount = serializers.CharField()


class IncidentSerializer(serializers.ModelSerializer):
    """Breaks that surged together. `breaks` and `usual` are of its first run; the counts after them are of now."""

    reconciliation = serializers.CharField(source="reconciliation.code")
    signature = serializers.SerializerMethodField()
    count = serializers.SerializerMethodField()
    waiting = serializers.SerializerMethodField()
    decided = serializers.SerializerMethodField()
    sums = serializers.SerializerMethodField()

    class Meta:
        model = Incident
        fields = (
            "id", "reconciliation", "run", "last_run", "field", "reason", "gap", "segment", "segment_of", "signature", "state",
            "breaks", "usual", "runs", "found_at", "count", "waiting", "decided", "sums",
        )  # fmt: skip

    def _figures(self, incident: Incident) -> Figures:
        held: dict[int, Figures] = self.context["figures"]
        return held[incident.pk]

    def get_signature(self, incident: Incident) -> str:
        """What its breaks have in common, in one line."""
        return signature_text(incident)

    def get_count(self, incident: Incident) -> int:
        """All of its breaks."""
        return self._figures(incident).count

    def get_waiting(self, incident: Incident) -> int:
        """Those that wait for a person."""
        return self._figures(incident).waiting

    def get_decided(self, incident: Incident) -> int:
        """Those that a person decided."""
        return self._figures(incident).decided

    @extend_schema_field(WaitingSumSerializer(many=True))
    def get_sums(self, incident: Incident) -> list[dict[str, str]]:
        """The amounts of those that wait, per currency."""
        return [{"currency": it, "amount": f"{amount.normalize():f}"} for it, amount in self._figures(incident).sums]


class IncidentViewSet(ListModelMixin, RetrieveModelMixin, Rows):
    """Incidents: list, one."""

    serializer_class = IncidentSerializer
    queryset = Incident.objects.none()
    parameters = ("state",)

    def get_queryset(self) -> QuerySet[Incident]:
        """Those of reconciliations that the user may see; `state` narrows a list."""
        found = visible_incidents(person_of(self.request))
        state = one_of(self.request, "state", Incident.State.values) if self.action == "list" else ""
        return found.filter(state=state) if state else found

    @extend_schema(parameters=[OpenApiParameter("state", enum=Incident.State.values)])
    def list(self, request: Request) -> Response:
        """Incidents, newest first."""
        page: list[Any] = self.paginate_queryset(self.get_queryset()) or []
        told = IncidentSerializer(page, many=True, context={"figures": figures_of(page)})
        return self.get_paginated_response(told.data)

    def retrieve(self, request: Request, pk: str | None = None) -> Response:
        """One incident."""
        incident = self.get_object()
        return Response(IncidentSerializer(incident, context={"figures": figures_of([incident])}).data)
