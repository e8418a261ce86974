"""Decisions by REST: list, one, confirm or withdraw a proposal, undo."""

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion.person import person_of
from reconciliation.models import access_of
from review.api.door import Rows
from review.api.idempotency import KEY_HEADER, Refusals, once
from review.api.permissions import check_right
from review.api.serializers import DecisionSerializer
from review.api.strict import StrictSerializer, one_of
from review.decisions import AlreadyDecided, DecisionRefused, StoreBusy, confirm, withdraw
from review.ids import is_number
from review.models import Decision
from review.rights import DECIDES
from review.undoing import undo

REFUSALS: Refusals = {AlreadyDecided: 409, StoreBusy: 409, DecisionRefused: 400}
STANDINGS = {
    "proposed": Q(confirmed_by=None, withdrawn=False),
    "final": Q(confirmed_by__isnull=False, undone_by=None),
    "undone": Q(undone_by__isnull=False),
    "withdrawn": Q(withdrawn=True, void_because=None),
    "void": Q(void_because__isnull=False),
}
BY = ("me", "others")
VERBS = ("confirm", "withdraw")
PEOPLE = ("proposed_by", "confirmed_by", "withdrawn_by", "undone_by")


class UndoSerializer(StrictSerializer):
    """Why; needed once the first seconds are over."""

    comment = serializers.CharField(default="", allow_blank=True, max_length=4000)


class AnswerDecisionSerializer(StrictSerializer):
    """What to do with a proposal."""

    action = serializers.ChoiceField(VERBS)


class DecisionViewSet(ListModelMixin, RetrieveModelMixin, Rows):
    """Decisions: list, one, answer a proposal, undo."""

    serializer_class = DecisionSerializer
    queryset = Decision.objects.none()
    parameters = ("standing", "by", "reconciliation", "break")
    scope = "decide"

    def get_queryset(self) -> QuerySet[Decision]:
        """Those about breaks that the user may see; the parameters narrow a list."""
        seen = Decision.objects.filter(access_of(self.request.user).holds("brk__"))
        seen = seen.select_related("brk__reconciliation", *PEOPLE)
        return self._narrowed(seen) if self.action == "list" else seen

    def _narrowed(self, found: QuerySet[Decision]) -> QuerySet[Decision]:
        code, brk = (self.request.GET.get(name, "") for name in ("reconciliation", "break"))
        if standing := one_of(self.request, "standing", STANDINGS):
            found = found.filter(STANDINGS[standing])
        if by := one_of(self.request, "by", BY):
            mine = Q(proposed_by=self.request.user.pk)
            found = found.filter(mine if by == "me" else ~mine)
        if brk:
            if not is_number(brk):
                raise ValidationError({"detail": f"break is {brk[:40]!r}; it is a break's id."})
            found = found.filter(brk=int(brk))
        return found.filter(brk__reconciliation__code=code) if code else found

    @extend_schema(
        parameters=[
            OpenApiParameter("standing", enum=list(STANDINGS), description="`proposed`: waits for a second person."),
            OpenApiParameter("by", enum=BY, description="Who proposed it: the caller, or others."),
            OpenApiParameter("reconciliation"),
            OpenApiParameter("break", int),
        ]
    )
    def list(self, request: Request) -> Response:
        """Decisions, newest first."""
        return super().list(request)

    @extend_schema(parameters=[KEY_HEADER], request=AnswerDecisionSerializer, responses={201: DecisionSerializer})
    @action(detail=True, methods=["post"])
    def answers(self, request: Request, pk: str | None = None) -> Response:
        """Confirm another person's proposal, and its outcome follows; or withdraw one, one's own or, with the right to confirm,
        another's. 409 where it waits no more, or its values changed, which makes it void."""
        decision, by = self._held(request, "Answering a proposal"), person_of(request)
        asked = AnswerDecisionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        act = confirm if asked.validated_data["action"] == "confirm" else withdraw
        return once(request, lambda: _told(act(decision=decision, by=by)), REFUSALS)

    @extend_schema(parameters=[KEY_HEADER], request=UndoSerializer, responses={201: DecisionSerializer})
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str | None = None) -> Response:
        """Undo it: its break stands in review again, what it stored is taken back, its labels teach nothing any more. 409 where
        it was undone already, or something was built on it since."""
        decision, by = self._held(request, "Undoing"), person_of(request)
        asked = UndoSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return once(request, lambda: _told(undo(decision=decision, by=by, **asked.validated_data)), REFUSALS)

    def _held(self, request: Request, what: str) -> Decision:
        check_right(request, DECIDES, what)
        return self.get_object()


def _told(decision: Decision) -> Response:
    """A decision, with its break as it stands now."""
    decision.brk.refresh_from_db()
    return Response({**DecisionSerializer(decision).data}, status=201)
