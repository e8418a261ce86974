"""Journeys by REST: one, signed or not, the key that checks it, and search by key."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion.person import person_of
from reconciliation.models import Reconciliation
from review.api.door import Door
from review.api.permissions import check_right
from review.exporting import MAY
from review.journey import Journey, journey
from review.journey_export import sign_journey
from review.search import MOST, search_keys
from review.signed_journey import ALGORITHM, key_id, pem, public_text
from review.signing import NoSigningKey, public_key

ASKED = [OpenApiParameter("reconciliation", required=True), OpenApiParameter("key", required=True)]
NOBODY = "No row with this key was delivered. Keys are compared after cleaning, exactly as written."


class EventChangeSerializer(serializers.Serializer):
    """A name with what stood there before and after, and the step between them."""

    name = serializers.CharField()
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)
    how = serializers.CharField()


class EventSerializer(serializers.Serializer):
    """One step of a journey. `name` is its anchor on the page."""

    name = serializers.CharField()
    what = serializers.CharField()
    at = serializers.DateTimeField()
    title = serializers.CharField()
    detail = serializers.CharField()
    who = serializers.CharField()
    lines = serializers.ListField(child=serializers.CharField())
    changes = EventChangeSerializer(many=True)
    hash = serializers.CharField()
    hash_of = serializers.CharField()


class JourneySerializer(serializers.Serializer):
    """Every step of a key, where it stands, and its stored values now."""

    state = serializers.CharField()
    events = EventSerializer(many=True)
    stored = serializers.DictField()


class HitSerializer(serializers.Serializer):
    """A key in a reconciliation, how it stands there, and of which business date that is."""

    key = serializers.CharField()
    reconciliation = serializers.CharField(source="reconciliation.code")
    state = serializers.CharField()
    date = serializers.DateField()


class FoundSerializer(serializers.Serializer):
    """At most 50 keys; `is_cut` where there are more; `loading`: record types whose stored rows were not looked through, since a large
    load of them is under way."""

    hits = HitSerializer(many=True)
    is_cut = serializers.BooleanField()
    loading = serializers.ListField(child=serializers.CharField())


class PublicKeySerializer(serializers.Serializer):
    """The key that checks signed journeys."""

    key = serializers.CharField()
    algorithm = serializers.CharField()
    public_key = serializers.CharField()
    pem = serializers.CharField()


class CannotSign(APIException):
    """The server has no key."""

    status_code = 503


def _asked(request: Request) -> tuple[Reconciliation, str]:
    for name in ("reconciliation", "key"):
        if not request.GET.get(name):
            raise ValidationError({name: ["This parameter is required."]})
    visible = Reconciliation.objects.entered_by(request.user).select_related("a__record_type")
    return get_object_or_404(visible, code=request.GET["reconciliation"]), request.GET["key"]


class JourneyView(Door):
    """Every step of a key."""

    parameters = ("reconciliation", "key")

    @extend_schema(parameters=ASKED, responses=JourneySerializer)
    def get(self, request: Request) -> Response:
        """The events in order, and the stored values; 404 for a key that no row bears."""
        told: Journey = journey(*_asked(request))
        if not told.events:
            raise NotFound(NOBODY)
        return Response(JourneySerializer(told).data)


class SignedJourneyView(Door):
    """Every step of a key, as a file that a third party can check."""

    parameters = ("reconciliation", "key")

    @extend_schema(parameters=ASKED, responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> HttpResponse:
        """The signed document. Who took it is recorded."""
        reconciliation, key = _asked(request)
        check_right(request, MAY, "Exporting")
        if not journey(reconciliation, key).events:
            raise NotFound(NOBODY)
        try:
            export, content = sign_journey(reconciliation=reconciliation, key=key, by=person_of(request))
        except NoSigningKey as error:
            raise CannotSign(str(error)) from None
        return HttpResponse(content, content_type="application/json", headers={"X-Content-SHA256": export.sha256})


class PublicKeyView(Door):
    """The public key of this server."""

    @extend_schema(responses=PublicKeySerializer)
    def get(self, request: Request) -> Response:
        """Its name, its 32 bytes as base64, and as PEM."""
        try:
            public = public_key()
        except NoSigningKey as error:
            raise CannotSign(str(error)) from None
        told = {"key": key_id(public), "algorithm": ALGORITHM, "public_key": public_text(public), "pem": pem(public)}
        return Response(told)


class SearchView(Door):
    """Keys by their beginning, over every reconciliation that one may see."""

    parameters = ("key",)

    @extend_schema(
        parameters=[
            OpenApiParameter("key", required=True, description=f"The beginning of a key; at most {MOST} are told.")
        ],
        responses=FoundSerializer,
    )
    def get(self, request: Request) -> Response:
        """Keys that break or are stored, the whole key first."""
        if not request.GET.get("key"):
            raise ValidationError({"key": ["This parameter is required."]})
        visible = Reconciliation.objects.entered_by(request.user).select_related("a__record_type")
        return Response(FoundSerializer(search_keys(list(visible), request.GET["key"])).data)
