"""The rejects file by REST."""

import datetime as dt
import tempfile
from pathlib import Path

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion.business_date import NoDate, given_date
from ingestion.errors import IngestionError
from ingestion.models import Source
from reconciliation.visibility import visible_sources
from review.api.door import Door
from review.api.idempotency import KEY_HEADER, once
from review.api.permissions import check_right
from review.api.strict import one_of
from review.rejects import push_rejects, write_rejects

LINES = {"type": "array", "items": {"type": "object"}}
TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


class PushedSerializer(serializers.Serializer):
    """Where the rejects of a date lie now, and how many they are."""

    records = serializers.IntegerField()
    place = serializers.CharField()


class RejectsView(Door):
    """Records of a source and date that were rejected or could not be read."""

    scope = "deliver"
    parameters = ("date", "as")
    also = {"post": ("date",)}

    @extend_schema(
        parameters=[OpenApiParameter("date", dt.date, required=True), OpenApiParameter("as", enum=list(TYPES))],
        responses={(200, "text/csv"): OpenApiTypes.BINARY, (200, "application/json"): LINES},
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        """A file to download."""
        source = get_object_or_404(visible_sources(request.user), code=code)
        date = _date(request)
        kind = one_of(request, "as", TYPES, "csv")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"rejects.{kind}"
            write_rejects(source, date, file)
            name = f"rejects_{source.code}_{date:%Y-%m-%d}.{kind}"
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return HttpResponse(file.read_bytes(), content_type=TYPES[kind], headers=headers)

    @extend_schema(
        parameters=[KEY_HEADER, OpenApiParameter("date", dt.date, required=True)],
        request=None,
        responses={200: PushedSerializer},
    )
    def post(self, request: Request, code: str) -> Response:
        """Put the file into the folder that the source's connection names; the same date again replaces it."""
        source = get_object_or_404(visible_sources(request.user), code=code)
        check_right(request, "ingestion.add_delivery", "Sending rejects back")
        date = _date(request)
        return once(request, lambda: _pushed(source, date), {IngestionError: 400})


def _pushed(source: Source, date: dt.date) -> Response:
    count, place = push_rejects(source, date)
    return Response({**PushedSerializer({"records": count, "place": place}).data})


def _date(request: Request) -> dt.date:
    try:
        return given_date(request.query_params.get("date", ""))
    except NoDate:
        raise ValidationError({"detail": "Give the business date, such as ?date=2026-11-20."}) from None
