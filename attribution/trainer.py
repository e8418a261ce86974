"""The trainer: asked by hand, on schedule, after enough new corrections or after a drift alarm; one training at a time."""

import datetime as dt
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from attribution.champions import promote_by_rule
from attribution.models import Correction, ModelVersion, Training
from attribution.training import BY_HAND, TrainingRefused, check_labels, last_correction, train_model, trainable
from ingestion import custody
from ingestion.audit_log import record_event
from ingestion.clock import database_now
from ingestion.ringing import ring_for
from ingestion.work import claim, fail, finish, give_back, heartbeat
from reconciliation.models import Reconciliation

ON_SCHEDULE = "on schedule"


def ask_training(*, reconciliation: Reconciliation, because: str, by: str) -> Training:
    """Ask for a training; the queue takes it. TrainingRefused where one is under way, or there is too little to learn from."""
    if (held := under_way(reconciliation)) is not None:
        raise TrainingRefused(_busy(held))
    check_labels(reconciliation)
    try:
        with transaction.atomic():
            asked = Training.objects.create(
                reconciliation=reconciliation,
                queue="training",
                because=because[:200],
                asked_by=by,
                asked_at=database_now(),
                corrections_to=last_correction(reconciliation),
            )
            custody.seal([asked])
            record_event(
                "training.asked", of=asked, by=by, reconciliation=reconciliation.pk, after={"because": asked.because}
            )
    except IntegrityError:  # training_one_of_a_reconciliation: somebody asked at the same moment
        raise TrainingRefused(f"{reconciliation.code} is being trained already. Wait until that has ended.") from None
    return asked


def under_way(reconciliation: Reconciliation) -> Training | None:
    """The training that was asked for and has not ended."""
    return Training.objects.filter(reconciliation=reconciliation, state__in=Training.UNDER_WAY).first()


def _busy(held: Training) -> str:
    return (
        f"{held.reconciliation.code} is being trained already ({held.because}, asked for by {held.asked_by} at "
        f"{held.asked_at:%H:%M} UTC). Wait until that has ended."
    )


def train_asked(training: Training) -> ModelVersion | None:
    """Claim a training and carry it out. None where another one has it, it has ended, or it was refused: then its row says why."""
    claimed = claim(training)
    if claimed is None:
        return None
    try:
        with heartbeat(claimed):
            return train_model(
                reconciliation=claimed.reconciliation,
                by=claimed.asked_by,
                because=claimed.because,
                then=partial(_done, claimed),
            )
    except TrainingRefused as refused:
        fail(claimed, str(refused))
        return None
    except BaseException as error:
        give_back(claimed, error)
        raise


def _done(training: Training, model: ModelVersion) -> None:
    finish(training, model=model)
    promote_by_rule(model)


def train_now(*, reconciliation: Reconciliation, by: str, because: str = BY_HAND) -> ModelVersion:
    """Train in this process. What waits for a trainer, or lost its own, is taken over. TrainingRefused as when asking."""
    training = under_way(reconciliation) or ask_training(reconciliation=reconciliation, because=because, by=by)
    model = train_asked(training)
    if model is None:
        training.refresh_from_db()
        raise TrainingRefused(training.error or _busy(training))
    return model


def ask_after_corrections() -> list[Training]:
    """Ask for a training wherever enough corrections are new. What is refused is asked again when there is more to learn from."""
    asked = []
    for reconciliation in _with_news().filter(news__gte=F("trains_after"), trains_after__gt=0, busy=0):
        because = f"{reconciliation.news:,} new corrections since the last training"
        try:
            asked.append(ask_training(reconciliation=reconciliation, because=because, by="tieout"))
        except TrainingRefused:
            continue
    return asked


def new_corrections(reconciliation: Reconciliation) -> int:
    """How many corrections are new since the last training."""
    return int(_with_news().get(pk=reconciliation.pk).news)


def _with_news() -> QuerySet[Any]:
    """Reconciliations with `news`, the corrections after the last training, and `busy`, the trainings under way."""
    busy = Training.objects.filter(reconciliation=OuterRef("pk"), state__in=Training.UNDER_WAY)
    path = "difference__brk__reconciliation"
    news = trainable(Correction.objects.filter(**{path: OuterRef("pk")}))
    for known in (Training, ModelVersion):
        seen = known._default_manager.filter(reconciliation=OuterRef(OuterRef("pk")), corrections_to__isnull=False)
        last = seen.order_by("-corrections_to").values("corrections_to")[:1]
        news = news.filter(pk__gt=Coalesce(Subquery(last), 0))
    return Reconciliation.objects.annotate(news=_count(news, path), busy=_count(busy, "reconciliation"))


def _count(rows: QuerySet[Any], of: str) -> Coalesce:
    counted = rows.order_by().values(of).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def silent_trainings(now: dt.datetime) -> list[int]:
    """Those that no trainer has: not yet, or no longer."""
    lost = Q(state=Training.State.READY) | Q(state=Training.State.RUNNING, lease_until__lt=now)
    return list(Training.objects.filter(lost).order_by("pk").values_list("pk", flat=True))


def ring_trainer(training: Training) -> None:
    """Send a training to its queue."""
    ring_for("train", training.pk, queue=training.queue)
