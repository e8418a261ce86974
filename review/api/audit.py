"""The audit log by REST, to read."""

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion.models import AuditEvent
from review.api.door import Rows
from review.api.paging import NewestFirst
from review.api.permissions import check_right
from review.audit_events import FILTERS, READS, BadFilter, narrowed, visible_events


class AuditEventSerializer(serializers.ModelSerializer):
    """One act. `hash` is the sha256 of the hash before it and of the event's own text (docs/operating.md)."""

    actor = serializers.CharField(source="actor_name")
    object = serializers.CharField(source="object_id")
    network = serializers.CharField(source="address")

    class Meta:
        model = AuditEvent
        fields = (
            "sequence", "at", "actor", "action", "kind", "object", "name", "run", "reconciliation", "before", "after", "door",
            "network", "request", "hash",
        )  # fmt: skip


class BySequence(NewestFirst):
    """Pages of the log."""

    ordering = "-sequence"


class AuditViewSet(ListModelMixin, Rows):
    """The events that one may read, newest first. A token needs the scope `audit`."""

    serializer_class = AuditEventSerializer
    pagination_class = BySequence
    queryset = AuditEvent.objects.none()
    parameters = FILTERS
    reads = "audit"

    def get_queryset(self) -> QuerySet[AuditEvent]:
        """Under the filters of the page."""
        check_right(self.request, READS, "Reading the audit log")
        try:
            return narrowed(visible_events(self.request.user), self.request.GET)
        except BadFilter as error:
            raise ValidationError({"detail": str(error)}) from None

    @extend_schema(parameters=[*map(OpenApiParameter, FILTERS)])
    def list(self, request: Request) -> Response:
        """Audit events, newest first."""
        return super().list(request)
