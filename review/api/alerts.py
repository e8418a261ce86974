"""Alerts by REST: the user's inbox, what is read of it, and how the user hears of each event."""

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion.models import Alert
from ingestion.person import person_of
from ingestion.suggestion import nearest_end
from review.alert_events import EVENTS, Event, event_of
from review.api.door import Door, Rows
from review.api.idempotency import KEY_HEADER, once
from review.api.strict import StrictSerializer, one_of
from review.inbox import choices_of, choose, inbox_of, read_alerts, unread_of
from review.models import AlertChoice

SHOWS = ("unread", "all", "muted")


class AlertSerializer(serializers.ModelSerializer):
    """A line of the inbox. `count` is how often it came while it lasted; `cleared_at` when it was over."""

    title = serializers.SerializerMethodField()
    unread = serializers.BooleanField()
    muted = serializers.BooleanField()

    class Meta:
        model = Alert
        fields = (
            "id", "event", "title", "sentence", "link", "reconciliation", "count", "raised_at", "last_at", "cleared_at", "unread",
            "muted",
        )  # fmt: skip

    def get_title(self, alert: Alert) -> str:
        """What its event is called."""
        return event_of(alert.event).title


class ReadSerializer(serializers.Serializer):
    """How many alerts became read."""

    read = serializers.IntegerField()


class ChoiceSerializer(serializers.Serializer):
    """How the user hears of an event."""

    event = serializers.CharField()
    title = serializers.CharField()
    mail = serializers.ChoiceField(AlertChoice.Mail.choices)
    muted = serializers.BooleanField()


class ChooseAlertsSerializer(StrictSerializer):
    """How to hear of an event from now on."""

    mail = serializers.ChoiceField(AlertChoice.Mail.choices)
    muted = serializers.BooleanField(default=False)


class AlertViewSet(ListModelMixin, RetrieveModelMixin, Rows):
    """The inbox: list, one, read one, read all."""

    serializer_class = AlertSerializer
    queryset = Alert.objects.none()
    parameters = ("show", "event")

    def get_queryset(self) -> QuerySet[Alert]:
        """What the user may see; `show` and `event` narrow a list."""
        user = self.request.user
        if self.action != "list":
            return inbox_of(user)  # type: ignore[arg-type]
        show, event = one_of(self.request, "show", SHOWS, "unread"), one_of(self.request, "event", EVENTS)
        found = unread_of(user) if show == "unread" else inbox_of(user)  # type: ignore[arg-type]
        found = found.filter(muted=True) if show == "muted" else found  # type: ignore[misc]
        return found.filter(event=event) if event else found

    @extend_schema(parameters=[OpenApiParameter("show", enum=SHOWS), OpenApiParameter("event", enum=list(EVENTS))])
    def list(self, request: Request) -> Response:
        """Alerts, newest first; those that are unread unless `show` says otherwise."""
        return super().list(request)

    @extend_schema(parameters=[KEY_HEADER], request=None, responses={200: ReadSerializer})
    @action(detail=True, methods=["post"], url_path="read", url_name="read")
    def read_one(self, request: Request, pk: str | None = None) -> Response:
        """Mark an alert read."""
        alert = self.get_object()
        return once(request, lambda: Response({"read": read_alerts(by=person_of(request), alerts=[alert.pk])}))

    @extend_schema(
        operation_id="v1_alerts_read_all", parameters=[KEY_HEADER], request=None, responses={200: ReadSerializer}
    )
    @action(detail=False, methods=["post"], url_path="read", url_name="read-all")
    def read_all(self, request: Request) -> Response:
        """Mark read what came until now."""
        until = timezone.now()
        return once(request, lambda: Response({"read": read_alerts(by=person_of(request), until=until)}))


class ChoicesView(Door):
    """How the user hears of each event."""

    @extend_schema(responses={200: ChoiceSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """Each event."""
        return Response([_choice(*it) for it in choices_of(person_of(request))])


class ChoiceView(Door):
    """How the user hears of one event."""

    @extend_schema(request=ChooseAlertsSerializer, responses={200: ChoiceSerializer})
    def put(self, request: Request, event: str) -> Response:
        """Choose."""
        if event not in EVENTS:
            raise NotFound(f"There is no event {event[:40]!r}{nearest_end(event, EVENTS)}")
        asked = ChooseAlertsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        chosen = choose(by=person_of(request), event=event, **asked.validated_data)
        return Response(_choice(EVENTS[event], chosen.mail, chosen.muted))


def _choice(event: Event, mail: str, muted: bool) -> dict[str, object]:  # noqa: FBT001
    return {"event": event.code, "title": event.title, "mail": mail, "muted": muted}
