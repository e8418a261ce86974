"""Shapes of what explains a break: what weighed in a model's word, and what became of similar ones."""

from rest_framework import serializers


class WeightSerializer(serializers.Serializer):
    """What a feature adds to the reason's margin, and to it less the runner-up's."""

    feature = serializers.CharField()
    value = serializers.CharField()
    toward = serializers.FloatField()
    rather = serializers.FloatField()


class WeighedSerializer(serializers.Serializer):
    """The heaviest features, the sum of the others, what holds for every difference, and what the provers and habits say (`start`);
    together they are `margin` for the reason, and `ahead` of the runner-up."""

    reason = serializers.CharField()
    runner_up = serializers.CharField()
    weights = WeightSerializer(many=True)
    others = WeightSerializer()
    alike = WeightSerializer()
    start = WeightSerializer()
    margin = serializers.FloatField()
    ahead = serializers.FloatField()
    confidence = serializers.FloatField()


class WhySerializer(serializers.Serializer):
    """What weighed for one differing field; null with a sentence in `refused` where it cannot be told. `changed`: what is weighed
    is no longer what the run saw."""

    field = serializers.CharField()
    version = serializers.IntegerField()
    run = serializers.IntegerField()
    weighed = WeighedSerializer(allow_null=True)
    refused = serializers.CharField()
    changed = serializers.BooleanField()


class OutcomeSerializer(serializers.Serializer):
    """What was decided, and of how many."""

    outcome = serializers.CharField()
    breaks = serializers.IntegerField()


class PastSerializer(serializers.Serializer):
    """A past difference, how alike in percent, and what a person decided of it; the action `label` is an imported reason."""

    break_id = serializers.IntegerField()
    key = serializers.CharField()
    value_a = serializers.CharField(allow_null=True)
    value_b = serializers.CharField(allow_null=True)
    alike = serializers.IntegerField()
    action = serializers.CharField()
    reason = serializers.CharField()
    who = serializers.CharField()
    at = serializers.DateTimeField()
    comment = serializers.CharField()


class SimilarSerializer(serializers.Serializer):
    """Of one differing field the past ones that are most alike; `alike` of the `seen` latest are counted in `outcomes`."""

    field = serializers.CharField()
    seen = serializers.IntegerField()
    alike = serializers.IntegerField()
    summary = serializers.CharField()
    outcomes = OutcomeSerializer(many=True)
    past = PastSerializer(many=True)
