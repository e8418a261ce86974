"""By REST, what a file would become as a delivery. Nothing is kept."""

from typing import Any

from django.contrib.auth.models import User
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion.control_totals import Declared
from ingestion.errors import IngestionError
from ingestion.models import Source
from ingestion.person import person_of
from ingestion.preview import Preview, previewed
from ingestion.uploads import Upload, bytes_of, discard_upload, stage
from reconciliation.visibility import visible_sources
from review.api.deliveries import ChangedRecordSerializer, HandInSerializer
from review.api.door import Door
from review.api.idempotency import KEY_HEADER, looked
from review.api.permissions import check_right
from review.dry_run import DryRun, dry_run


class RejectedRowSerializer(serializers.Serializer):
    """A row that would be quarantined."""

    record = serializers.IntegerField(source="n")
    line = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField()
    raw = serializers.CharField(allow_blank=True)


class FlaggedSerializer(serializers.Serializer):
    """A value that would be flagged, and what it is not."""

    record = serializers.IntegerField(source="number")
    field = serializers.CharField()
    column = serializers.CharField(allow_blank=True)
    text = serializers.CharField(allow_blank=True)
    why = serializers.CharField()


class BesideSerializer(serializers.Serializer):
    """The file beside what its source handed over before: records by what would happen to them, and the first new or changed."""

    delivery = serializers.IntegerField(source="former.pk", default=None, allow_null=True)
    supersedes = serializers.BooleanField()
    counts = serializers.DictField(child=serializers.IntegerField())
    records = ChangedRecordSerializer(many=True)


class TrialSerializer(serializers.Serializer):
    """What would come of a file. `error` says why it cannot be read; it may still be handed in where `may_be_accepted`. The counts
    are null then. `is_whole`: the file ends within the 50,000 records that are looked at."""

    date = serializers.DateField()
    error = serializers.CharField(allow_blank=True)
    may_be_accepted = serializers.BooleanField()
    is_whole = serializers.BooleanField()
    received = serializers.IntegerField(allow_null=True)
    normalized = serializers.IntegerField(allow_null=True)
    quarantined = serializers.IntegerField(allow_null=True)
    flagged_values = serializers.IntegerField(allow_null=True)
    notes = serializers.ListField(child=serializers.CharField())
    questions = serializers.ListField(child=serializers.CharField())
    rejected = RejectedRowSerializer(many=True)
    flags = FlaggedSerializer(many=True)
    beside = BesideSerializer(allow_null=True)


class DeliveryTrialsView(Door):
    """Files that are tried."""

    parser_classes = [MultiPartParser]
    scope = "deliver"

    @extend_schema(parameters=[KEY_HEADER], request=HandInSerializer, responses={200: TrialSerializer})
    def post(self, request: Request) -> Response:
        """Read a file as POST deliveries would, and tell what becomes of it."""
        check_right(request, "ingestion.add_delivery", "Delivering a file")
        asked = HandInSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        source = get_object_or_404(visible_sources(request.user), code=asked.validated_data["source"])
        by = person_of(request)
        return looked(request, lambda: _tried(source, asked.validated_data, by), {IngestionError: 400})


def _tried(source: Source, given: dict[str, Any], by: User) -> Response:
    declared = Declared.given(given["records"], given["sums"])
    kept = stage(
        source=source, upload=given["file"], given=given["date"], by=by.get_username(), sent=given["sha256"],
        declared=declared,
    )  # fmt: skip
    try:
        with bytes_of(kept) as file, previewed(file, source.current_mapping(), declared) as (found, records):
            return Response({**TrialSerializer(_told(kept, found, dry_run(kept, source, found, records))).data})
    finally:
        discard_upload(kept)


def _told(kept: Upload, found: Preview, beside: DryRun | None) -> dict[str, Any]:
    counts = ("received", "normalized", "quarantined", "flagged_values")
    names = ("error", "may_be_accepted", "is_whole", "notes", "questions", "rejected", "flags")
    return {
        "date": kept.date,
        **{name: getattr(found, name) for name in names},
        **{name: getattr(found.counts, name, None) for name in counts},
        "beside": beside,
    }
