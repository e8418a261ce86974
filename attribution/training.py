"""Training: from the labels of a reconciliation to a candidate in the model registry."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import Count, Max, QuerySet
from django.utils import timezone

from attribution.artifacts import keep_artifact, read_model
from attribution.certificates import issue_certificates, valid_certificate
from attribution.models import Correction, ModelVersion
from attribution.registry import champion_of
from ingestion import custody
from ingestion.audit_log import record_event
from ingestion.lake import AlteredFile
from reconciliation.models import Break, Difference, Reconciliation
from reconciliation.rule_sets import freeze_rules
from reconciliation.rules import Rules
from reconciliation.session import session

if TYPE_CHECKING:
    from attribution.candidate import Trained
    from attribution.challenge import Champion

LOCK = 0x7472  # the advisory lock's class; its object is the reconciliation
LEAST_LABELS = 30
BY_HAND = "by hand"


class TrainingRefused(Exception):
    """A training that cannot be; the text says why, and what helps."""


def train_model(
    *,
    reconciliation: Reconciliation,
    by: str,
    because: str = BY_HAND,
    then: Callable[[ModelVersion], None] | None = None,
) -> ModelVersion:
    """Train on every active label and register a candidate; `then` is called in the transaction that registers it.
    TrainingRefused where there is too little to learn from, or another training of the reconciliation is under way."""
    with _alone(reconciliation):
        check_labels(reconciliation)
        seen = last_correction(reconciliation)
        rules = Rules(freeze_rules(reconciliation).document)
        made = _trained(reconciliation, rules)
        with transaction.atomic():
            model = _register(reconciliation, made, trained_by=by, trained_because=because, corrections_to=seen)
            if then:
                then(model)
        return model


def check_labels(reconciliation: Reconciliation) -> None:
    """TrainingRefused where there is too little to learn from."""
    counts = _labels_of(reconciliation).order_by().values_list("reason_id").annotate(Count("pk"))
    _enough(reconciliation.code, Counter(dict(counts)))


def _labels_of(reconciliation: Reconciliation) -> QuerySet[Correction]:
    return trainable(Correction.objects.filter(difference__brk__reconciliation=reconciliation))


def last_correction(reconciliation: Reconciliation) -> int:
    """The id of the newest label; 0 without one. Ids tell before and after whatever a clock says."""
    return _labels_of(reconciliation).aggregate(newest=Max("pk"))["newest"] or 0


@contextmanager
def _alone(reconciliation: Reconciliation) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, reconciliation.pk])
        if not cursor.fetchone()[0]:
            raise TrainingRefused(f"{reconciliation.code} is being trained already. Wait until that has ended.")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, reconciliation.pk])


def trainable(corrections: QuerySet[Correction]) -> QuerySet[Correction]:
    """The labels that a model may learn from: the active ones of fields."""
    mine = corrections.filter(active=True, difference__brk__kind=Break.Kind.DIFFERING)
    return mine.exclude(difference__field=Difference.ROW)


def _enough(code: str, labels: Counter[str]) -> None:
    count = labels.total()
    if not count:
        raise TrainingRefused(
            f"{code} has no labels to learn from. Decide breaks, or import labels: manage.py import_corrections FILE."
        )
    if count < LEAST_LABELS:
        raise TrainingRefused(
            f"{code} has {count} label{'' if count == 1 else 's'}; a model learns from {LEAST_LABELS} at least. "
            f"{LEAST_LABELS - count} more are needed."
        )
    if len(labels) < 2:
        raise TrainingRefused(
            f"All {count} labels of {code} say {next(iter(labels))}. A model learns from two reasons at least."
        )


def _trained(reconciliation: Reconciliation, rules: Rules) -> "Trained":
    from attribution.candidate import learn  # only a training waits for these libraries
    from attribution.training_table import training_table

    with session(f"train-{reconciliation.pk}") as (duck, _):
        table = training_table(duck, reconciliation, rules)
    _enough(reconciliation.code, Counter(table.rows["reason"]))  # without those of fields that are gone
    return learn(table, rules, _champion(reconciliation, rules))


def _champion(reconciliation: Reconciliation, rules: Rules) -> "Champion | None":
    """Who speaks now, as one that can be asked; None where there is none, or it cannot be read."""
    from attribution.challenge import Champion

    champion = champion_of(reconciliation)
    if champion is None:
        return None
    try:
        model = read_model(champion)
    except AlteredFile:
        return None
    known = _labels_of(reconciliation)
    if champion.corrections_to is not None:
        known = known.filter(pk__lte=champion.corrections_to)
    certificate = valid_certificate(champion, Decimal(rules.gate.budget)) if rules.gate.budget else None
    return Champion(
        champion.version,
        model,
        frozenset(known.values_list("difference_id", flat=True)),
        float(certificate.threshold) if certificate else None,
    )


def _register(reconciliation: Reconciliation, made: "Trained", **why: object) -> ModelVersion:
    sha256 = keep_artifact(made.artifact)
    Reconciliation.objects.select_for_update().get(pk=reconciliation.pk)
    newest = reconciliation.model_versions.aggregate(newest=Max("version"))["newest"] or 0
    model = ModelVersion.objects.create(
        reconciliation=reconciliation,
        version=newest + 1,
        artifact_sha256=sha256,
        trained_at=timezone.now(),
        labels=sum(made.labels.values()),
        label_counts=made.labels,
        first_day=made.days[0],
        last_day=made.days[1],
        habits=list(made.habits),
        metrics=made.metrics,
        reference=made.reference,
        parent=champion_of(reconciliation),
        **why,
    )
    custody.seal([model])
    issue_certificates(model, made.proven)
    record_event(
        "model.trained", of=model, by=model.trained_by, reconciliation=reconciliation.pk,
        after={"because": model.trained_because, "labels": model.labels, "artifact": sha256},
    )  # fmt: skip
    return model
