"""One answer to many quarantined rows by REST: dismiss, confirm or withdraw all that match, follow each row."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion.person import person_of
from review.api.door import Rows
from review.api.idempotency import KEY_HEADER, Refusals, once
from review.api.paging import OURS, NewestFirst
from review.api.permissions import check_right
from review.api.strict import StrictSerializer, one_of
from review.bulk_answers.answering import answer_all, check_may
from review.bulk_answers.choosing import (
    MOST,
    UnseenRow,
    choose_answered,
    choose_filtered,
    choose_rows,
    given_answers,
)
from review.bulk_answers.summary import summary_of
from review.models import BulkAnswer, BulkAnswerRow
from review.quarantined import Asked, BadFilter
from review.repair_rules import REPAIRS, AlreadySaid, RepairRefused

REFUSALS: Refusals = {AlreadySaid: 409, RepairRefused: 400, BadFilter: 400}
ROW_STATES = ("done", "skipped")
WAYS = ("filters", "rows", "answer")


class FilterSerializer(StrictSerializer):
    """The filter of the list; `state` is open where it is left out. At least a source, a date or a reason."""

    source = serializers.CharField(default="", allow_blank=True, max_length=200)  # type: ignore[assignment]
    date = serializers.CharField(default="", allow_blank=True, max_length=40)
    reason = serializers.CharField(default="", allow_blank=True, max_length=500)
    state = serializers.CharField(default="", allow_blank=True, max_length=40)


class AskedSerializer(StrictSerializer):
    """What to say of which rows: all under a filter, named ones, or those that an earlier answer reached. `count` is how many they
    are: with other rows than that nothing is written (409). Dismissing needs a comment. `dry_run` only looks."""

    action = serializers.ChoiceField(BulkAnswer.Action.choices)
    filters = FilterSerializer(required=False)
    rows = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**62), required=False, max_length=MOST
    )
    answer = serializers.IntegerField(min_value=1, max_value=2**62, required=False)
    comment = serializers.CharField(default="", allow_blank=True, max_length=4000)
    count = serializers.IntegerField(default=0, min_value=0, max_value=MOST)
    dry_run = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One way of choosing."""
        if sum(way in attrs for way in WAYS) != 1:
            raise ValidationError("Give either filters, rows or an answer.")
        return attrs


class GroupSerializer(serializers.Serializer):
    """Rows of one source, date and reason; numbers in the reason are written n."""

    source = serializers.CharField()  # type: ignore[assignment]
    date = serializers.DateField()
    reason = serializers.CharField()
    count = serializers.IntegerField()


class LookedAtSerializer(serializers.Serializer):
    """What the answer would do: it reaches `count` of `rows`; `proposals` of those wait for a second person; `left_alone` has how many
    others by why, `elsewhere` how many rows under the filter stand in other states, which were not chosen."""

    rows = serializers.IntegerField()
    count = serializers.IntegerField()
    proposals = serializers.IntegerField()
    groups = GroupSerializer(many=True)
    left_alone = serializers.DictField(child=serializers.IntegerField())
    elsewhere = serializers.DictField(child=serializers.IntegerField())


class BulkAnswerSerializer(serializers.ModelSerializer):
    """An answer to many rows: `done` were reached, `skipped` left alone."""

    chosen = serializers.CharField(source="told")
    asked_by = serializers.SlugRelatedField("username", read_only=True)  # type: ignore[var-annotated]

    class Meta:
        model = BulkAnswer
        fields = ("id", "action", "chosen", "filters", "comment", "asked_by", "answered_at", "rows", "done", "skipped")


class BulkAnswerRowSerializer(serializers.ModelSerializer):
    """A row of it: the id of the repair that was made, confirmed or withdrawn, or why it was left alone."""

    repair = serializers.IntegerField(source="repair_id", allow_null=True)

    class Meta:
        model = BulkAnswerRow
        fields = ("id", "row", "repair", "said")


class BulkAnswerViewSet(ListModelMixin, RetrieveModelMixin, Rows):
    """Answers to many quarantined rows: list, one, give one, its rows."""

    serializer_class = BulkAnswerSerializer
    queryset = BulkAnswer.objects.none()
    scope = "decide"
    also = {"list": OURS, "rows": ("state", *OURS)}

    def get_queryset(self) -> QuerySet[BulkAnswer]:
        """Those that were given, of sources that the user may see."""
        return given_answers(person_of(self.request))

    @extend_schema(
        parameters=[KEY_HEADER], request=AskedSerializer, responses={201: BulkAnswerSerializer, 200: LookedAtSerializer}
    )
    def create(self, request: Request) -> Response:
        """Dismiss, confirm or withdraw them all (201), or with `dry_run` look at what that would do (200). Each row is answered as by
        itself; what moved on is left alone. 404 where a named row or answer is not there, 409 where they are another number."""
        check_right(request, REPAIRS, "Answering quarantined rows")
        asked = AskedSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return once(request, lambda: _given(request, asked.validated_data), REFUSALS)

    @extend_schema(
        parameters=[OpenApiParameter("state", enum=ROW_STATES)], responses=BulkAnswerRowSerializer(many=True)
    )
    @action(detail=True)
    def rows(self, request: Request, pk: str | None = None) -> Response:
        """Each row with its result; `state` narrows the list to those that were reached, or left alone."""
        rows = self.get_object().results.order_by("-pk")
        if state := one_of(request, "state", ROW_STATES):
            rows = rows.filter(repair__isnull=state == "skipped")
        paginator = NewestFirst()
        page: list[BulkAnswerRow] = paginator.paginate_queryset(rows, request, self) or []
        return paginator.get_paginated_response(BulkAnswerRowSerializer(page, many=True).data)


@transaction.atomic
def _given(request: Request, asked: dict[str, Any]) -> Response:
    """Chosen and answered in one, so that a refusal leaves no preview behind."""
    by = person_of(request)
    check_may(asked["action"], by)
    answer = _chosen(request, asked)
    if asked["dry_run"]:
        told = LookedAtSerializer(_told(answer, request)).data
        transaction.set_rollback(True)
        return Response({**told})
    if answer.rows != asked["count"]:
        raise AlreadySaid(
            f"They are {answer.rows:,} rows now, not {asked['count']:,}. Look again; nothing was written."
        )
    given = answer_all(answer=answer, by=by, comment=asked["comment"], count=asked["count"])
    return Response({**BulkAnswerSerializer(given).data}, status=201)


def _told(answer: BulkAnswer, request: Request) -> dict[str, Any]:
    summary = summary_of(answer, person_of(request))
    maps = {"left_alone": dict(summary.left_alone), "elsewhere": dict(summary.elsewhere)}
    return {**{name: getattr(summary, name) for name in ("rows", "count", "proposals", "groups")}, **maps}


def _chosen(request: Request, asked: dict[str, Any]) -> BulkAnswer:
    by, verb = person_of(request), asked["action"]
    if "filters" in asked:
        return choose_filtered(action=verb, asked=Asked.of(asked["filters"]), by=by)
    if "answer" in asked:
        earlier = get_object_or_404(given_answers(by), pk=asked["answer"])
        return choose_answered(action=verb, of=earlier, by=by)
    try:
        return choose_rows(action=verb, ids=asked["rows"], by=by)
    except UnseenRow:
        raise NotFound("One of these rows is not there.") from None
