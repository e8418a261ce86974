"""Breaks by REST: list, one, what explains it, and what a person does with it."""

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from attribution.models import Attribution
from attribution.why import why
from ingestion.person import person_of
from reconciliation.holds import return_due
from reconciliation.models import Break, Difference, GateRefusal, Hold, Member, access_of
from review.api.door import Rows
from review.api.explanations import SimilarSerializer, WhySerializer
from review.api.idempotency import KEY_HEADER, Refusals, once
from review.api.narrowing import narrowed as narrowed_by
from review.api.paging import InOrder
from review.api.permissions import check_right
from review.api.serializers import (
    AssignSerializer,
    BreakDetailSerializer,
    BreakSerializer,
    DecideSerializer,
    DecisionSerializer,
    HoldSerializer,
    ReleaseSerializer,
    WaiverSerializer,
    WaiveSerializer,
)
from review.api.strict import one_of
from review.assigning import assign, person_called
from review.decisions import AlreadyDecided, DecisionRefused, StoreBusy, decide, waive
from review.due import DUE, due_is
from review.holding import hold, release
from review.ordering import ORDERS, shown_breaks
from review.query import Asked, BadQuery, asked_of, known_to
from review.query.apply import asked_for, narrowed
from review.rights import DECIDES
from review.similar import similar_breaks

ASKS = "The queue's query, such as `reason:UNKNOWN amount>1000 age>2d`; of what is in review unless it names a state."
REFUSALS: Refusals = {AlreadyDecided: 409, StoreBusy: 409, DecisionRefused: 400}
FILTERS = {
    "reconciliation": "reconciliation__code", "key": "key", "state": "state", "kind": "kind", "band": "band",
    "run": "last_run", "assignee": "assignee__username",
}  # fmt: skip


def _asked(request: Request) -> Asked | None:
    """A list's query, None where there is none; ValidationError where it cannot be read."""
    if not (text := str(request.GET.get("q") or "")):
        return None
    try:
        return asked_of({"q": text}, known_to(person_of(request)))
    except BadQuery as error:
        raise ValidationError({"detail": str(error)}) from None


def _queried(breaks: QuerySet[Break], asked: Asked | None, request: Request) -> tuple[QuerySet[Break], str]:
    """What a list's query leaves of the breaks, and their state, empty for several."""
    state = str(request.GET.get("state") or "")
    if asked is None:
        return breaks, state or "review"
    if state:
        return narrowed(breaks, asked.terms, request.user.pk), state
    return asked_for(breaks, asked, request.user.pk), asked.state


def _ordered(breaks: QuerySet[Break], request: Request) -> QuerySet[Break]:
    """The breaks of a list, ready for its order; ValidationError for one that there is not."""
    return_due(now := timezone.now())
    asked = _asked(request)
    breaks, state = _queried(breaks, asked, request)
    if due := one_of(request, "due", DUE):
        breaks = breaks.filter(due_is(due, now))
    name = one_of(request, "order", ORDERS, "newest")
    order = ORDERS[name]
    if order.of_shown and state != Break.State.REVIEW:
        raise ValidationError(
            {"detail": f"Only what is in review is listed by {name}. Ask for state=review, or by newest."}
        )
    return order.sort(shown_breaks(breaks) if order.of_shown else breaks)


class BreakViewSet(ListModelMixin, RetrieveModelMixin, Rows):
    """Breaks: list, one, decide."""

    serializer_class = BreakSerializer
    pagination_class = InOrder
    queryset = Break.objects.none()
    parameters = ("q", *FILTERS, "due", "order")
    scope = "decide"

    def get_serializer_class(self) -> type[BaseSerializer]:
        """Whole for one, short in a list."""
        return BreakDetailSerializer if self.action == "retrieve" else BreakSerializer

    def get_queryset(self) -> QuerySet[Break]:
        """Breaks that the user may see; `state`, `kind`, `band`, `key` and `reconciliation` narrow a list."""
        seen = Break.objects.visible_to(self.request.user)
        breaks = seen.select_related("reconciliation__a__record_type", "assignee")
        if self.action == "list":
            return _ordered(narrowed_by(breaks, self, FILTERS), self.request)
        if self.action == "retrieve":
            said = Attribution.objects.filter(current=True)
            differences = Difference.objects.filter(current=True).prefetch_related(
                Prefetch("attributions", said, to_attr="now")
            )
            return breaks.prefetch_related(
                Prefetch("differences", differences),
                Prefetch("members", Member.objects.filter(current=True).with_fate()),
                Prefetch("refusals", GateRefusal.objects.filter(current=True)),
                Prefetch("holds", Hold.objects.select_related("held_by", "ended_by")),
            )
        return breaks

    @extend_schema(
        parameters=[
            OpenApiParameter("q", description=ASKS),
            *map(OpenApiParameter, FILTERS),
            OpenApiParameter("due", enum=list(DUE)),
            OpenApiParameter("order", enum=list(ORDERS)),
        ]
    )
    def list(self, request: Request) -> Response:
        """Breaks, newest first; `order` is another one. By `priority` and by `amount` are listed those that people are shown to
        decide."""
        return super().list(request)

    @extend_schema(responses=WhySerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None)
    def why(self, request: Request, pk: str | None = None) -> Response:
        """What weighed in a model's word on each differing field; empty where only provers or people spoke."""
        return Response(WhySerializer(why(self.get_object()), many=True).data)

    @extend_schema(responses=SimilarSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None)
    def similar(self, request: Request, pk: str | None = None) -> Response:
        """Past breaks like this one with what people decided of them, one entry a differing field."""
        return Response(SimilarSerializer(similar_breaks(self.get_object(), access_of(request.user)), many=True).data)

    @extend_schema(parameters=[KEY_HEADER], request=DecideSerializer, responses={201: DecisionSerializer})
    @action(detail=True, methods=["post"])
    def decisions(self, request: Request, pk: str | None = None) -> Response:
        """Approve, override or reject; the outcome follows at once."""
        check_right(request, DECIDES, "Deciding")
        brk = self.get_object()
        asked = DecideSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return once(request, lambda: _decide(request, brk, asked.validated_data), REFUSALS)

    @extend_schema(parameters=[KEY_HEADER], request=AssignSerializer, responses={201: BreakSerializer}, filters=False)
    @action(detail=True, methods=["post"])
    def assignment(self, request: Request, pk: str | None = None) -> Response:
        """Give it to somebody who may decide it, or to nobody. Whoever may decide it still can."""
        brk = self._for_deciders(request, "Assigning")
        asked = AssignSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        by, name = person_of(request), asked.validated_data["assignee"] or ""
        return once(request, lambda: _told(assign(brk=brk, to=person_called(name, by), by=by).pk), REFUSALS)

    @extend_schema(parameters=[KEY_HEADER], request=HoldSerializer, responses={201: BreakSerializer}, filters=False)
    @action(detail=True, methods=["post"])
    def hold(self, request: Request, pk: str | None = None) -> Response:
        """Put it on hold until a day, or until a party answers. A hold that stands ends."""
        brk, by = self._for_deciders(request, "Putting breaks on hold"), person_of(request)
        asked = HoldSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return once(request, lambda: _told(hold(brk=brk, by=by, **asked.validated_data).brk_id), REFUSALS)

    @extend_schema(parameters=[KEY_HEADER], request=ReleaseSerializer, responses={201: BreakSerializer}, filters=False)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str | None = None) -> Response:
        """Take it off hold. 409 where it is on none any more."""
        brk, by = self._for_deciders(request, "Putting breaks on hold"), person_of(request)
        ReleaseSerializer(data=request.data).is_valid(raise_exception=True)
        return once(request, lambda: _told(release(brk=brk, by=by).pk), REFUSALS)

    @extend_schema(parameters=[KEY_HEADER], request=WaiveSerializer, responses={201: WaiverSerializer}, filters=False)
    @action(detail=True, methods=["post"])
    def waivers(self, request: Request, pk: str | None = None) -> Response:
        """Let a failed check of it be, so that it can be approved. The same again changes nothing."""
        check_right(request, "review.waive_check", "Waiving a check")
        brk, by = self.get_object(), person_of(request)
        asked = WaiveSerializer(data=request.data)
        asked.is_valid(raise_exception=True)

        def act() -> Response:
            waiver = waive(brk=brk, by=by, **asked.validated_data)
            return Response({**WaiverSerializer(waiver).data}, status=201)

        return once(request, act, REFUSALS)

    def _for_deciders(self, request: Request, what: str) -> Break:
        """The break, for who may decide it; else PermissionDenied says for what that is needed."""
        check_right(request, DECIDES, what)
        return self.get_object()


def _told(pk: int) -> Response:
    """A break as it stands now."""
    return Response({**BreakSerializer(Break.objects.get(pk=pk)).data}, status=201)


def _decide(request: Request, brk: Break, asked: dict) -> Response:
    member = brk.members.filter(pk=asked["member"]).first() if asked["member"] else None
    decision = decide(
        brk=brk,
        action=asked["action"],
        by=person_of(request),
        reason=asked["reason"],
        values=asked["values"],
        member=member,
        comment=asked["comment"],
        expected_fingerprint=asked["fingerprint"],
    )
    decision.brk.refresh_from_db()
    return Response({**DecisionSerializer(decision).data}, status=201)
