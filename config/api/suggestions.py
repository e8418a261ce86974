"""By REST, a definition proposed from two files, and a definition tried on two."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.definitions import definer, refused
from config.definitions.apply import check_definition
from config.definitions.faults import BadDefinition
from config.definitions.permitted import define_as
from config.definitions.yaml_text import SIZE_CAP
from config.setup.draft import keep
from config.suggesting import propose, report_document, taken_codes, trial_document, try_document
from ingestion.errors import IngestionError
from review.api.door import Door
from review.api.idempotency import KEY_HEADER, looked
from review.api.strict import StrictSerializer
from review.navigation import SETS_UP

INCOMPLETE = "Try one reconciliation; its two sources and their record types stand in the definition, too."


class TwoFilesSerializer(StrictSerializer):
    """A's and B's file, as their sources would deliver them; names of sources come from theirs."""

    a = serializers.FileField(max_length=255)
    b = serializers.FileField(max_length=255)


class TriedDefinitionSerializer(TwoFilesSerializer):
    """The same, and the definition of one reconciliation of them."""

    definition = serializers.CharField(max_length=SIZE_CAP, trim_whitespace=False)


class WouldMatchSerializer(serializers.Serializer):
    """What a run on the files would find. `share` of the common keys match; `differences` by field."""

    share = serializers.FloatField()
    matched = serializers.IntegerField()
    differing = serializers.IntegerField()
    common = serializers.IntegerField()
    only_a = serializers.IntegerField()
    only_b = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    differences = serializers.DictField(child=serializers.IntegerField())
    flagged = serializers.IntegerField()
    quarantined = serializers.IntegerField()


class SuggestionSerializer(serializers.Serializer):
    """A proposal: the definition as text, and with its evidence as `manage.py suggest --json` tells it."""

    text = serializers.CharField()
    name = serializers.CharField()
    definition = serializers.DictField()
    keys = serializers.ListField(child=serializers.DictField())
    fields = serializers.ListField(child=serializers.DictField())  # type: ignore[assignment]
    references = serializers.ListField(child=serializers.DictField())
    left_out = serializers.ListField(child=serializers.DictField())
    would_match = WouldMatchSerializer()


class SuggestionsView(Door):
    """Definitions that are proposed."""

    parser_classes = [MultiPartParser]
    scope = "define"

    @extend_schema(parameters=[KEY_HEADER], request=TwoFilesSerializer, responses={200: SuggestionSerializer})
    def post(self, request: Request) -> Response:
        """Propose a definition from two files. Nothing is kept; POST definitions applies it, POST deliveries hands the files in."""
        if not request.user.has_perms(SETS_UP):
            raise PermissionDenied("Setting up needs the role Administrator.")
        asked = TwoFilesSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return looked(request, lambda: _suggested(asked.validated_data), {IngestionError: 400})


class DefinitionTrialsView(Door):
    """Definitions that are tried."""

    parser_classes = [MultiPartParser]
    scope = "define"

    @extend_schema(parameters=[KEY_HEADER], request=TriedDefinitionSerializer, responses={200: WouldMatchSerializer})
    def post(self, request: Request) -> Response:
        """Check a definition and run it on two files. Nothing is kept."""
        by = definer(request)
        asked = TriedDefinitionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return looked(request, lambda: _tried(by, asked.validated_data), {IngestionError: 400})


def _suggested(asked: dict[str, Any]) -> Response:
    with _kept(asked["a"], asked["b"]) as files:
        proposal = propose(*files, taken=taken_codes())
        return Response({**SuggestionSerializer({**report_document(proposal), "text": proposal.text()}).data})


def _tried(by: User, asked: dict[str, Any]) -> Response:
    try:
        with _kept(asked["a"], asked["b"]) as files, tempfile.TemporaryDirectory() as folder:
            define_as(by, asked["definition"], Path(folder), dry_run=True)
            document = check_definition(asked["definition"], Path(folder))
            if not _is_complete(document):
                return Response({"detail": INCOMPLETE}, status=400)
            return Response(trial_document(try_document(document, files)))
    except BadDefinition as bad:
        return refused(bad)


def _is_complete(document: Mapping[str, Any]) -> bool:
    """Whether one reconciliation stands there with its two sources and their record type."""
    types, sources, found = (document.get(it) or {} for it in ("record_types", "sources", "reconciliations"))
    sides = [sources.get(it[side]) for it in found.values() for side in ("a", "b")]
    return len(found) == 1 and all(it is not None and it["record_type"] in types for it in sides)


@contextmanager
def _kept(a: UploadedFile, b: UploadedFile) -> Iterator[tuple[Path, Path]]:
    """The two files on a disk, each under its own name."""
    with tempfile.TemporaryDirectory(prefix="suggest-") as folder:
        yield keep(a, Path(folder) / "a"), keep(b, Path(folder) / "b")
