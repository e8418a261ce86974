"""Undoing a decision by REST."""

from django.contrib.auth.models import User
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from reconciliation.models import Break
from review.api.door import Door
from review.api.idempotency import KEY_HEADER, once
from review.api.serializers import DecisionSerializer
from review.api.strict import StrictSerializer
from review.decisions import AlreadyDecided, DecisionRefused
from review.models import Decision
from review.undoing import undo


class UndoSerializer(StrictSerializer):
    """Why; needed once the first seconds are over."""

    comment = serializers.CharField(default="", allow_blank=True, max_length=4000)


class UndoView(Door):
    """A decision that is to be undone."""

    scope = "decide"

    @extend_schema(parameters=[KEY_HEADER], request=UndoSerializer, responses={201: DecisionSerializer})
    def post(self, request: Request, pk: str) -> Response:
        """Undo it: its break stands in review again, what it stored is taken back, its labels teach nothing any more. 409 where
        it was undone already, or something was built on it since."""
        if not request.user.has_perm("review.add_decision"):  # type: ignore[union-attr]
            raise PermissionDenied("Undoing needs the role Analyst, Supervisor or Manager.")
        decision = get_object_or_404(Decision.objects.filter(brk__in=Break.objects.visible_to(request.user)), pk=pk)
        asked = UndoSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return once(request, lambda: _undone(request, decision, asked.validated_data["comment"]))


def _undone(request: Request, decision: Decision, comment: str) -> Response:
    assert isinstance(request.user, User)
    try:
        done = undo(decision=decision, by=request.user, comment=comment)
    except AlreadyDecided as error:
        return Response({"detail": str(error)}, status=409)
    except DecisionRefused as error:
        return Response({"detail": str(error)}, status=400)
    return Response({**DecisionSerializer(done).data}, status=201)
