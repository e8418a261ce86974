"""Bulk decisions by REST: choose breaks, look at what was chosen, decide them all, follow, undo."""

from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion.person import person_of
from review.api.decisions import UndoSerializer
from review.api.door import Door, Rows
from review.api.idempotency import KEY_HEADER, Refusals, once
from review.api.paging import OURS, NewestFirst
from review.api.permissions import check_right
from review.api.strict import StrictSerializer, one_of
from review.assigning import AssignRefused, person_called
from review.bulk.bulks import BulkConflict, BulkRefused, start_bulk, undo_bulk, visible_bulks
from review.bulk.selecting import (
    MOST,
    BadSelection,
    NotAllVisible,
    Picked,
    choose_filtered,
    choose_incident,
    choose_rows,
)
from review.bulk.stopping import stop_bulk
from review.bulk.summary import Summary, summary_of
from review.incidents.standing import visible_incidents
from review.models import BulkDecision, BulkPreview, BulkRow, Decision
from review.models.bulk import ASSIGN, HOLD
from review.rights import DECIDES

REFUSALS: Refusals = {BulkConflict: 409, BulkRefused: 400, AssignRefused: 400}


class PickedSerializer(StrictSerializer):
    """A break, and the fingerprint that was seen of it."""

    id = serializers.IntegerField(min_value=1, max_value=2**62)
    fingerprint = serializers.CharField(default="", allow_blank=True, max_length=32)


class ChooseSerializer(StrictSerializer):
    """Breaks, or the filters of the queue (none is everything in review), or an incident: what waits of it."""

    breaks = PickedSerializer(many=True, required=False, max_length=MOST)  # type: ignore[call-arg]
    filters = serializers.DictField(child=serializers.CharField(max_length=2000), required=False)
    incident = serializers.IntegerField(min_value=1, max_value=2**62, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of them."""
        if len(attrs) != 1:
            raise ValidationError("Give either breaks, filters or an incident.")
        return attrs


class StartBulkSerializer(StrictSerializer):
    """What to decide of the breaks of a preview, or with `assign` to whom to give them: a user's name, `me`, or none for nobody.
    With `hold` they are put on hold `until` a day or until a `party` answers; the comment says why.
    `count` is their number, needed where they are more than a hundred."""

    preview = serializers.UUIDField()
    action = serializers.ChoiceField([*Decision.Action.choices, (ASSIGN, "Assign"), (HOLD, "Put on hold")])
    until = serializers.DateField(default=None, allow_null=True)
    party = serializers.CharField(default="", allow_blank=True, max_length=200)
    assignee = serializers.CharField(default="", allow_blank=True, max_length=150)
    reason = serializers.CharField(default="", allow_blank=True, max_length=40)
    comment = serializers.CharField(default="", allow_blank=True, max_length=4000)
    count = serializers.IntegerField(default=0, min_value=0, max_value=MOST)


class SumSerializer(serializers.Serializer):
    """The amounts of one currency."""

    currency = serializers.CharField()
    count = serializers.IntegerField()
    amount = serializers.CharField()


class StandingSerializer(serializers.Serializer):
    """How many stand in a state."""

    state = serializers.CharField()
    count = serializers.IntegerField()


class PreviewSerializer(serializers.Serializer):
    """Frozen breaks, and what a decision would meet. The counts after `in_review` are of those in review."""

    preview = serializers.UUIDField()
    chosen = serializers.CharField()
    count = serializers.IntegerField()
    unseen = serializers.IntegerField()
    is_mixed = serializers.BooleanField()
    sums = SumSerializer(many=True)
    states = StandingSerializer(many=True)
    in_review = serializers.IntegerField()
    moved = serializers.IntegerField()
    held = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    audited = serializers.IntegerField()
    proposed = serializers.IntegerField()
    second = serializers.IntegerField()


class BulkSerializer(serializers.ModelSerializer):
    """A bulk decision, and how far it is."""

    chosen = serializers.CharField(source="told")
    asked_by = serializers.SlugRelatedField("username", read_only=True)  # type: ignore[var-annotated]
    assignee = serializers.SlugRelatedField("username", read_only=True, allow_null=True)  # type: ignore[var-annotated]
    undoes = serializers.IntegerField(source="undoes_id", allow_null=True)

    class Meta:
        model = BulkDecision
        fields = (
            "id", "action", "reason", "comment", "assignee", "until", "party", "chosen", "asked_by", "asked_at", "state", "rows", "done", "refused",
            "undoes", "incident", "finished_at", "error",
        )  # fmt: skip


class BulkRowSerializer(serializers.ModelSerializer):
    """A break of a bulk decision, and its result."""

    key = serializers.CharField(source="brk.key")
    decision = serializers.IntegerField(source="decision_id", allow_null=True)

    class Meta:
        model = BulkRow
        fields = ("id", "brk", "key", "state", "decision", "said", "settled_at")


class BulkPreviewView(Door):
    """Breaks to be decided together."""

    scope = "decide"

    @extend_schema(parameters=[KEY_HEADER], request=ChooseSerializer, responses={201: PreviewSerializer})
    def post(self, request: Request) -> Response:
        """Freeze them with their values, and tell what a decision would meet. Nothing is decided. 404 where one of the named
        breaks is not there."""
        _check_may(request)
        asked = ChooseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return once(request, lambda: _frozen(request, asked.validated_data), {BadSelection: 400})


def _check_may(request: Request) -> None:
    check_right(request, DECIDES, "Deciding")


def _frozen(request: Request, asked: dict[str, Any]) -> Response:
    try:
        if "breaks" in asked:
            picked = [Picked(it["id"], it["fingerprint"]) for it in asked["breaks"]]
            held = choose_rows(picked=picked, by=person_of(request))
        elif "incident" in asked:
            incident = get_object_or_404(visible_incidents(person_of(request)), pk=asked["incident"])
            held = choose_incident(incident=incident, by=person_of(request))
        else:
            query = QueryDict(mutable=True)
            query.update(asked["filters"])
            held = choose_filtered(query=query, by=person_of(request))
    except NotAllVisible:
        raise NotFound("One of these breaks is not there.") from None
    return Response(_told(held, summary_of(held, person_of(request))), status=201)


def _told(held: BulkPreview, summary: Summary) -> dict[str, Any]:
    counts = (
        "count",
        "unseen",
        "is_mixed",
        "in_review",
        "moved",
        "held",
        "duplicates",
        "audited",
        "proposed",
        "second",
    )
    return {
        "preview": str(held.pk),
        "chosen": held.told,
        "sums": [
            {"currency": it.currency, "count": it.count, "amount": f"{it.amount.normalize():f}"} for it in summary.sums
        ],
        "states": [{"state": state, "count": count} for state, count in summary.states],
        **{name: getattr(summary, name) for name in counts},
    }


class BulkViewSet(ListModelMixin, RetrieveModelMixin, Rows):
    """Bulk decisions: list, one, start, rows, stop, undo."""

    serializer_class = BulkSerializer
    queryset = BulkDecision.objects.none()
    scope = "decide"
    also = {"list": OURS, "rows": ("state", *OURS)}

    def get_queryset(self) -> QuerySet[BulkDecision]:
        """Those whose every reconciliation the user may see."""
        return visible_bulks(person_of(self.request))

    @extend_schema(parameters=[KEY_HEADER], request=StartBulkSerializer, responses={201: BulkSerializer})
    def create(self, request: Request) -> Response:
        """Decide the breaks of one's own preview, in the background. The same preview again gives the bulk that it started."""
        _check_may(request)
        asked = StartBulkSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        held = get_object_or_404(BulkPreview, pk=asked.validated_data["preview"], made_by=request.user.pk)
        return once(request, lambda: _started(request, held, asked.validated_data), REFUSALS)

    @extend_schema(
        parameters=[OpenApiParameter("state", enum=BulkRow.State.values)], responses=BulkRowSerializer(many=True)
    )
    @action(detail=True)
    def rows(self, request: Request, pk: str | None = None) -> Response:
        """Each break with its result; `state` narrows the list."""
        rows = self.get_object().results.select_related("brk").order_by("-pk")
        if state := one_of(request, "state", BulkRow.State.values):
            rows = rows.filter(state=state)
        paginator = NewestFirst()
        page: list[BulkRow] = paginator.paginate_queryset(rows, request, self) or []
        return paginator.get_paginated_response(BulkRowSerializer(page, many=True).data)

    @extend_schema(parameters=[KEY_HEADER], request=UndoSerializer, responses={201: BulkSerializer})
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str | None = None) -> Response:
        """Undo every row of it that stands, in the background. 409 where that is under way, or nothing stands any more."""
        _check_may(request)
        bulk = self.get_object()
        asked = UndoSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return once(request, lambda: _undone(request, bulk, asked.validated_data["comment"]), REFUSALS)

    @extend_schema(parameters=[KEY_HEADER], request=None, responses={200: BulkSerializer})
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str | None = None) -> Response:
        """Decide no more of it: rows without a result are refused. 409 where it has ended."""
        _check_may(request)
        bulk = self.get_object()
        return once(request, lambda: _stopped(request, bulk), {BulkConflict: 409, BulkRefused: 403})


def _started(request: Request, held: BulkPreview, asked: dict[str, Any]) -> Response:
    bulk = start_bulk(
        preview=held, action=asked["action"], by=person_of(request), reason=asked["reason"], comment=asked["comment"],
        typed=str(asked["count"]),
        assignee=person_called(asked["assignee"], person_of(request)) if asked["action"] == ASSIGN else None,
        until=asked["until"], party=asked["party"],
    )  # fmt: skip
    return Response({**BulkSerializer(bulk).data}, status=201)


def _undone(request: Request, bulk: BulkDecision, comment: str) -> Response:
    undoing = undo_bulk(bulk=bulk, by=person_of(request), comment=comment)
    return Response({**BulkSerializer(undoing).data}, status=201)


def _stopped(request: Request, bulk: BulkDecision) -> Response:
    return Response({**BulkSerializer(stop_bulk(bulk=bulk, by=person_of(request))).data})
