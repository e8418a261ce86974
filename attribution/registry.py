"""The model registry: candidates enter, one champion speaks, and every step back is a step that was made."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from attribution.artifacts import check_artifact
from attribution.models import ModelVersion
from ingestion import custody
from ingestion.lake import AlteredFile
from reconciliation.models import Reconciliation

State = ModelVersion.State


class PromotionRefused(ValueError):
    """A model that cannot speak; the text says why, and what helps."""


def champion_of(reconciliation: Reconciliation) -> ModelVersion | None:
    """The model that the next run pins; None where only the provers speak."""
    return ModelVersion.objects.filter(reconciliation=reconciliation, state=State.CHAMPION).first()


def version_of(reconciliation: Reconciliation, number: int) -> ModelVersion:
    """A model by its number; PromotionRefused names those that there are."""
    found = ModelVersion.objects.filter(reconciliation=reconciliation, version=number).first()
    if found is None:
        there = reconciliation.model_versions.order_by("version").values_list("version", flat=True)
        known = ", ".join(map(str, there)) or "none yet; train one first"
        raise PromotionRefused(f"{reconciliation.code} has no model {number}. There is {known}.")
    return found


@transaction.atomic
def promote(*, model: ModelVersion, by: User) -> ModelVersion:
    """Let a model speak from the next run on, in the place of the champion. PromotionRefused where its artifact is not whole,
    or the person has not the right."""
    model = _locked(model, by)
    if model.state == State.CHAMPION:
        raise PromotionRefused(f"{model} is the champion already.")
    try:
        check_artifact(model)
    except AlteredFile as error:
        raise PromotionRefused(f"{model} cannot be promoted. {error}") from None
    before = champion_of(model.reconciliation)
    if before is not None:
        _set(before, State.RETIRED)
    model.replaced = before
    model.promoted_by, model.promoted_at = by.get_username(), timezone.now()
    return _set(model, State.CHAMPION)


@transaction.atomic
def roll_back(*, reconciliation: Reconciliation, by: User) -> ModelVersion | None:
    """Retire the champion and bring back the model that it replaced, or none: then the provers speak alone."""
    champion = champion_of(reconciliation)
    if champion is None:
        raise PromotionRefused(f"{reconciliation.code} has no champion, so there is nothing to roll back.")
    champion = _locked(champion, by)
    _set(champion, State.RETIRED)
    return _set(champion.replaced, State.CHAMPION) if champion.replaced else None


def _locked(model: ModelVersion, by: User) -> ModelVersion:
    """The model as it stands, while nobody else changes the registry of its reconciliation."""
    if not by.has_perm("attribution.change_modelversion"):
        raise PromotionRefused("Managers promote models and roll them back. Ask one of them.")
    Reconciliation.objects.select_for_update().get(pk=model.reconciliation_id)
    return ModelVersion.objects.select_related("reconciliation", "replaced").get(pk=model.pk)


def _set(model: ModelVersion, state: str) -> ModelVersion:
    model.state = state
    model.save(update_fields=["state", "replaced", "promoted_by", "promoted_at"])
    custody.seal([model])
    return model
