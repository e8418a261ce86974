"""Gates by REST: where each stands, what the audits say, opening one again."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from attribution.guard import ReopenRefused, reopen_gate, standing_of, standings
from attribution.models import GateStep
from ingestion.person import person_of
from reconciliation.models import Reconciliation
from review.api.door import Door
from review.api.idempotency import KEY_HEADER, once
from review.api.permissions import check_right
from review.api.strict import StrictSerializer


class GateStepSerializer(serializers.ModelSerializer):
    """A step of a gate; without a bound it closed."""

    class Meta:
        model = GateStep
        fields = ("number", "kind", "bound", "broken", "evidence", "answers", "wrong", "because", "at", "by")


class GateSerializer(serializers.Serializer):
    """Where a gate stands. `bound` is in force, null while closed; `promised` is the budget, or 1 - confidence."""

    reconciliation = serializers.CharField(source="reconciliation.code")
    state = serializers.CharField()
    bound = serializers.DecimalField(max_digits=6, decimal_places=3, allow_null=True)
    promised = serializers.DecimalField(max_digits=6, decimal_places=3)
    since = serializers.DateTimeField(allow_null=True)
    answers = serializers.IntegerField()
    wrong = serializers.IntegerField()
    waiting = serializers.IntegerField()
    evidence = serializers.FloatField()
    step = GateStepSerializer(allow_null=True)


class ReopenSerializer(StrictSerializer):
    """What was mended."""

    comment = serializers.CharField(max_length=4000)


def _visible(request: Request, code: str) -> Reconciliation:
    return get_object_or_404(Reconciliation.objects.visible_to(request.user), code=code)


class GatesView(Door):
    """The gates of the reconciliations that the caller may see."""

    @extend_schema(responses=GateSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All of them, by code."""
        found = Reconciliation.objects.visible_to(request.user).order_by("code")
        return Response(GateSerializer(standings(list(found)), many=True).data)


class GateView(Door):
    """One gate."""

    @extend_schema(responses=GateSerializer)
    def get(self, request: Request, code: str) -> Response:
        """Where it stands."""
        return Response(GateSerializer(standing_of(_visible(request, code))).data)


class ReopenGateView(Door):
    """Opening a gate again."""

    scope = "decide"

    @extend_schema(parameters=[KEY_HEADER], request=ReopenSerializer, responses={201: GateSerializer})
    def post(self, request: Request, code: str) -> Response:
        """To what it promises, from the next run on; refused where nothing was mended."""
        check_right(request, "attribution.add_gatestep", "Opening a gate")
        reconciliation = _visible(request, code)
        asked = ReopenSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return once(
            request, lambda: _opened(request, reconciliation, asked.validated_data["comment"]), {ReopenRefused: 409}
        )


def _opened(request: Request, reconciliation: Reconciliation, comment: str) -> Response:
    reopen_gate(reconciliation=reconciliation, by=person_of(request), comment=comment)
    return Response({**GateSerializer(standing_of(reconciliation)).data}, status=201)
