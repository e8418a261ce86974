"""The set-up's history by REST, for who reads the audit log."""

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from review.api.deliveries import CellSerializer
from review.api.door import Door
from review.api.permissions import check_right
from review.audit_events import READS
from review.set_up_history import KINDS, MOST, may_see, versions_of


class VersionSerializer(serializers.Serializer):
    """A version: who made it, through which door (empty: past the services), and what it changed."""

    at = serializers.DateTimeField()
    did = serializers.CharField()
    by = serializers.CharField(allow_blank=True)
    door = serializers.CharField(allow_blank=True)
    request = serializers.CharField(allow_blank=True)
    changes = CellSerializer(many=True)


class HistorySerializer(serializers.Serializer):
    """What a thing was called last, and its versions, the newest first."""

    name = serializers.CharField()
    versions = VersionSerializer(many=True)


class SetUpHistoryView(Door):
    """The versions of a thing of the set-up."""

    reads = "audit"

    @extend_schema(
        parameters=[OpenApiParameter("kind", location=OpenApiParameter.PATH, enum=list(KINDS))],
        responses=HistorySerializer,
    )
    def get(self, request: Request, kind: str, pk: str) -> Response:
        """At most 200 of them. A token needs the scope `audit`."""
        check_right(request, READS, "Reading the history of the set-up")
        if kind not in KINDS or not may_see(request.user, kind, int(pk)):
            raise Http404
        name, versions = versions_of(kind, int(pk))
        if not versions:
            raise Http404
        return Response(HistorySerializer({"name": name, "versions": versions[:MOST]}).data)
