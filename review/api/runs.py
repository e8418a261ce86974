"""Runs by REST: list, one, start, cancel, the report, the statement."""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from reconciliation.cancelling import CancelRefused
from reconciliation.models import Reconciliation, Run
from reconciliation.runs import start_run
from reconciliation.summary import run_summary
from review.api.door import Rows
from review.api.idempotency import KEY_HEADER, once
from review.api.narrowing import narrowed
from review.api.permissions import check_right
from review.api.serializers import (
    CancelRunSerializer,
    RunSerializer,
    StartRunSerializer,
    StatementSerializer,
    SummarySerializer,
)
from review.runs import STARTS, cancel, ring

FILTERS = {"reconciliation": "reconciliation__code", "date": "business_date", "state": "state"}


class RunViewSet(ListModelMixin, RetrieveModelMixin, Rows):
    """Runs: list, one, start, summary."""

    serializer_class = RunSerializer
    queryset = Run.objects.none()
    parameters = tuple(FILTERS)
    scope = "run"

    def get_queryset(self) -> QuerySet[Run]:
        """Runs that the user may see; `reconciliation`, `date` and `state` narrow a list."""
        runs = Run.objects.visible_to(self.request.user).select_related("reconciliation")
        return narrowed(runs, self, FILTERS)

    @extend_schema(parameters=[*map(OpenApiParameter, FILTERS)])
    def list(self, request: Request) -> Response:
        """Runs, newest first."""
        return super().list(request)

    @extend_schema(parameters=[KEY_HEADER], request=StartRunSerializer, responses={201: RunSerializer})
    def create(self, request: Request) -> Response:
        """Start a run of a business date. One that waits for the date already, with the same rules and model, is given in place of
        another."""
        check_right(request, STARTS, "Starting a run")
        asked = StartRunSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        visible = Reconciliation.objects.visible_to(request.user)
        reconciliation = get_object_or_404(visible, code=asked.validated_data["reconciliation"])

        def act() -> Response:
            by = request.user.get_username()
            date = asked.validated_data["date"]
            run = start_run(reconciliation=reconciliation, business_date=date, by=by, join=True)
            ring(run)
            run.refresh_from_db()
            return Response(RunSerializer(run).data, status=201)

        return once(request, act)

    @extend_schema(parameters=[KEY_HEADER], request=CancelRunSerializer, responses={201: RunSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str | None = None) -> Response:
        """End a run that waits or works: it has failed then. 409 where it has ended."""
        check_right(request, STARTS, "Cancelling a run")
        run, by = self.get_object(), request.user.get_username()
        asked = CancelRunSerializer(data=request.data)
        asked.is_valid(raise_exception=True)

        def act() -> Response:
            return Response(RunSerializer(cancel(run=run, by=by, **asked.validated_data)).data, status=201)

        return once(request, act, {CancelRefused: 409})

    @extend_schema(responses=SummarySerializer)
    @action(detail=True)
    def summary(self, request: Request, pk: str | None = None) -> Response:
        """The report, from Redis or SQL, and how old it is."""
        return Response(run_summary(self.get_object()))

    @extend_schema(responses=StatementSerializer)
    @action(detail=True)
    def statement(self, request: Request, pk: str | None = None) -> Response:
        """Why the two sums of the amount differ, per currency; 404 while the run has not ended or where records have no
        amount."""
        told = (self.get_object().report or {}).get("statement")
        if told is None:
            raise NotFound("This run has no statement: it has not ended, or its records have no amount.")
        return Response(told)
