"""By REST, what the gate says of a break: each condition and whether it held, which run, model and certificate spoke."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from review.api.door import Door
from review.breaks.comparison import comparison
from review.breaks.explained import explained_differences
from review.breaks.facts import facts_of
from review.breaks.gate import gate_said
from review.breaks.shown import visible_break


class BreakConditionSerializer(serializers.Serializer):
    """A condition of the gate. `waived` is why a Manager let one be that does not hold."""

    condition = serializers.CharField()
    sentence = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)
    holds = serializers.BooleanField()
    waived = serializers.CharField(allow_null=True)


class PinnedCertificateSerializer(serializers.Serializer):
    """The certificate under which a run judged: of which model version, above which threshold, how many errors it allows."""

    id = serializers.IntegerField()
    version = serializers.IntegerField()
    threshold = serializers.DecimalField(max_digits=9, decimal_places=6)
    upper = serializers.DecimalField(max_digits=9, decimal_places=6)
    errors = serializers.IntegerField()  # type: ignore[assignment]
    sample_size = serializers.IntegerField()
    valid_until = serializers.DateTimeField()


class JudgedSerializer(serializers.Serializer):
    """The run whose word on the differences stands, and what it was bound to; an empty model: provers alone."""

    run = serializers.IntegerField()
    rule_set = serializers.IntegerField()
    model = serializers.CharField(allow_blank=True)
    certificate = PinnedCertificateSerializer(allow_null=True)


class BreakGateSerializer(serializers.Serializer):
    """What lets a break pass or holds it: `confidence` has to be exceeded."""

    confidence = serializers.DecimalField(max_digits=6, decimal_places=5)
    conditions = BreakConditionSerializer(many=True)
    judged = JudgedSerializer(allow_null=True)


class BreakGateView(Door):
    """The gate of one break."""

    @extend_schema(responses=BreakGateSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """Each condition, those that do not hold first."""
        brk = visible_break(request._request, int(pk))
        facts = facts_of(request._request, brk)
        record = comparison(brk, list(brk.members.filter(current=True)), ()).record
        said = gate_said(brk, facts, explained_differences(brk), record)
        held = [_condition(it.condition, it.sentence, it.detail, it.waived, holds=False) for it in facts.refusals]
        met = [_condition(it.code, it.sentence, it.detail, None, holds=True) for it in said.met]
        told = {"confidence": said.threshold, "conditions": held + met, "judged": facts.judged}
        return Response(BreakGateSerializer(told).data)


def _condition(code: str, sentence: str, detail: str, waived: str | None, *, holds: bool) -> dict[str, object]:
    return {"condition": code, "sentence": sentence, "detail": detail, "holds": holds, "waived": waived}
