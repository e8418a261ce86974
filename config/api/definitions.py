"""Definitions by REST: what is defined, one as text, check, apply."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.contrib.auth.models import User
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from config.admin.definitions import MOST_FILES, SEES, defined
from config.definitions.export import export_definition
from config.definitions.faults import BadDefinition
from config.definitions.permitted import define_as, may_define
from config.definitions.yaml_text import SIZE_CAP
from ingestion.person import person_of
from reconciliation.models import Reconciliation
from review.api.door import Door
from review.api.idempotency import KEY_HEADER, once
from review.api.permissions import check_right
from review.api.strict import StrictSerializer

LONGEST_NAME = 200  # bytes of a file's name


class DefinedSerializer(serializers.ModelSerializer):
    """A reconciliation with the versions of its rules and mappings; null before the first run or delivery."""

    record_type = serializers.CharField(source="a.record_type.code")
    a = serializers.CharField(source="a.code")
    b = serializers.CharField(source="b.code")
    rules_version = serializers.IntegerField(allow_null=True)
    a_version = serializers.IntegerField(allow_null=True)
    b_version = serializers.IntegerField(allow_null=True)

    class Meta:
        model = Reconciliation
        fields = ("code", "label", "record_type", "a", "b", "rules_version", "a_version", "b_version")


class DefinitionSerializer(serializers.Serializer):
    """A definition as `manage.py define` takes it."""

    code = serializers.CharField()
    text = serializers.CharField()


class DefineSerializer(StrictSerializer):
    """A definition, and the value tables that it names: the text of each file by its name."""

    text = serializers.CharField(max_length=SIZE_CAP, trim_whitespace=False)
    tables = serializers.DictField(
        child=serializers.CharField(max_length=SIZE_CAP, trim_whitespace=False, allow_blank=True), default=dict
    )

    def validate_tables(self, tables: dict[str, str]) -> dict[str, str]:
        """Few, and called as a file can be."""
        if len(tables) > MOST_FILES:
            raise serializers.ValidationError(f"There are {len(tables)} value tables; at most {MOST_FILES} can be.")
        for name in tables:
            if "\0" in name or name in ("", "..") or Path(name).name != name or len(name.encode()) > LONGEST_NAME:
                raise serializers.ValidationError(f"{name[:40]!r} is no name of a file.")
        return tables


class DefinedChangesSerializer(serializers.Serializer):
    """What was changed, or would be: a sentence each, none where nothing differs."""

    changes = serializers.ListField(child=serializers.CharField())


class DefinitionsView(Door):
    """What is defined."""

    scope = "define"

    @extend_schema(responses=DefinedSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The caller's reconciliations with the versions of their parts."""
        check_right(request, SEES, "Reading definitions")
        return Response(DefinedSerializer(defined(request._request), many=True).data)

    @extend_schema(parameters=[KEY_HEADER], request=DefineSerializer, responses={201: DefinedChangesSerializer})
    def post(self, request: Request) -> Response:
        """Apply a definition, whole or not at all. 400 has a sentence for each fault in `faults`."""
        return _defined(request, dry_run=False)


class DefinitionChecksView(Door):
    """Definitions that are only looked at."""

    scope = "define"

    @extend_schema(parameters=[KEY_HEADER], request=DefineSerializer, responses={200: DefinedChangesSerializer})
    def post(self, request: Request) -> Response:
        """What applying it would change. Nothing is changed."""
        return _defined(request, dry_run=True)


class DefinitionView(Door):
    """One definition."""

    @extend_schema(responses=DefinitionSerializer)
    def get(self, request: Request, code: str) -> Response:
        """As it stands, ready to be changed."""
        check_right(request, SEES, "Reading definitions")
        seen = Reconciliation.objects.visible_to(request.user).select_related("a", "b")
        found = get_object_or_404(seen, code=code)
        return Response({"code": found.code, "text": export_definition(found)})


def definer(request: Request) -> User:
    """The caller, if anything at all may be defined by them; PermissionDenied."""
    by = person_of(request)
    if not may_define(by):
        raise PermissionDenied("Defining needs the role Manager or Administrator.")
    return by


def refused(bad: BadDefinition) -> Response:
    """The faults of a definition."""
    faults = [{"place": it.place, "sentence": it.sentence} for it in bad.faults]
    return Response({"detail": "Nothing was changed; the definition has faults.", "faults": faults}, status=400)


def _defined(request: Request, *, dry_run: bool) -> Response:
    by = definer(request)
    asked = DefineSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    return once(request, lambda: _applied(by, asked.validated_data, dry_run=dry_run))


def _applied(by: User, asked: dict[str, Any], *, dry_run: bool) -> Response:
    with TemporaryDirectory() as folder:
        for name, text in asked["tables"].items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        try:
            said = define_as(by, asked["text"], Path(folder), dry_run=dry_run)
        except BadDefinition as bad:
            return refused(bad)
    return Response({"changes": [str(it) for it in said]}, status=200 if dry_run else 201)
