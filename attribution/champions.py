"""Who speaks: a candidate takes the champion's place by the rule or by a person, and every step back is a step that was made."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from attribution.artifacts import check_artifact
from attribution.models import ChampionChange, ModelVersion
from attribution.promotion import Verdict, verdict_of
from attribution.registry import PromotionRefused, champion_of
from ingestion import custody
from ingestion.audit_log import record_event
from ingestion.lake import AlteredFile
from reconciliation.models import Reconciliation

State = ModelVersion.State
RULE = "rule"


@transaction.atomic
def promote(*, model: ModelVersion, by: User, comment: str = "") -> ModelVersion:
    """Let a model speak from the next run on, in the place of the champion. PromotionRefused where its artifact is not whole, the
    person has not the right, or the rule does not allow it and no comment says why it is done all the same."""
    model = _locked(model, by)
    verdict = _checked(model)
    if not verdict.allows and not comment.strip():
        raise PromotionRefused(
            f"The rule does not allow {model} to be promoted. {verdict.failing} To promote it all the same, say why in a comment."
        )
    return _promoted(model, by.get_username(), verdict, comment.strip())


@transaction.atomic
def promote_by_rule(model: ModelVersion) -> bool:
    """Let a model speak by itself, where its reconciliation wants that and the rule allows it. Gives whether it does."""
    Reconciliation.objects.select_for_update().get(pk=model.reconciliation_id)
    if not model.reconciliation.promotes_by_rule or not (verdict := verdict_of(model)).allows:
        return False
    _promoted(model, RULE, verdict, "")
    return True


@transaction.atomic
def roll_back(*, reconciliation: Reconciliation, by: User, model: ModelVersion | None = None) -> ModelVersion | None:
    """Retire the champion and bring back the model that it replaced, or none: then the provers speak alone. With a `model`
    only where that is the champion; PromotionRefused says why not."""
    _lock(reconciliation, by)  # who waited for another click takes no second step back
    champion = champion_of(reconciliation)
    if model is not None and model != champion:
        raise PromotionRefused(f"{model} is not the champion, so it cannot be rolled back.")
    if champion is None:
        raise PromotionRefused(f"{reconciliation.code} has no champion, so there is nothing to roll back.")
    _set(champion, State.RETIRED)
    back = champion.replaced
    _note(champion, ChampionChange.Verb.ROLL_BACK, back.version if back else None, champion.version, by.get_username())
    return _set(back, State.CHAMPION) if back else None


def _locked(model: ModelVersion, by: User) -> ModelVersion:
    """The model as it stands, while nobody else changes the registry of its reconciliation."""
    _lock(model.reconciliation, by)
    return ModelVersion.objects.select_related("reconciliation", "replaced").get(pk=model.pk)


def _lock(reconciliation: Reconciliation, by: User) -> None:
    """Let nobody else change the registry of a reconciliation until the end of the transaction."""
    if not by.has_perm("attribution.change_modelversion"):
        raise PromotionRefused("Managers promote models and roll them back. Ask one of them.")
    Reconciliation.objects.select_for_update().get(pk=reconciliation.pk)


def _checked(model: ModelVersion) -> Verdict:
    if model.state == State.CHAMPION:
        raise PromotionRefused(f"{model} is the champion already.")
    try:
        check_artifact(model)
    except AlteredFile as error:
        raise PromotionRefused(f"{model} cannot be promoted. {error}") from None
    return verdict_of(model)


def _promoted(model: ModelVersion, by: str, verdict: Verdict, comment: str) -> ModelVersion:
    before = champion_of(model.reconciliation)
    if before is not None:
        _set(before, State.RETIRED)
    _note(model, ChampionChange.Verb.PROMOTE, model.version, before.version if before else None, by, verdict, comment)
    model.replaced = before
    model.promoted_by, model.promoted_at = by, timezone.now()
    return _set(model, State.CHAMPION)


def _note(
    model: ModelVersion,
    verb: str,
    version: int | None,
    before: int | None,
    by: str,
    verdict: Verdict | None = None,
    comment: str = "",
) -> None:
    change = ChampionChange.objects.create(
        reconciliation=model.reconciliation,
        verb=verb,
        version=version,
        before=before,
        by=by,
        at=timezone.now(),
        allowed=verdict is None or verdict.allows,
        verdict=verdict.document() if verdict else [],
        comment=comment,
    )
    custody.seal([change])
    record_event(
        "model.promoted" if verb == ChampionChange.Verb.PROMOTE else "model.rolled_back", of=model, by=by,
        reconciliation=model.reconciliation_id, before={"speaks": before},
        after={"speaks": version, "allowed": change.allowed, "verdict": change.verdict, "comment": comment},
    )  # fmt: skip


def _set(model: ModelVersion, state: str) -> ModelVersion:
    model.state = state
    model.save(update_fields=["state", "replaced", "promoted_by", "promoted_at"])
    custody.seal([model])
    return model
