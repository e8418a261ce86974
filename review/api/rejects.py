"""The rejects file by REST."""

import datetime as dt
import tempfile
from pathlib import Path

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from reconciliation.visibility import visible_sources
from review.api.permissions import HasScope
from review.rejects import write_rejects

TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


class RejectsView(APIView):
    """Records of a source and date that were rejected or could not be read."""

    permission_classes = [IsAuthenticated, HasScope]

    @extend_schema(
        parameters=[OpenApiParameter("date", dt.date, required=True), OpenApiParameter("as", enum=list(TYPES))],
        responses={(200, "text/csv"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        """A file to download."""
        source = get_object_or_404(visible_sources(request.user), code=code)
        try:
            date = dt.date.fromisoformat(request.query_params.get("date", ""))
        except ValueError:
            raise ValidationError({"detail": "Give the business date, such as ?date=2026-11-20."}) from None
        kind = request.query_params.get("as", "csv")
        if kind not in TYPES:
            raise ValidationError({"detail": f"There is no form {kind!r}; there is {', '.join(TYPES)}."})
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"rejects.{kind}"
            write_rejects(source, date, file)
            name = f"rejects_{source.code}_{date:%Y-%m-%d}.{kind}"
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return HttpResponse(file.read_bytes(), content_type=TYPES[kind], headers=headers)
