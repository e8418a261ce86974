"""The model registry by REST: models with their numbers, certificates and the rule's verdict; training, promotion, the way back."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from attribution.champions import promote, roll_back
from attribution.drift import drift_panel
from attribution.models import Certificate, ChampionChange, ModelVersion, Training
from attribution.promotion import verdict_of
from attribution.registry import PromotionRefused
from attribution.trainer import ask_training, ring_trainer
from attribution.training import BY_HAND, TrainingRefused
from ingestion.person import person_of
from reconciliation.models import Reconciliation
from review.api.door import Rows
from review.api.idempotency import KEY_HEADER, once
from review.api.permissions import check_right
from review.api.strict import StrictSerializer, one_of

VERBS = ("promote", "roll_back")
FILTERS = ("reconciliation", "state")


class CertificateSerializer(serializers.ModelSerializer):
    """The evidence for a threshold of a budgeted gate."""

    class Meta:
        model = Certificate
        fields = (
            "id", "bound", "threshold", "sample_size", "errors", "upper", "delta", "held_out", "first_day", "last_day", "money",
            "reasons", "made_at", "valid_until",
        )  # fmt: skip


class ConditionSerializer(serializers.Serializer):
    """A condition of the rule of promotion, whether it holds, and the numbers in a sentence."""

    code = serializers.CharField()
    holds = serializers.BooleanField()
    sentence = serializers.CharField()


class ChampionChangeSerializer(serializers.ModelSerializer):
    """Who spoke from when on; `version` and `before` are numbers of models, null for the provers alone."""

    class Meta:
        model = ChampionChange
        fields = ("verb", "version", "before", "by", "at", "allowed", "comment")


class DriftSerializer(serializers.Serializer):
    """How far a run moved from what the model was trained on: by mix the index, its limit, the sample, the share of what is new."""

    run = serializers.IntegerField()
    date = serializers.DateField()
    alarm = serializers.CharField()
    figures = serializers.JSONField()


class ModelSerializer(serializers.ModelSerializer):
    """An entry of the registry."""

    reconciliation = serializers.SlugRelatedField("code", read_only=True)  # type: ignore[var-annotated]
    parent = serializers.IntegerField(source="parent.version", default=None, allow_null=True)  # type: ignore[assignment]
    replaced = serializers.IntegerField(source="replaced.version", default=None, allow_null=True)

    class Meta:
        model = ModelVersion
        fields: tuple[str, ...] = (
            "id", "reconciliation", "version", "state", "labels", "first_day", "last_day", "trained_at", "trained_by",
            "trained_because", "promoted_at", "promoted_by", "parent", "replaced", "artifact_sha256",
        )  # fmt: skip


class ModelDetailSerializer(ModelSerializer):
    """With its numbers on later labels, certificates, what the rule says of it now, and who spoke when."""

    certificates = CertificateSerializer(many=True)
    allowed = serializers.SerializerMethodField()
    rule = serializers.SerializerMethodField()
    changes = serializers.SerializerMethodField()
    drift = serializers.SerializerMethodField()

    class Meta(ModelSerializer.Meta):
        fields = (
            *ModelSerializer.Meta.fields, "label_counts", "habits", "metrics", "certificates", "allowed", "rule", "changes", "drift",
        )  # fmt: skip

    @extend_schema_field(bool)
    def get_allowed(self, model: ModelVersion) -> bool:
        """Whether the rule allows it to be promoted."""
        return verdict_of(model).allows

    @extend_schema_field(ConditionSerializer(many=True))
    def get_rule(self, model: ModelVersion) -> list[dict[str, Any]]:
        """Each condition."""
        return [vars(it) for it in verdict_of(model).conditions]

    @extend_schema_field(DriftSerializer(many=True))
    def get_drift(self, model: ModelVersion) -> list[dict[str, Any]]:
        """Of the newest runs in which it spoke; advice only."""
        return drift_panel(model)

    @extend_schema_field(ChampionChangeSerializer(many=True))
    def get_changes(self, model: ModelVersion) -> list[dict[str, Any]]:
        """Of its reconciliation, the newest first."""
        changes = model.reconciliation.champion_changes.all()[:50]
        return ChampionChangeSerializer(changes, many=True).data  # type: ignore[return-value]


class AnswerModelSerializer(StrictSerializer):
    """Promote a model or roll the champion back; the comment is kept, and needed where the rule does not allow it."""

    action = serializers.ChoiceField(VERBS)
    comment = serializers.CharField(default="", allow_blank=True, max_length=1000)


class TrainingSerializer(serializers.ModelSerializer):
    """A training: why it was asked for, and what came of it. `model` is the id of what it made."""

    reconciliation = serializers.SlugRelatedField("code", read_only=True)  # type: ignore[var-annotated]

    class Meta:
        model = Training
        fields = (
            "id", "reconciliation", "because", "asked_by", "asked_at", "state", "started_at", "finished_at", "error", "model",
        )  # fmt: skip


class AskTrainingSerializer(StrictSerializer):
    """What to train."""

    reconciliation = serializers.CharField(max_length=41)


class ModelViewSet(ListModelMixin, RetrieveModelMixin, Rows):
    """Models: list, one, promote, roll back."""

    serializer_class = ModelSerializer
    queryset = ModelVersion.objects.none()
    parameters = FILTERS
    scope = "decide"

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """A list without the numbers."""
        return ModelDetailSerializer if self.action == "retrieve" else ModelSerializer

    def get_queryset(self) -> QuerySet[ModelVersion]:
        """Models of reconciliations that the user may see."""
        mine = Reconciliation.objects.visible_to(self.request.user)
        found = ModelVersion.objects.filter(reconciliation__in=mine)
        return _narrowed(self, found, ModelVersion.State.values).select_related("reconciliation", "parent", "replaced")

    @extend_schema(parameters=[*map(OpenApiParameter, FILTERS)])
    def list(self, request: Request) -> Response:
        """Models, newest first."""
        return super().list(request)

    @extend_schema(parameters=[KEY_HEADER], request=AnswerModelSerializer, responses={201: ModelDetailSerializer})
    @action(detail=True, methods=["post"])
    def answers(self, request: Request, pk: str | None = None) -> Response:
        """Promote it: it speaks from the next run on. Or, of the champion, roll back: what it replaced does."""
        check_right(request, "attribution.change_modelversion", "Promoting a model")
        model = self.get_object()
        asked = AnswerModelSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return once(request, lambda: _answered(request, model, asked.validated_data), {PromotionRefused: 409})


def _answered(request: Request, model: ModelVersion, asked: dict[str, Any]) -> Response:
    if asked["action"] == "promote":
        promote(model=model, by=person_of(request), comment=asked["comment"])
    else:
        roll_back(reconciliation=model.reconciliation, by=person_of(request), model=model)
    found = ModelVersion.objects.select_related("reconciliation", "parent", "replaced").get(pk=model.pk)
    return Response({**ModelDetailSerializer(found).data}, status=201)


class TrainingViewSet(ListModelMixin, RetrieveModelMixin, Rows):
    """Trainings: list, one, ask for one."""

    serializer_class = TrainingSerializer
    queryset = Training.objects.none()
    parameters = FILTERS
    scope = "run"

    def get_queryset(self) -> QuerySet[Training]:
        """Trainings of reconciliations that the user may see."""
        found = Training.objects.filter(reconciliation__in=Reconciliation.objects.visible_to(self.request.user))
        return _narrowed(self, found, Training.State.values).select_related("reconciliation")

    @extend_schema(parameters=[*map(OpenApiParameter, FILTERS)])
    def list(self, request: Request) -> Response:
        """Trainings, newest first."""
        return super().list(request)

    @extend_schema(parameters=[KEY_HEADER], request=AskTrainingSerializer, responses={201: TrainingSerializer})
    def create(self, request: Request) -> Response:
        """Ask for a training; follow it at its own address until it is `done` or `failed`."""
        check_right(request, "attribution.add_training", "Training a model")
        asked = AskTrainingSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        visible = Reconciliation.objects.visible_to(request.user)
        reconciliation = get_object_or_404(visible, code=asked.validated_data["reconciliation"])
        return once(request, lambda: _asked(reconciliation, request.user.get_username()), {TrainingRefused: 409})


def _asked(reconciliation: Reconciliation, by: str) -> Response:
    training = ask_training(reconciliation=reconciliation, because=BY_HAND, by=by)
    ring_trainer(training)
    return Response({**TrainingSerializer(training).data}, status=201)


def _narrowed(view: GenericViewSet[Any], rows: QuerySet[Any], states: list[str]) -> QuerySet[Any]:
    """The rows that a list's query asks for."""
    if view.action != "list":
        return rows
    code, state = view.request.GET.get("reconciliation", ""), one_of(view.request, "state", states)
    rows = rows.filter(reconciliation__code=code) if code else rows
    return rows.filter(state=state) if state else rows
