"""Shapes of the API."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from attribution.models import Attribution
from reconciliation.models import Break, Difference, Hold, Member, Run
from review.api.strict import StrictSerializer
from review.models import Decision, Waiver


class RunSerializer(serializers.ModelSerializer):
    """A run with its report. One that somebody cancelled has failed, with `cancelled_by`, and why in `error`."""

    reconciliation = serializers.SlugRelatedField("code", read_only=True)  # type: ignore[var-annotated]

    class Meta:
        model = Run
        fields = (
            "id",
            "reconciliation",
            "business_date",
            "state",
            "created_at",
            "started_at",
            "finished_at",
            "started_by",
            "cancelled_by",
            "model_version",
            "certificate",
            "error",
            "report",
        )


class StartRunSerializer(StrictSerializer):
    """What to run."""

    reconciliation = serializers.CharField(max_length=41)
    date = serializers.DateField()


class CancelRunSerializer(StrictSerializer):
    """Why."""

    comment = serializers.CharField(default="", allow_blank=True, max_length=1000)


class SummarySerializer(serializers.Serializer):
    """A run's report, where it was read from, and how old it is."""

    report = serializers.JSONField(allow_null=True)
    source = serializers.ChoiceField(["redis", "sql"])  # type: ignore[assignment]
    age_seconds = serializers.FloatField()


class SumsSerializer(serializers.Serializer):
    """Rows and amounts of both sides; amounts are exact texts."""

    rows_a = serializers.IntegerField()
    rows_b = serializers.IntegerField()
    a = serializers.CharField()
    b = serializers.CharField()
    difference = serializers.CharField()


class StatementLineSerializer(SumsSerializer):
    """A class of rows: what they are, why they differ, what became of their breaks."""

    what = serializers.CharField()
    reason = serializers.CharField()
    outcome = serializers.CharField()


class AccountSerializer(SumsSerializer):
    """One currency: what was delivered, the lines that explain the difference, and what is left."""

    currency = serializers.CharField()
    lines = StatementLineSerializer(many=True)
    unexplained = serializers.CharField()
    unexplained_a = serializers.CharField()
    unexplained_b = serializers.CharField()
    unexplained_rows_a = serializers.IntegerField()
    unexplained_rows_b = serializers.IntegerField()


class StatementSerializer(serializers.Serializer):
    """Why the two sums of a field differ."""

    field = serializers.CharField()
    currency_field = serializers.CharField(allow_null=True)
    currencies = AccountSerializer(many=True)


class AttributionSerializer(serializers.ModelSerializer):
    """Why, how sure, and on what evidence."""

    reason = serializers.CharField(source="reason_id")

    class Meta:
        model = Attribution
        fields = ("reason", "functional", "confidence", "proof", "assigned_by")


class DifferenceSerializer(serializers.ModelSerializer):
    """One differing field."""

    attribution = serializers.SerializerMethodField()

    class Meta:
        model = Difference
        fields = ("field", "kind", "value_a", "value_b", "raw_a", "raw_b", "attribution")

    @extend_schema_field(AttributionSerializer(allow_null=True))
    def get_attribution(self, difference: Difference) -> object:
        """The current attribution."""
        now = getattr(difference, "now", None)
        return AttributionSerializer(now[0]).data if now else None


class MemberSerializer(serializers.ModelSerializer):
    """A delivered row of a break."""

    state = serializers.CharField(source="fate")

    class Meta:
        model = Member
        fields = ("id", "side", "delivery", "record_number", "state", "position", "record", "raw", "flags")


class BreakSerializer(serializers.ModelSerializer):
    """A break in a list."""

    reconciliation = serializers.SlugRelatedField("code", read_only=True)  # type: ignore[var-annotated]
    url = serializers.CharField(source="get_absolute_url")
    assignee = serializers.SlugRelatedField("username", read_only=True, allow_null=True)  # type: ignore[var-annotated]

    class Meta:
        model = Break
        fields = (
            "id", "reconciliation", "key", "kind", "state", "band", "confidence", "amount", "currency", "fingerprint",
            "assignee", "opened_at", "due_at", "closed_at", "closed_because", "url",
        )  # fmt: skip


class HoldToldSerializer(serializers.ModelSerializer):
    """A hold of a break; without an end it stands."""

    held_by = serializers.SlugRelatedField("username", read_only=True)  # type: ignore[var-annotated]
    ended_by = serializers.SlugRelatedField("username", read_only=True, allow_null=True)  # type: ignore[var-annotated]

    class Meta:
        model = Hold
        fields = ("id", "until", "party", "note", "held_by", "held_at", "ended_at", "ended_by", "ended_because")


class BreakDetailSerializer(BreakSerializer):
    """A break whole."""

    differences = DifferenceSerializer(many=True)
    members = MemberSerializer(many=True)
    refusals = serializers.SlugRelatedField("sentence", many=True, read_only=True)  # type: ignore[var-annotated]
    holds = HoldToldSerializer(many=True)

    class Meta(BreakSerializer.Meta):
        fields = (*BreakSerializer.Meta.fields, "differences", "members", "refusals", "holds")  # type: ignore[assignment]


class AssignSerializer(StrictSerializer):
    """To whom a break is given: a user's name, `me`, or null for nobody."""

    assignee = serializers.CharField(allow_null=True, allow_blank=True, max_length=150)


class HoldSerializer(StrictSerializer):
    """Until which day a break waits (UTC), or for whose answer, and why."""

    until = serializers.DateField(required=False, allow_null=True, default=None)
    party = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")
    note = serializers.CharField(max_length=4000)


class ReleaseSerializer(StrictSerializer):
    """Nothing has to be said."""


class DecideSerializer(StrictSerializer):
    """What a person or program decides."""

    action = serializers.ChoiceField(Decision.Action.choices)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=40, default="")
    values = serializers.DictField(
        child=serializers.CharField(allow_null=True, allow_blank=True), required=False, default=dict
    )
    member = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1, max_value=2**63 - 1)
    comment = serializers.CharField(required=False, allow_blank=True, max_length=4000, default="")
    fingerprint = serializers.CharField(required=False, allow_null=True, default=None, max_length=32)


class DecisionSerializer(serializers.ModelSerializer):
    """A decision, and where its break stands now. It is final once it is confirmed; a proposal that is `withdrawn` and has a
    `void_because` ended by itself, since `void_changes` (side, field, then, now) came between."""

    brk = serializers.IntegerField(source="brk_id")
    reconciliation = serializers.CharField(source="brk.reconciliation.code")
    state = serializers.CharField(source="brk.state")
    key = serializers.CharField(source="brk.key")
    proposed_by = serializers.SlugRelatedField("username", read_only=True)  # type: ignore[var-annotated]
    confirmed_by = serializers.SlugRelatedField("username", read_only=True, allow_null=True)  # type: ignore[var-annotated]
    withdrawn_by = serializers.SlugRelatedField("username", read_only=True, allow_null=True)  # type: ignore[var-annotated]
    undone_by = serializers.SlugRelatedField("username", read_only=True, allow_null=True)  # type: ignore[var-annotated]
    void_changes = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(allow_null=True)), allow_null=True
    )

    class Meta:
        model = Decision
        fields = (
            "id", "brk", "reconciliation", "key", "action", "reason", "comment", "state", "four_eyes", "proposed_by", "proposed_at",
            "confirmed_by", "confirmed_at", "withdrawn", "withdrawn_by", "withdrawn_at", "void_because", "void_changes",
            "undone_by", "undone_at", "undo_comment", "record",
        )  # fmt: skip


class WaiveSerializer(StrictSerializer):
    """Which failed check is to be let be, by its `condition` as the break's gate tells it, and why."""

    condition = serializers.CharField(max_length=120)
    comment = serializers.CharField(max_length=4000)


class WaiverSerializer(serializers.ModelSerializer):
    """A failed check that was let be."""

    waived_by = serializers.SlugRelatedField("username", read_only=True)  # type: ignore[var-annotated]

    class Meta:
        model = Waiver
        fields = ("id", "brk", "condition", "comment", "waived_by", "waived_at")
