"""The model registry as it stands: who speaks, and which models there are."""

from attribution.models import ChampionChange, ModelVersion
from reconciliation.models import Reconciliation


class PromotionRefused(ValueError):
    """A model that cannot speak; the text says why, and what helps."""


def champion_of(reconciliation: Reconciliation) -> ModelVersion | None:
    """The model that speaks; None where only the provers do."""
    champions = ModelVersion.objects.filter(reconciliation=reconciliation, state=ModelVersion.State.CHAMPION)
    return champions.first()


def pinned_version(reconciliation: Reconciliation) -> str:
    """What a run that starts now writes down of its model. A champion that was deleted is pinned all the same: then the run cannot
    read it and passes nothing, where the provers alone might have passed what nobody wanted."""
    if (champion := champion_of(reconciliation)) is not None:
        return str(champion.version)
    last = ChampionChange.objects.filter(reconciliation=reconciliation).order_by("-id").first()
    return str(last.version) if last is not None and last.version is not None else ""


def version_of(reconciliation: Reconciliation, number: int) -> ModelVersion:
    """A model by its number; PromotionRefused names those that there are."""
    found = ModelVersion.objects.filter(reconciliation=reconciliation, version=number).first()
    if found is None:
        there = reconciliation.model_versions.order_by("version").values_list("version", flat=True)
        known = ", ".join(map(str, there)) or "none yet; train one first"
        raise PromotionRefused(f"{reconciliation.code} has no model {number}. There is {known}.")
    return found
