"""Saved views of the queue and the look that a person chose, by REST."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion.person import person_of
from review.api.door import Door
from review.api.idempotency import KEY_HEADER, once
from review.api.permissions import check_right
from review.api.strict import StrictSerializer
from review.columns import COLUMNS
from review.models import QueueLook, SavedView
from review.models.view import LONGEST_NAME, LONGEST_QUERY
from review.ordering import ORDERS
from review.saved_views import LOOKS, ViewRefused, change_view, choose_look, delete_view, save_view, visible_views


class SavedViewSerializer(serializers.ModelSerializer):
    """A saved view: the queue's `q`, `order` and columns under a name; `team` is empty for one's own."""

    owner = serializers.SlugRelatedField("username", read_only=True)  # type: ignore[var-annotated]
    team = serializers.SlugRelatedField("code", read_only=True, allow_null=True)  # type: ignore[var-annotated]

    class Meta:
        model = SavedView
        fields = ("id", "name", "owner", "team", "query", "order", "columns", "saved_at")


class SaveViewSerializer(StrictSerializer):
    """What to save."""

    name = serializers.CharField(max_length=LONGEST_NAME)
    query = serializers.CharField(max_length=LONGEST_QUERY, default="", allow_blank=True)
    order = serializers.ChoiceField(["", *ORDERS], default="")
    columns = serializers.ListField(child=serializers.ChoiceField(list(COLUMNS)), default=list, max_length=len(COLUMNS))
    team = serializers.CharField(max_length=41, default="", allow_blank=True)


class ChangeViewSerializer(StrictSerializer):
    """What to change; what is left out stays."""

    name = serializers.CharField(max_length=LONGEST_NAME, required=False)
    query = serializers.CharField(max_length=LONGEST_QUERY, required=False, allow_blank=True)
    order = serializers.ChoiceField(["", *ORDERS], required=False)
    columns = serializers.ListField(
        child=serializers.ChoiceField(list(COLUMNS)), required=False, max_length=len(COLUMNS)
    )


class LookSerializer(StrictSerializer):
    """The columns beside the key (none are the usual ones), and the id of the view that the queue opens with.
    What is left out stays."""

    columns = serializers.ListField(
        child=serializers.ChoiceField(list(COLUMNS)), required=False, max_length=len(COLUMNS)
    )
    opens_with = serializers.IntegerField(min_value=1, max_value=2**62, required=False, allow_null=True)


class _OfLookers(Door):
    scope = "decide"

    def person(self, request: Request) -> User:
        """Who asks; 403 for who may not look at breaks."""
        by = person_of(request)
        check_right(request, LOOKS, "Looking at breaks")
        return by


class SavedViewsView(_OfLookers):
    """Saved views: list, save."""

    @extend_schema(operation_id="v1_queue_views_list", responses=SavedViewSerializer(many=True))
    def get(self, request: Request) -> Response:
        """One's own and those of one's teams, by name."""
        found = visible_views(self.person(request)).select_related("owner", "team")
        return Response(SavedViewSerializer(found, many=True).data)

    @extend_schema(parameters=[KEY_HEADER], request=SaveViewSerializer, responses={201: SavedViewSerializer})
    def post(self, request: Request) -> Response:
        """Save a view, of one's own or of a team."""
        by, asked = self.person(request), SaveViewSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return once(request, lambda: _answer(lambda: _told(save_view(by=by, **asked.validated_data)), 201))


class SavedViewView(_OfLookers):
    """A saved view: one, change, delete."""

    @extend_schema(responses=SavedViewSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """The view."""
        return Response(_told(self._view(request, pk)))

    @extend_schema(request=ChangeViewSerializer, responses=SavedViewSerializer)
    def patch(self, request: Request, pk: str) -> Response:
        """Rename it, or give it another query, order or columns."""
        view, asked = self._view(request, pk), ChangeViewSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return _answer(lambda: _told(change_view(view=view, by=self.person(request), **asked.validated_data)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Delete it."""
        view = self._view(request, pk)
        return _answer(lambda: delete_view(view=view, by=self.person(request)), 204)

    def _view(self, request: Request, pk: str) -> SavedView:
        return get_object_or_404(visible_views(self.person(request)), pk=pk)


class QueueLookView(_OfLookers):
    """How the user wants the queue to look."""

    @extend_schema(responses=LookSerializer)
    def get(self, request: Request) -> Response:
        """The choice, or the usual look."""
        found = QueueLook.objects.filter(person=self.person(request)).first()
        return Response(_look(found or QueueLook()))

    @extend_schema(request=LookSerializer, responses=LookSerializer)
    def put(self, request: Request) -> Response:
        """Choose."""
        by, asked = self.person(request), LookSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = dict(asked.validated_data)
        if "opens_with" in given:
            given["opens_with"] = given["opens_with"] or 0
        return _answer(lambda: _look(choose_look(by=by, **given)))


def _answer(act: Callable[[], Any], status: int = 200) -> Response:
    """What a service did, or what it refused, beside the field."""
    try:
        return Response(act(), status=status)
    except ViewRefused as refused:
        return Response({refused.field: [str(refused)]}, status=400)


def _told(view: SavedView) -> dict[str, Any]:
    return {**SavedViewSerializer(view).data}


def _look(look: QueueLook) -> dict[str, Any]:
    return {"columns": look.columns, "opens_with": look.opens_with_id}
