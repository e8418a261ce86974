"""Second opinions by REST: list, one, answer. Neither the label that waits nor what the model said is told."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from attribution.models import SecondOpinion
from ingestion.person import person_of
from review.api.door import Rows
from review.api.idempotency import KEY_HEADER, Refusals, once
from review.api.permissions import check_right
from review.api.strict import StrictSerializer
from review.second_opinions import (
    GIVES,
    AlreadyAnswered,
    OpinionRefused,
    answer_opinion,
    open_opinions,
    visible_opinions,
)

REFUSALS: Refusals = {AlreadyAnswered: 409, OpinionRefused: 400}


class OpinionSerializer(serializers.ModelSerializer):
    """A difference that waits for a second opinion."""

    reconciliation = serializers.CharField(source="correction.difference.brk.reconciliation.code")
    key = serializers.CharField(source="correction.difference.brk.key")
    field = serializers.CharField(source="correction.difference.field")
    value_a = serializers.CharField(source="correction.difference.value_a", allow_null=True)
    value_b = serializers.CharField(source="correction.difference.value_b", allow_null=True)

    class Meta:
        model = SecondOpinion
        fields = ("id", "reconciliation", "key", "field", "value_a", "value_b", "asked_at")


class GiveOpinionSerializer(StrictSerializer):
    """Why the two values differ."""

    reason = serializers.CharField(max_length=40)
    comment = serializers.CharField(default="", allow_blank=True, max_length=4000)


class GivenOpinionSerializer(serializers.ModelSerializer):
    """A second opinion as it was given."""

    class Meta:
        model = SecondOpinion
        fields = ("id", "reason", "comment", "answered_by", "answered_at")


class OpinionViewSet(ListModelMixin, RetrieveModelMixin, Rows):
    """Second opinions: those that wait for the user, one, answer."""

    serializer_class = OpinionSerializer
    queryset = SecondOpinion.objects.none()
    scope = "decide"

    def get_queryset(self) -> QuerySet[SecondOpinion]:
        """Those that wait, without the user's own; an answer may be about any that the user may see."""
        seen = visible_opinions(self.request.user).select_related("correction__difference__brk__reconciliation")
        return seen if self.action == "answers" else seen.filter(pk__in=open_opinions(self.request.user))

    @extend_schema(parameters=[KEY_HEADER], request=GiveOpinionSerializer, responses={201: GivenOpinionSerializer})
    @action(detail=True, methods=["post"])
    def answers(self, request: Request, pk: str | None = None) -> Response:
        """Give a reason of one's own; 409 where another person was faster, or the label is gone."""
        check_right(request, GIVES, "Giving a second opinion")
        opinion = self.get_object()
        asked = GiveOpinionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return once(request, lambda: _answered(request, opinion, asked.validated_data), REFUSALS)


def _answered(request: Request, opinion: SecondOpinion, asked: dict[str, str]) -> Response:
    done = answer_opinion(opinion=opinion, reason=asked["reason"], by=person_of(request), comment=asked["comment"])
    return Response({**GivenOpinionSerializer(done).data}, status=201)
