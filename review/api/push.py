"""Records by REST: push them, seal what gathered, follow a receipt to the outcome of each record."""

import datetime as dt
import math
import time
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion.business_date import NoDate, given_date
from ingestion.deliveries import plan_normalization
from ingestion.models import OpenDelivery, Receipt, Source
from ingestion.person import person_of
from ingestion.push import KeyReused, PushRefused, is_full, place_of, push, seal_open
from ingestion.ringing import ring_for, ring_for_normalizing
from reconciliation.row_states import RowState, row_states
from reconciliation.visibility import visible_sources
from review.api.door import Door
from review.api.idempotency import KEY_HEADER, key_of, once
from review.api.parsing import RawJson, RawLines
from review.api.permissions import check_right
from review.api.strict import StrictSerializer


class ReceiptSerializer(serializers.ModelSerializer):
    """A receipt: the push's place in the delivery that it gathers in, and that delivery once it is sealed."""

    source = serializers.SlugRelatedField("code", read_only=True)  # type: ignore[assignment, var-annotated]
    business_date = serializers.DateField(source="open_delivery.business_date")
    sealed = serializers.SerializerMethodField()
    delivery = serializers.IntegerField(source="open_delivery.delivery_id", allow_null=True)
    receipt = serializers.IntegerField(source="pk")

    class Meta:
        model = Receipt
        fields = (
            "receipt",
            "source",
            "business_date",
            "first",
            "records",
            "sha256",
            "received_at",
            "sealed",
            "delivery",
        )

    def get_sealed(self, receipt: Receipt) -> bool:
        """Whether its delivery is closed to further pushes."""
        return receipt.open_delivery.sealed_at is not None


class RowStateSerializer(serializers.Serializer):
    """Where a record stands."""

    record = serializers.IntegerField()
    key = serializers.CharField()
    state = serializers.CharField()
    reason = serializers.CharField()
    run = serializers.IntegerField(allow_null=True)
    brk = serializers.IntegerField(allow_null=True)


class FollowedSerializer(ReceiptSerializer):
    """A receipt with the state of each record."""

    states = serializers.DictField(child=serializers.IntegerField())
    rows = RowStateSerializer(many=True)

    class Meta(ReceiptSerializer.Meta):
        fields = (*ReceiptSerializer.Meta.fields, "states", "rows")  # type: ignore[assignment]


class SealSerializer(StrictSerializer):
    """The business date whose pushes end; without one every open delivery of the source."""

    date = serializers.DateField(required=False, allow_null=True, default=None)


class SealedSerializer(serializers.Serializer):
    """A delivery made of pushes."""

    delivery = serializers.IntegerField()
    business_date = serializers.DateField()


def _source(request: Request, code: str) -> Source:
    check_right(request, "ingestion.add_delivery", "Pushing records")
    return get_object_or_404(visible_sources(request.user), code=code)


RIGHTS_SECONDS = 5
MOST_REMEMBERED = 10_000
_SOURCES: dict[tuple[int, str], tuple[float, Source]] = {}


def _remembered_source(request: Request, code: str) -> Source:
    """The source of a push, that this user may push to. Remembered for seconds: asking anew is half of what a push costs, and
    a right that is taken away may last as long. The token itself is looked up each time."""
    place, now = (request.user.pk or 0, code), time.monotonic()
    asked, source = _SOURCES.get(place, (-math.inf, None))
    if source is None or now - asked > RIGHTS_SECONDS:
        if len(_SOURCES) > MOST_REMEMBERED:
            _SOURCES.clear()
        source = _source(request, code)
        _SOURCES[place] = (now, source)
    return source


class PushView(Door):
    """Records pushed to a source."""

    parser_classes = [RawJson, RawLines]
    scope = "deliver"
    also = {"post": ("date",)}

    @extend_schema(
        parameters=[
            KEY_HEADER,
            OpenApiParameter("date", dt.date, description="The business date; today in UTC without."),
        ],
        request={"application/json": {"type": "array", "items": {"type": "object"}}},
        responses={202: ReceiptSerializer, 200: ReceiptSerializer},
    )
    def post(self, request: Request, code: str) -> Response:
        """Keep up to 10,000 records; 200 instead of 202 when the same push came before."""
        source = _remembered_source(request, code)
        try:
            body = request.data if isinstance(request.data, bytes) else b""
            pushed = push(source=source, body=body, key=key_of(request), by=person_of(request), date=_date(request))
        except KeyReused as refused:
            return Response({"detail": str(refused)}, status=422)
        except PushRefused as refused:
            raise ValidationError({"detail": str(refused)}) from None
        if pushed.is_new and is_full(pushed.receipt.open_delivery):
            ring_for("seal_pushes")
        return Response(ReceiptSerializer(pushed.receipt).data, status=202 if pushed.is_new else 200)


def _date(request: Request) -> dt.date | None:
    given = request.query_params.get("date")
    try:
        return given_date(given) if given else None
    except NoDate as error:
        raise ValidationError({"detail": str(error)}) from None


class SealView(Door):
    """The end of a gathering."""

    scope = "deliver"

    @extend_schema(parameters=[KEY_HEADER], request=SealSerializer, responses={200: SealedSerializer(many=True)})
    def post(self, request: Request, code: str) -> Response:
        """Make deliveries of what gathered."""
        source = _source(request, code)
        asked = SealSerializer(data=request.data)
        asked.is_valid(raise_exception=True)

        def act() -> Response:
            standing = OpenDelivery.objects.filter(source=source, delivery=None).order_by("id")
            if asked.validated_data["date"]:
                standing = standing.filter(business_date=asked.validated_data["date"])
            try:
                sealed = [seal_open(it) for it in standing]
            except PushRefused as refused:
                raise ValidationError({"detail": str(refused)}) from None
            for delivery in sealed:
                ring_for_normalizing(plan_normalization(delivery))
            said = [{"delivery": it.pk, "business_date": it.business_date} for it in sealed]
            return Response(list(SealedSerializer(said, many=True).data))

        return once(request, act)


class ReceiptView(Door):
    """A receipt, followed to the outcome of each record."""

    @extend_schema(responses={200: FollowedSerializer})
    def get(self, request: Request, pk: str) -> Response:
        """Where each record stands now."""
        seen = Receipt.objects.filter(source__in=visible_sources(request.user)).defer("lines")
        receipt = get_object_or_404(seen.select_related("source", "open_delivery__delivery"), pk=int(pk))
        rows = _rows(receipt)
        states: dict[str, int] = {}
        for row in rows:
            states[row["state"]] = states.get(row["state"], 0) + 1
        return Response({**ReceiptSerializer(receipt).data, "states": states, "rows": rows})


def _rows(receipt: Receipt) -> list[dict[str, Any]]:
    first, last = place_of(receipt)
    delivery = receipt.open_delivery.delivery
    if delivery is None:
        return list(RowStateSerializer(map(RowState, range(first, last + 1)), many=True).data)
    return list(RowStateSerializer(row_states(delivery, first, last), many=True).data)
