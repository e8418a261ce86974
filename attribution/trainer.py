"""The trainer: asked by hand, on schedule, after enough new corrections or after a drift alarm; one training at a time."""

from collections.abc import Collection
from functools import partial, reduce
from operator import or_

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Q

from attribution.champions import promote_by_rule
from attribution.models import Correction, ModelVersion, Training
from attribution.training import BY_HAND, TrainingRefused, check_labels, last_correction, train_model, trainable
from ingestion import custody
from ingestion.audit_log import record_event
from ingestion.clock import database_now
from ingestion.loose_cache import find_loosely, keep_loosely
from ingestion.ringing import ring_for
from ingestion.work import claim, fail, finish, give_back, heartbeat
from reconciliation.models import Reconciliation

ON_SCHEDULE = "on schedule"
REFUSED = "training-refused:{}"  # with how many new corrections a reconciliation's training was refused last
REFUSED_SECONDS = 3600


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
    """Ask for a training wherever enough corrections are new. What is refused is asked again when their number changes, or after
    an hour."""
    asked = []
    idle = Reconciliation.objects.filter(trains_after__gt=0).exclude(trainings__state__in=Training.UNDER_WAY)
    waiting = {it.pk: it for it in idle}
    for pk, news in _news(waiting).items():
        if news < waiting[pk].trains_after or find_loosely(REFUSED.format(pk)) == news:
            continue
        because = f"{news:,} new corrections since the last training"
        try:
            asked.append(ask_training(reconciliation=waiting[pk], because=because, by="tieout"))
        except TrainingRefused:
            keep_loosely(REFUSED.format(pk), news, REFUSED_SECONDS)
    return asked


def new_corrections(reconciliation: Reconciliation) -> int:
    """How many corrections are new since the last training."""
    return _news([reconciliation.pk]).get(reconciliation.pk, 0)


def _news(reconciliations: Collection[int]) -> dict[int, int]:
    """How many corrections came after the last training of each, by its id; none where there are none."""
    last = dict.fromkeys(reconciliations, 0)
    for known in (Training, ModelVersion):
        seen = known._default_manager.filter(reconciliation__in=reconciliations, corrections_to__isnull=False)
        for pk, to in seen.order_by().values_list("reconciliation").annotate(to=Max("corrections_to")):
            last[pk] = max(last[pk], to)
    if not last:
        return {}
    path = "difference__brk__reconciliation"
    later = reduce(or_, (Q(**{path: pk}, pk__gt=to) for pk, to in last.items()))
    found = trainable(Correction.objects.filter(later, pk__gt=min(last.values())))
    return dict(found.order_by().values_list(path).annotate(n=Count("pk")))


def ring_trainer(training: Training) -> None:
    """Send a training to its queue."""
    ring_for("train", training.pk, queue=training.queue)
