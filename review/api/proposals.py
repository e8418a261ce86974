"""Proposed mapping versions by REST: list, one, accept or refuse."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion.models import MappingProposal
from ingestion.ringing import ring_for_normalizing
from review.api.door import Rows
from review.api.idempotency import KEY_HEADER, Refusals, once
from review.api.permissions import check_right
from review.api.strict import StrictSerializer, one_of
from review.proposals import AlreadyAnswered, ProposalRefused, accept_proposal, refuse_proposal, visible_proposals

REFUSALS: Refusals = {AlreadyAnswered: 409, ProposalRefused: 400}
VERBS = ("accept", "refuse")


class ChangeSerializer(serializers.Serializer):
    """A path of the mapping as it is, as proposed, and why."""

    path = serializers.CharField()
    mapped = serializers.JSONField()
    proposed = serializers.JSONField()
    why = serializers.CharField()


class ProposalSerializer(serializers.ModelSerializer):
    """A mapping version that would read a delivery; the counts are of its first rows."""

    source = serializers.CharField(source="normalization.delivery.source.code")  # type: ignore[assignment]
    delivery = serializers.IntegerField(source="normalization.delivery_id")
    mapping = serializers.IntegerField(source="normalization.mapping.version")
    accepted_as = serializers.IntegerField(source="accepted_as.version", default=None, allow_null=True)
    decided_by = serializers.SlugRelatedField("username", read_only=True, allow_null=True)  # type: ignore[var-annotated]
    changes = serializers.SerializerMethodField()

    class Meta:
        model = MappingProposal
        fields = (
            "id", "source", "delivery", "mapping", "state", "received", "normalized", "flagged_values", "changes",
            "created_at", "decided_by", "decided_at", "comment", "accepted_as",
        )  # fmt: skip

    @extend_schema_field(ChangeSerializer(many=True))
    def get_changes(self, proposal: MappingProposal) -> list[dict[str, Any]]:
        """Each changed path."""
        names = ("path", "mapped", "proposed", "why")
        return [dict(zip(names, change, strict=True)) for change in proposal.changes()]


class AnswerProposalSerializer(StrictSerializer):
    """Accept or refuse, and why."""

    action = serializers.ChoiceField(VERBS)
    comment = serializers.CharField(default="", allow_blank=True)


class ProposalViewSet(ListModelMixin, RetrieveModelMixin, Rows):
    """Proposed mapping versions: list, one, answer."""

    serializer_class = ProposalSerializer
    queryset = MappingProposal.objects.none()
    parameters = ("state",)
    scope = "decide"

    def get_queryset(self) -> QuerySet[MappingProposal]:
        """Proposals for sources that the user may see; `state` narrows a list."""
        proposals = visible_proposals(self.request.user)
        state = one_of(self.request, "state", MappingProposal.State.values) if self.action == "list" else ""
        return proposals.filter(state=state) if state else proposals

    @extend_schema(parameters=[OpenApiParameter("state")])
    def list(self, request: Request) -> Response:
        """Proposals, newest first."""
        return super().list(request)

    @extend_schema(parameters=[KEY_HEADER], request=AnswerProposalSerializer, responses={201: ProposalSerializer})
    @action(detail=True, methods=["post"])
    def answers(self, request: Request, pk: str | None = None) -> Response:
        """Accept: the source's next mapping version, and the delivery is read by it. Or refuse."""
        check_right(request, "ingestion.add_mapping", "Changing a mapping")
        proposal = self.get_object()
        asked = AnswerProposalSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return once(request, lambda: _answered(request, proposal, asked.validated_data), REFUSALS)


def _answered(request: Request, proposal: MappingProposal, asked: dict[str, Any]) -> Response:
    given: dict[str, Any] = {"proposal": proposal, "by": request.user, "comment": asked["comment"]}
    if asked["action"] == "accept":
        ring_for_normalizing(accept_proposal(**given))
    else:
        refuse_proposal(**given)
    found = visible_proposals(request.user).get(pk=proposal.pk)
    return Response({**ProposalSerializer(found).data}, status=201)
