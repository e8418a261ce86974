"""The model registry: models with their certificates, trainings, and who spoke when."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from attribution.champions import promote, roll_back
from attribution.models import Certificate, ChampionChange, ModelVersion, Training
from attribution.promotion import verdict_of
from attribution.registry import PromotionRefused
from attribution.trainer import ask_training, ring_trainer
from attribution.training import BY_HAND, TrainingRefused
from ingestion.admin.read_only import ReadOnlyAdmin, ReadOnlyRows, document
from ingestion.person import person_of
from reconciliation.admin.filters import ReconciliationFilter, through
from reconciliation.models import Reconciliation


class CommentForm(ActionForm):
    """An action with a comment, which a promotion against the rule needs."""

    comment = forms.CharField(required=False, max_length=1000, label="Comment")


class CertificateRows(ReadOnlyRows, admin.TabularInline):
    """What its held-out labels certify."""

    model = Certificate
    show_change_link = True
    fields = readonly_fields = ("bound", "threshold", "sample_size", "errors", "upper", "made_at", "valid_until")


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Trained models. Training alone makes them; the actions promote, roll back and train as the page *Models* does."""

    page = "model"
    related = ("reconciliation", "parent__reconciliation", "replaced__reconciliation")
    list_display = ("reconciliation", "version", "state", "labels", "trained_at", "trained_because")
    list_filter = (ReconciliationFilter, "state")
    fields = readonly_fields = (
        "reconciliation", "version", "state", "rule", "labels", "label_counts", "first_day", "last_day", "habits", "trained_at",
        "trained_by", "trained_because", "promoted_at", "promoted_by", "parent", "replaced", "artifact_sha256", "numbers",
    )  # fmt: skip
    inlines = (CertificateRows,)
    actions = ("promote_model", "roll_back_model", "train_again")  # type: ignore[assignment]
    action_form = CommentForm
    numbers = document("metrics", "numbers on later labels")

    def visible(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        """Those of the user's reconciliations."""
        return ModelVersion.objects.filter(reconciliation__in=Reconciliation.objects.visible_to(request.user))

    @admin.display(description="rule of promotion")
    def rule(self, model: ModelVersion) -> SafeString:
        """Each condition, whether it holds, with its numbers."""
        told = ((("holds" if it.holds else "fails"), it.sentence) for it in verdict_of(model).conditions)
        return format_html_join("", "<p>{}: {}</p>", told)

    def has_promote_permission(self, request: HttpRequest) -> bool:
        """Who may change who speaks."""
        return request.user.has_perm("attribution.change_modelversion")

    def has_train_permission(self, request: HttpRequest) -> bool:
        """Who may ask for a training."""
        return request.user.has_perm("attribution.add_training")

    @admin.action(description="Promote", permissions=["promote"])
    def promote_model(self, request: HttpRequest, chosen: QuerySet[ModelVersion]) -> None:
        """One model at a time; against the rule with the comment."""
        if (model := self._one(request, chosen)) is None:
            return
        try:
            promote(model=model, by=person_of(request), comment=request.POST.get("comment", "")[:1000])
        except PromotionRefused as refused:
            return messages.error(request, str(refused))
        return messages.success(request, f"{model} speaks from the next run on.")

    @admin.action(description="Roll back", permissions=["promote"])
    def roll_back_model(self, request: HttpRequest, chosen: QuerySet[ModelVersion]) -> None:
        """Of the champion: what it replaced speaks again."""
        if (model := self._one(request, chosen)) is None:
            return
        try:
            back = roll_back(reconciliation=model.reconciliation, by=person_of(request), model=model)
        except PromotionRefused as refused:
            return messages.error(request, str(refused))
        return messages.success(request, f"{back or 'The provers alone'}: from the next run on.")

    @admin.action(description="Train again", permissions=["train"])
    def train_again(self, request: HttpRequest, chosen: QuerySet[ModelVersion]) -> None:
        """The reconciliations of the chosen models."""
        for pk in sorted({it.reconciliation_id for it in chosen}):
            reconciliation = Reconciliation.objects.get(pk=pk)
            try:
                ring_trainer(
                    ask_training(reconciliation=reconciliation, because=BY_HAND, by=request.user.get_username())
                )
            except TrainingRefused as refused:
                messages.error(request, str(refused))
            else:
                messages.success(request, f"{reconciliation} is being trained.")

    def _one(self, request: HttpRequest, chosen: QuerySet[Any]) -> ModelVersion | None:
        if len(found := list(chosen[:2])) == 1:
            return found[0]
        messages.error(request, "Choose one model.")
        return None


@admin.register(Certificate)
class CertificateAdmin(ReadOnlyAdmin):
    """The evidence for thresholds of budgeted gates."""

    related = ("model_version__reconciliation",)
    list_display = ("model_version", "bound", "threshold", "sample_size", "errors", "upper", "made_at", "valid_until")
    list_filter = (through(ReconciliationFilter, "model_version__reconciliation"), "bound")
    fields = readonly_fields = (
        "model_version", "bound", "threshold", "sample_size", "errors", "upper", "delta", "held_out", "first_day", "last_day",
        "sample_sha256", "reasons", "money", "made_at", "valid_until",
    )  # fmt: skip

    def visible(self, request: HttpRequest) -> QuerySet[Certificate]:
        """Those of the user's reconciliations."""
        mine = Reconciliation.objects.visible_to(request.user)
        return Certificate.objects.filter(model_version__reconciliation__in=mine)


@admin.register(Training)
class TrainingAdmin(ReadOnlyAdmin):
    """Trainings that were asked for, why, and what came of them."""

    related = ("reconciliation", "model__reconciliation")
    list_display = ("id", "reconciliation", "because", "asked_by", "asked_at", "state", "model")
    list_filter = (ReconciliationFilter, "state")
    fields = readonly_fields = (
        "reconciliation", "because", "asked_by", "asked_at", "state", "model", "error", "attempts", "worker", "started_at",
        "finished_at",
    )  # fmt: skip

    def visible(self, request: HttpRequest) -> QuerySet[Training]:
        """Those of the user's reconciliations."""
        return Training.objects.filter(reconciliation__in=Reconciliation.objects.visible_to(request.user))


@admin.register(ChampionChange)
class ChampionChangeAdmin(ReadOnlyAdmin):
    """Who spoke from when on, who decided it, and what the rule said."""

    related = ("reconciliation",)
    list_display = ("reconciliation", "at", "verb", "version", "before", "by", "allowed", "comment")
    list_filter = (ReconciliationFilter, "verb", "allowed")
    fields = readonly_fields = (
        "reconciliation", "at", "verb", "version", "before", "by", "allowed", "said", "comment",
    )  # fmt: skip
    said = document("verdict")

    def visible(self, request: HttpRequest) -> QuerySet[ChampionChange]:
        """Those of the user's reconciliations."""
        return ChampionChange.objects.filter(reconciliation__in=Reconciliation.objects.visible_to(request.user))
