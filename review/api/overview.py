"""The dashboard by REST: the figures of a reconciliation, ages of what waits, one's own work, and what arrived."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from reconciliation.models import Break, Reconciliation
from reconciliation.tally import tallied
from review.ages import AGES, by_kind_and_age
from review.api.door import Door
from review.arrivals import arrival_board
from review.figures import figures_of
from review.visible import access
from review.work import my_work


class AgedSerializer(serializers.Serializer):
    """So many breaks of a kind wait so long: under a day (`1d`), up to three, up to seven, or longer (`old`)."""

    kind = serializers.CharField()
    age = serializers.ChoiceField(list(AGES))
    count = serializers.IntegerField()


class FiguresSerializer(serializers.Serializer):
    """A reconciliation's figures as a run's end and beat compute them: rows by source, outcome and state, rates of the last runs,
    model health. Null before the first run has ended, and for who sees only a part. `source` says where they were read."""

    reconciliation = serializers.CharField()
    figures = serializers.DictField(allow_null=True)
    computed_at = serializers.DateTimeField(allow_null=True)
    source = serializers.ChoiceField(["redis", "sql"], allow_null=True)  # type: ignore[assignment]
    is_old = serializers.BooleanField(allow_null=True)
    waiting = AgedSerializer(many=True)


class WorkSerializer(serializers.Serializer):
    """So many things of a sort wait for the caller."""

    title = serializers.CharField()
    count = serializers.IntegerField()
    hint = serializers.CharField(allow_blank=True)
    url = serializers.CharField()


class ArrivalSerializer(serializers.Serializer):
    """A source on a business date. `run` is the newest run that took a delivery of it."""

    source = serializers.CharField()  # type: ignore[assignment]
    date = serializers.DateField()
    state = serializers.ChoiceField(["expected", "arrived", "run", "late", "missing"])
    told = serializers.CharField()
    run = serializers.IntegerField(allow_null=True)


class FiguresView(Door):
    """The figures of one reconciliation."""

    parameters = ("reconciliation",)

    @extend_schema(parameters=[OpenApiParameter("reconciliation", required=True)], responses=FiguresSerializer)
    def get(self, request: Request) -> Response:
        """What the dashboard shows of it."""
        if not request.GET.get("reconciliation"):
            raise ValidationError({"reconciliation": ["This parameter is required."]})
        seen = Reconciliation.objects.entered_by(request.user)
        chosen = get_object_or_404(seen, code=request.GET["reconciliation"])
        told = figures_of(chosen) if chosen.is_whole else None
        parts = {name: getattr(told, name, None) for name in ("computed_at", "source", "is_old")}
        found = {"reconciliation": chosen.code, "figures": told.document if told else None, **parts}
        return Response(FiguresSerializer({**found, "waiting": _waiting(request, chosen)}).data)


def _waiting(request: Request, chosen: Reconciliation) -> list[dict[str, Any]]:
    cells = tallied(access(request._request), [Break.State.REVIEW])
    counts = by_kind_and_age(it for it in cells if it.reconciliation == chosen.pk)
    return [{"kind": kind, "age": age, "count": count} for (kind, age), count in sorted(counts.items())]


class WorkView(Door):
    """The caller's work."""

    @extend_schema(responses=WorkSerializer(many=True))
    def get(self, request: Request) -> Response:
        """What waits for the caller, each with the list that it leads to."""
        return Response(WorkSerializer(my_work(request._request), many=True).data)


class ArrivalsView(Door):
    """What arrived and what is owed."""

    @extend_schema(responses=ArrivalSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The sources of what the caller sees, on the newest dates."""
        board = arrival_board(request._request)
        told = [
            {"source": line["source"].code, "date": date, "state": cell.state, "told": cell.text, "run": cell.run}
            for line in board["lines"]
            for date, cell in zip(board["dates"], line["cells"], strict=True)
            if cell.state
        ]
        return Response(ArrivalSerializer(told, many=True).data)
