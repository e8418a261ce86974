"""Deliveries by REST: list, one, hand in a file."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion import lake
from ingestion.arrival import take_in
from ingestion.control_totals import Declared
from ingestion.deliveries import plan_normalization
from ingestion.errors import IngestionError
from ingestion.models import Delivery, Source
from ingestion.ringing import ring_for_normalizing
from ingestion.staging import check_sent
from reconciliation.redelivery import LISTED, compare_with_former
from reconciliation.visibility import visible_deliveries, visible_sources
from review.api.door import Rows
from review.api.idempotency import KEY_HEADER, once
from review.api.paging import OURS
from review.api.permissions import check_right
from review.api.strict import StrictSerializer, one_of
from review.ids import is_number

CHANGES = 100  # records of an answer


class HandInSerializer(StrictSerializer):
    """A source's code, its business date where the file does not say it, the file, its sha256 to be held to, and what its
    manifest says: how many records, and sums such as `amount=1234.50`."""

    source = serializers.CharField(max_length=41)  # type: ignore[assignment]
    date = serializers.DateField(required=False, allow_null=True, default=None)
    file = serializers.FileField(max_length=255)
    sha256 = serializers.CharField(required=False, allow_blank=True, max_length=64, default="")
    records = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0, max_value=2**63 - 1)
    sums = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, default=list, max_length=50
    )


class ArrivedSerializer(serializers.ModelSerializer):
    """A delivery with what became of it so far."""

    source = serializers.SlugRelatedField("code", read_only=True)  # type: ignore[assignment, var-annotated]
    normalizations = serializers.SerializerMethodField()
    raw_deleted_at = serializers.DateTimeField(source="tombstone.deleted_at", default=None, allow_null=True)

    class Meta:
        model = Delivery
        fields = (
            "id",
            "source",
            "business_date",
            "file_name",
            "sha256",
            "size",
            "received_at",
            "raw_deleted_at",
            "replayed_from",
            "normalizations",
        )

    def get_normalizations(self, delivery: Delivery) -> list[dict[str, Any]]:
        """By each mapping version, the newest last."""
        names = ("state", "received", "normalized", "quarantined", "flagged_values", "mismatches", "error")
        return [
            {"mapping": it.mapping.version, **{name: getattr(it, name) for name in names}}
            for it in delivery.normalizations.all()
        ]


class CellSerializer(serializers.Serializer):
    """A field before and after."""

    field = serializers.CharField()
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)


class ChangedRecordSerializer(serializers.Serializer):
    """A record that was added, changed or left out."""

    kind = serializers.CharField()
    key = serializers.CharField()
    former_record = serializers.IntegerField(allow_null=True)
    record = serializers.IntegerField(allow_null=True)
    cells = CellSerializer(many=True)


class ChangesSerializer(serializers.Serializer):
    """A delivery against the one that it supersedes."""

    delivery = serializers.IntegerField(source="delivery.pk")
    supersedes = serializers.IntegerField(source="former.pk")
    counts = serializers.DictField(child=serializers.IntegerField())
    records = ChangedRecordSerializer(many=True)


class DeliveryViewSet(ListModelMixin, RetrieveModelMixin, Rows):
    """Deliveries: list, one, hand in."""

    serializer_class = ArrivedSerializer
    parser_classes = [MultiPartParser]
    queryset = Delivery.objects.none()
    scope = "deliver"
    also = {"list": OURS, "changes": ("kind", "first")}

    def get_queryset(self) -> QuerySet[Delivery]:
        """Deliveries of the sources that the user may see."""
        seen = visible_deliveries(self.request.user)
        return seen.select_related("source", "tombstone").prefetch_related("normalizations__mapping")

    @extend_schema(
        parameters=[OpenApiParameter("kind", enum=LISTED), OpenApiParameter("first", int)], responses=ChangesSerializer
    )
    @action(detail=True)
    def changes(self, request: Request, pk: str | None = None) -> Response:
        """The records added, changed and removed against the delivery that this one supersedes, a hundred at a time from the
        `first`; 404 where it supersedes none."""
        kind, first = one_of(request, "kind", LISTED), request.query_params.get("first", "0")
        if not is_number(first, 12):
            raise ValidationError({"detail": "first is a whole number from 0."})
        kinds = (kind,) if kind else LISTED
        told = compare_with_former(self.get_object(), kinds=kinds, first=int(first), most=CHANGES)
        if told is None:
            raise NotFound("This delivery supersedes none, or one of the two is not readable any more.")
        return Response(ChangesSerializer(told).data)

    @extend_schema(
        parameters=[KEY_HEADER], request=HandInSerializer, responses={201: ArrivedSerializer, 200: ArrivedSerializer}
    )
    def create(self, request: Request) -> Response:
        """Hand in a file; 200 instead of 201 when the same bytes were delivered for the date before."""
        check_right(request, "ingestion.add_delivery", "Delivering a file")
        asked = HandInSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        source = get_object_or_404(visible_sources(request.user), code=asked.validated_data["source"])
        return once(request, lambda: self._take(request, source, asked.validated_data), {IngestionError: 400})

    def _take(self, request: Request, source: Source, given: dict[str, Any]) -> Response:
        name, by = Path(given["file"].name).name, request.user.get_username()
        with _on_disk(given["file"]) as held:
            if given["sha256"]:
                check_sent(name, lake.sha256_of(held), given["sha256"])
            accepted = take_in(
                source=source, file=held, name=name, given=given["date"], by=by,
                declared=Declared.given(given["records"], given["sums"]),
            )  # fmt: skip
        ring_for_normalizing(plan_normalization(accepted.delivery))
        found = self.get_queryset().get(pk=accepted.delivery.pk)
        return Response({**ArrivedSerializer(found).data}, status=201 if accepted.is_new else 200)


@contextmanager
def _on_disk(upload: UploadedFile) -> Iterator[Path]:
    """Where an upload lies; a small one is written there first."""
    if isinstance(upload, TemporaryUploadedFile):
        yield Path(upload.temporary_file_path())
        return
    with tempfile.NamedTemporaryFile() as held:
        held.write(upload.read())
        held.flush()
        yield Path(held.name)
