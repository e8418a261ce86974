"""The quarantine by REST: list, counts, one row, repair or dismiss it, replay."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion.deliveries import plan_normalization
from ingestion.models import Delivery, QuarantinedRow, Repair
from ingestion.quarantine import said_of, with_state
from ingestion.replay import cells_of_row
from ingestion.ringing import ring_for_normalizing
from reconciliation.visibility import visible_deliveries
from review.api.door import Door, Rows
from review.api.idempotency import KEY_HEADER, Refusals, once
from review.api.paging import OURS
from review.api.permissions import check_right
from review.api.strict import StrictSerializer
from review.quarantined import FILTERS, Asked, BadFilter, counts_by_reason, narrowed, visible_rows
from review.repair_rules import REPAIRS, AlreadySaid, RepairRefused
from review.repairs import confirm_repair, dismiss, read_again, repair, replay, try_repair, withdraw_repair

MAY_READ = "ingestion.add_delivery"
LISTED_RAW = 2_000  # characters
REFUSALS: Refusals = {AlreadySaid: 409, RepairRefused: 400}
ACTIONS = ("try", "repair", "dismiss", "confirm", "withdraw")


class QuarantinedSerializer(serializers.ModelSerializer):
    """A quarantined row, and what became of it."""

    source = serializers.CharField(source="normalization.delivery.source.code")  # type: ignore[assignment]
    date = serializers.DateField(source="normalization.delivery.business_date")
    delivery = serializers.IntegerField(source="normalization.delivery_id")
    mapping = serializers.IntegerField(source="normalization.mapping.version")
    raw = serializers.SerializerMethodField()
    state = serializers.CharField()

    class Meta:
        model = QuarantinedRow
        fields = ("id", "source", "date", "delivery", "mapping", "record_number", "line", "reason", "raw", "state")

    def get_raw(self, row: QuarantinedRow) -> str:
        """The line as it came; in a list its beginning."""
        return row.raw[:LISTED_RAW]


class RepairedCellSerializer(serializers.Serializer):
    """A cell as it came (null where the line could not be cut) and as repaired."""

    column = serializers.CharField()
    was = serializers.CharField(allow_null=True)
    value = serializers.CharField()


class RepairSerializer(serializers.ModelSerializer):
    """What a person did with a row; `delivery` and `record_number` say where it was replayed."""

    proposed_by = serializers.SlugRelatedField("username", read_only=True)  # type: ignore[var-annotated]
    confirmed_by = serializers.SlugRelatedField("username", read_only=True, allow_null=True)  # type: ignore[var-annotated]
    cells = RepairedCellSerializer(many=True)

    class Meta:
        model = Repair
        fields = (
            "id", "row", "action", "comment", "proposed_by", "proposed_at", "confirmed_by", "confirmed_at", "withdrawn",
            "delivery", "record_number", "cells",
        )  # fmt: skip


class QuarantinedDetailSerializer(QuarantinedSerializer):
    """A quarantined row with its cells as they came and everything that was said of it."""

    raw = serializers.CharField()  # type: ignore[assignment]
    cells = serializers.SerializerMethodField()
    repairs = serializers.SerializerMethodField()

    class Meta(QuarantinedSerializer.Meta):
        fields = (*QuarantinedSerializer.Meta.fields, "cells", "repairs")  # type: ignore[assignment]

    def get_cells(self, row: QuarantinedRow) -> dict[str, str | None]:
        """Texts by column, null where the line could not be cut."""
        return dict(cells_of_row(row).by_column)

    def get_repairs(self, row: QuarantinedRow) -> list[dict[str, Any]]:
        """The newest first."""
        return list(RepairSerializer(said_of(row), many=True).data)


class AnswerSerializer(StrictSerializer):
    """What to do with a row. `cells` are texts by column; one that is left out keeps what came."""

    action = serializers.ChoiceField(ACTIONS)
    cells = serializers.DictField(child=serializers.CharField(allow_blank=True, trim_whitespace=False), default=dict)
    comment = serializers.CharField(default="", allow_blank=True)


class TriedSerializer(serializers.Serializer):
    """The record that the cells would be, or the reason why they are none."""

    key = serializers.CharField()
    values = serializers.DictField(child=serializers.CharField(allow_null=True), allow_null=True)
    flagged = serializers.ListField(child=serializers.CharField())
    reason = serializers.CharField()


class ReasonCountSerializer(serializers.Serializer):
    """A reason, its numbers written n, and how many rows have it."""

    reason = serializers.CharField()
    count = serializers.IntegerField()


class ReplayedSerializer(serializers.Serializer):
    """The delivery, and the mapping version that reads it."""

    delivery = serializers.IntegerField()
    mapping = serializers.IntegerField()


class QuarantineViewSet(ListModelMixin, RetrieveModelMixin, Rows):
    """Quarantined rows: list, counts, one, answer."""

    serializer_class = QuarantinedSerializer
    queryset = QuarantinedRow.objects.none()
    parameters = FILTERS
    also = {"list": OURS, "counts": FILTERS}
    scope = "decide"

    def get_queryset(self) -> QuerySet[QuarantinedRow]:
        """Rows of the sources that the user may see; `source`, `date`, `reason` and `state` (open) narrow a list."""
        rows = visible_rows(self.request.user)
        return rows if self.action not in ("list", "counts") else narrowed(rows, self._asked())

    def _asked(self) -> Asked:
        try:
            return Asked.of(self.request.GET)
        except BadFilter as error:
            raise ValidationError({"detail": str(error)}) from None

    @extend_schema(parameters=[*map(OpenApiParameter, FILTERS)])
    def list(self, request: Request) -> Response:
        """Rows, newest first."""
        page = self.paginate_queryset(with_state(self.get_queryset()))
        return self.get_paginated_response(QuarantinedSerializer(page, many=True).data)

    @extend_schema(responses={200: QuarantinedDetailSerializer})
    def retrieve(self, request: Request, pk: str | None = None) -> Response:
        """One row, whole."""
        row = get_object_or_404(with_state(self.get_queryset()), pk=pk)
        return Response(QuarantinedDetailSerializer(row).data)

    @extend_schema(
        parameters=[*map(OpenApiParameter, FILTERS)], responses=ReasonCountSerializer(many=True), filters=False
    )
    @action(detail=False, pagination_class=None)
    def counts(self, request: Request) -> Response:
        """How many rows there are of each reason."""
        return Response([{"reason": it, "count": count} for it, count in counts_by_reason(self.get_queryset())])

    @extend_schema(
        parameters=[KEY_HEADER], request=AnswerSerializer, responses={201: RepairSerializer, 200: TriedSerializer}
    )
    @action(detail=True, methods=["post"])
    def answers(self, request: Request, pk: str | None = None) -> Response:
        """Try a repair (200), or repair, dismiss, confirm or withdraw (201)."""
        check_right(request, REPAIRS, "Answering quarantined rows")
        row = self.get_object()
        asked = AnswerSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return once(request, lambda: _answer(request, row, asked.validated_data), REFUSALS)


def _answer(request: Request, row: QuarantinedRow, asked: dict[str, Any]) -> Response:
    verb, by, comment = asked["action"], request.user, asked["comment"]
    if verb == "try":
        return Response({**TriedSerializer(try_repair(row=row, cells=asked["cells"], by=by)).data})  # type: ignore[arg-type]
    if verb == "repair":
        said = repair(row=row, cells=asked["cells"], comment=comment, by=by)  # type: ignore[arg-type]
    elif verb == "dismiss":
        said = dismiss(row=row, comment=comment, by=by)  # type: ignore[arg-type]
    else:
        standing = said_of(row).filter(withdrawn=False).first()
        if standing is None:
            raise AlreadySaid("Nothing stands about this row.")
        said = {"confirm": confirm_repair, "withdraw": withdraw_repair}[verb](repair=standing, by=by)  # type: ignore[arg-type]
    return Response({**RepairSerializer(said).data}, status=201)


class ReplayView(Door):
    """The repaired rows of a delivery, as a delivery."""

    scope = "decide"

    @extend_schema(parameters=[KEY_HEADER], request=None, responses={201: ReplayedSerializer})
    def post(self, request: Request, pk: str) -> Response:
        """Replay what was repaired; the next run of the date takes it."""
        check_right(request, REPAIRS, "Replaying rows")
        return _of_delivery(request, pk, replay)


class ReadAgainView(Door):
    """A delivery, read by its source's current mapping."""

    scope = "deliver"

    @extend_schema(parameters=[KEY_HEADER], request=None, responses={201: ReplayedSerializer})
    def post(self, request: Request, pk: str) -> Response:
        """Read it again, after the mapping was repaired or a format was settled."""
        check_right(request, MAY_READ, "Reading a delivery again")
        return _of_delivery(request, pk, read_again)


def _of_delivery(request: Request, pk: str, verb: Callable[..., Delivery]) -> Response:
    delivery = get_object_or_404(visible_deliveries(request.user), pk=int(pk))

    def act() -> Response:
        work = plan_normalization(verb(delivery=delivery, by=request.user))
        ring_for_normalizing(work)
        said = {"delivery": work.delivery_id, "mapping": work.mapping.version}
        return Response(said, status=201)

    return once(request, act, REFUSALS)
