"""Labels by REST: reasons that people confirmed elsewhere, tried and imported as by the command and in the admin."""

from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from attribution.label_import import BadLabels, Label, write_labels
from ingestion.person import person_of
from reconciliation.models import Reconciliation
from review.api.door import Door
from review.api.idempotency import KEY_HEADER, once
from review.api.permissions import check_right
from review.api.strict import StrictSerializer

MAY = "attribution.import_correction"
MOST = 10_000  # labels of a request


class LabelSerializer(StrictSerializer):
    """A difference by reconciliation, key and field (`*row*` for a row break), and its reason."""

    reconciliation = serializers.CharField(max_length=41)
    key = serializers.CharField(max_length=2_000, trim_whitespace=False)
    field = serializers.CharField(max_length=83)
    reason = serializers.CharField(max_length=40)


class ImportLabelsSerializer(StrictSerializer):
    """The labels, all of them or none; `name` is what the audit log calls them. Nothing is kept of a dry run."""

    labels = LabelSerializer(many=True, allow_empty=False, max_length=MOST)  # type: ignore[call-arg]
    name = serializers.CharField(default="labels", max_length=200)
    dry_run = serializers.BooleanField(default=False)


class ImportedSerializer(serializers.Serializer):
    """What was imported, or would be. `kept`: contradict what was said here, which stands; `waiting`: for a second opinion."""

    written = serializers.IntegerField()
    known = serializers.IntegerField()
    kept = serializers.IntegerField()
    waiting = serializers.IntegerField()


class LabelImportsView(Door):
    """Labels that come from elsewhere."""

    scope = "decide"

    @extend_schema(
        parameters=[KEY_HEADER],
        request=ImportLabelsSerializer,
        responses={200: ImportedSerializer, 201: ImportedSerializer},
    )
    def post(self, request: Request) -> Response:
        """Import labels (201), or try them (200). 400 has a sentence for each bad one in `faults`, counted from 1."""
        by = person_of(request)
        check_right(request, MAY, "Importing labels")
        asked = ImportLabelsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return once(request, lambda: _imported(by, asked.validated_data))


def _imported(by: User, asked: dict[str, Any]) -> Response:
    labels = [Label(number, **given) for number, given in enumerate(asked["labels"], 1)]
    seen = Reconciliation.objects.visible_to(by)
    try:
        done, _ = write_labels(labels, by=by, name=asked["name"], seen=seen, dry_run=asked["dry_run"])
    except BadLabels as bad:
        faults = [{"label": number, "sentence": sentence} for number, sentence in bad.faults]
        return Response({"detail": "Nothing was imported; there are faults.", "faults": faults}, status=400)
    return Response(vars(done), status=200 if asked["dry_run"] else 201)
