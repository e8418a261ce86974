"""Exports by REST: ask for one, follow it, take the file."""

from django.http import FileResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion.person import person_of
from ingestion.ringing import ring_for
from review.api.door import Door, Rows
from review.api.idempotency import KEY_HEADER, once
from review.api.permissions import check_right
from review.api.strict import StrictSerializer
from review.downloads import as_download
from review.export_files import BadExport
from review.export_kinds import KINDS
from review.exporting import MAY, ExportGone, ExportRefused, Wanted, ask_export, kind_of, take_file, visible_exports
from review.models import Export

NEEDED = ("run", "record_type")  # filters without which some tables have no columns


class ExportSerializer(serializers.ModelSerializer):
    """An export: what was asked for, how far it is, and the file's hash. `rows` counts those written so far."""

    asked_by = serializers.SlugRelatedField("username", read_only=True)  # type: ignore[var-annotated]

    class Meta:
        model = Export
        fields = (
            "id", "what", "format", "filters", "columns", "asked_by", "asked_at", "state", "rows", "is_cut", "size", "sha256",
            "expires_at", "removed_at", "error",
        )  # fmt: skip


class AskExportSerializer(StrictSerializer):
    """What to export. `filters` are those of the page: `run` for the tables of a run."""

    what = serializers.ChoiceField(list(KINDS))
    format = serializers.ChoiceField(Export.Format.choices, default="csv")
    filters = serializers.DictField(child=serializers.CharField(max_length=2000), default=dict)
    columns = serializers.ListField(child=serializers.CharField(max_length=83), default=list, max_length=500)


class ExportViewSet(ListModelMixin, RetrieveModelMixin, Rows):
    """Exports: list, one, ask, take the file."""

    serializer_class = ExportSerializer
    queryset = Export.objects.none()
    scope = "read"

    def get_queryset(self):  # type: ignore[no-untyped-def]  # noqa: ANN201
        """One's own; those of everybody with the right to see them."""
        return visible_exports(self.request.user)

    @extend_schema(parameters=[KEY_HEADER], request=AskExportSerializer, responses={201: ExportSerializer})
    def create(self, request: Request) -> Response:
        """Ask for an export. The same asked twice within a minute is one."""
        check_right(request, MAY, "Exporting")
        asked = AskExportSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return once(request, lambda: _ask(request, Wanted(**asked.validated_data)))

    @extend_schema(
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            409: OpenApiResponse(OpenApiTypes.OBJECT, "Not made yet"),
            410: OpenApiResponse(OpenApiTypes.OBJECT, "Expired, or kept elsewhere"),
        }
    )
    @action(detail=True)
    def file(self, request: Request, pk: str | None = None) -> Response | FileResponse:
        """The file; its sha256 stands in the header X-Content-SHA256."""
        made = self.get_object()
        try:
            return as_download(made, take_file(made, person_of(request)).open("rb"))
        except ExportGone as error:
            return Response({"detail": str(error)}, status=410 if made.state == Export.State.DONE else 409)


class ColumnsSerializer(serializers.Serializer):
    """The columns that an export can have."""

    columns = serializers.ListField(child=serializers.CharField())


class ExportColumnsView(Door):
    """What an export can be chosen from."""

    parameters = ("what", *NEEDED)

    @extend_schema(
        parameters=[OpenApiParameter("what", enum=list(KINDS), required=True), *map(OpenApiParameter, NEEDED)],
        responses=ColumnsSerializer,
    )
    def get(self, request: Request) -> Response:
        """The columns of a kind of export: of a run's tables give the `run`, of stored rows the `record_type`."""
        check_right(request, MAY, "Exporting")
        filters = {name: request.GET[name] for name in NEEDED if request.GET.get(name)}
        try:
            kind = kind_of(Wanted(request.GET.get("what", ""), "csv", filters), person_of(request))
            return Response({"columns": list(kind.columns(person_of(request), filters))})
        except ExportRefused as error:
            raise PermissionDenied(str(error)) from None
        except BadExport as error:
            return Response({"detail": str(error)}, status=400)


def _ask(request: Request, wanted: Wanted) -> Response:
    try:
        asked = ask_export(wanted=wanted, by=person_of(request))
    except ExportRefused as error:
        raise PermissionDenied(str(error)) from None
    except BadExport as error:
        return Response({"detail": str(error)}, status=400)
    ring_for("make_export", asked.pk, queue=asked.queue)
    return Response({**ExportSerializer(asked).data}, status=201)
