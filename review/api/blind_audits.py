"""Blind audits by REST: what the caller may audit, one whole, an answer. Nothing tells why a record passed."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from attribution.models import Draw
from ingestion.person import person_of
from reconciliation.models import Difference, Member, access_of
from review.api.door import Rows
from review.api.idempotency import KEY_HEADER, once
from review.api.permissions import check_right
from review.api.strict import StrictSerializer
from review.audits import ANSWERS, AuditRefused, answer_audit, differences_of, rows_of, told, waiting_for


class AuditedDifferenceSerializer(serializers.ModelSerializer):
    """A difference with nothing that was said of it."""

    class Meta:
        model = Difference
        fields = ("field", "kind", "value_a", "value_b", "raw_a", "raw_b")


class AuditedRowSerializer(serializers.ModelSerializer):
    """A delivered row as it stood."""

    class Meta:
        model = Member
        fields = ("side", "record", "raw", "flags")


class AuditSerializer(serializers.ModelSerializer):
    """A record that passed, in a list."""

    reconciliation = serializers.CharField(source="run.reconciliation.code")
    business_date = serializers.DateField(source="run.business_date")
    key = serializers.CharField(source="brk.key")

    class Meta:
        model = Draw
        fields = ("id", "reconciliation", "business_date", "key", "drawn_at")


class AuditDetailSerializer(AuditSerializer):
    """A record that passed, with its differences and rows."""

    differences = serializers.SerializerMethodField()
    rows = serializers.SerializerMethodField()

    class Meta(AuditSerializer.Meta):
        fields = (*AuditSerializer.Meta.fields, "differences", "rows")  # type: ignore[assignment]

    @extend_schema_field(AuditedDifferenceSerializer(many=True))
    def get_differences(self, draw: Draw) -> object:
        """Those that the run judged."""
        return AuditedDifferenceSerializer(differences_of(draw), many=True).data

    @extend_schema_field(AuditedRowSerializer(many=True))
    def get_rows(self, draw: Draw) -> object:
        """The first row of each side."""
        return AuditedRowSerializer(rows_of(draw), many=True).data


class AnswerAuditSerializer(StrictSerializer):
    """A reason for each difference, by its field; or that one cannot tell."""

    reasons = serializers.DictField(child=serializers.CharField(max_length=40), default=dict)
    cannot_tell = serializers.BooleanField(default=False)
    comment = serializers.CharField(default="", allow_blank=True, max_length=4000)


class AuditAnswerSerializer(serializers.Serializer):
    """What the answer says (null: that one cannot tell), whether the audit ends with it, and what follows."""

    functional = serializers.BooleanField(allow_null=True)
    counts = serializers.BooleanField()
    detail = serializers.CharField()


class BlindAuditViewSet(ListModelMixin, RetrieveModelMixin, Rows):
    """Audits that wait for the caller: list, one, answer."""

    serializer_class = AuditSerializer
    queryset = Draw.objects.none()
    scope = "decide"

    def get_serializer_class(self) -> Any:  # noqa: ANN401
        """Whole for one, short in a list."""
        return AuditDetailSerializer if self.action == "retrieve" else AuditSerializer

    def get_queryset(self) -> QuerySet[Draw]:
        """What the caller may audit now."""
        if not self.request.user.has_perm(ANSWERS):
            return Draw.objects.none()
        return waiting_for(person_of(self.request)).select_related("brk", "run__reconciliation")

    @extend_schema(parameters=[KEY_HEADER], request=AnswerAuditSerializer, responses={201: AuditAnswerSerializer})
    @action(detail=True, methods=["post"])
    def answers(self, request: Request, pk: str | None = None) -> Response:
        """Name the cause of each difference, or say that you cannot tell. Both that one is an error and that nobody can tell count
        when another person says so, too."""
        check_right(request, ANSWERS, "Auditing")
        mine = Draw.objects.filter(access_of(request.user).holds("brk__"), purpose=Draw.Purpose.AUDIT)
        get_object_or_404(mine, pk=pk)
        asked = AnswerAuditSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return once(request, lambda: _answered(request, self.get_object(), asked.validated_data), {AuditRefused: 400})


def _answered(request: Request, draw: Draw, asked: dict[str, Any]) -> Response:
    fields = {it.field: it.pk for it in differences_of(draw)}
    if unknown := sorted(set(asked["reasons"]) - set(fields)):
        raise AuditRefused(f"{', '.join(unknown)} does not differ. There is {', '.join(fields)}.")
    if asked["reasons"] and asked["cannot_tell"]:
        raise AuditRefused("Give reasons, or say that you cannot tell; not both.")
    reasons = None if asked["cannot_tell"] else {fields[name]: code for name, code in asked["reasons"].items()}
    said = answer_audit(draw=draw, by=person_of(request), reasons=reasons, comment=asked["comment"])
    said.draw.brk.refresh_from_db()
    told_of = {"functional": said.functional, "counts": said.counts, "detail": told(said)}
    return Response({**AuditAnswerSerializer(told_of).data}, status=201)
