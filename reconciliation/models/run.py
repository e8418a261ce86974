"""Run and its steps, inputs and outcomes."""

from collections.abc import Sequence
from typing import Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from ingestion.models import ClaimedWork, Normalization
from reconciliation.models.reconciliation import Reconciliation, RuleSet


class Side(models.TextChoices):
    """Which source a row comes from."""

    A = "a", "A"
    B = "b", "B"


class RunQuerySet(models.QuerySet["Run"]):
    """Runs as a user may see them."""

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Runs of the reconciliations that the user may see."""
        return self.filter(reconciliation__in=Reconciliation.objects.visible_to(user))


class Run(models.Model):
    """One execution for a business date: normalizations of A and B, RuleSet, model version."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    ACTIVE_STATES = (State.WAITING, State.RUNNING)

    reconciliation = models.ForeignKey(Reconciliation, on_delete=models.PROTECT, related_name="runs")
    rule_set = models.ForeignKey(RuleSet, on_delete=models.PROTECT, related_name="runs")
    model_version = models.CharField(
        max_length=64, blank=True, help_text="Code of the pinned model; empty: provers only."
    )
    certificate = models.BigIntegerField(
        null=True, blank=True, help_text="Id of the pinned certificate of a budgeted gate; null: none."
    )
    business_date = models.DateField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    started_by = models.CharField(max_length=150, blank=True)
    report = models.JSONField(
        null=True, blank=True, help_text="The report of the run as it ended; never changed after."
    )
    error = models.TextField(blank=True)
    cancelled_by = models.CharField(  # noqa: DJ001 - null is under no seal
        max_length=150, null=True, blank=True, help_text="Who ended it before it was done."
    )

    objects = RunQuerySet.as_manager()

    kept_inputs: "Sequence[RunInput] | None" = None  # what `keep_inputs` read

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["reconciliation", "business_date"], name="run_by_date")]
        constraints = [
            UniqueConstraint(
                fields=["reconciliation"], condition=Q(state="running"), name="run_one_active_per_reconciliation"
            ),
            CheckConstraint(condition=~Q(state="done") | Q(report__isnull=False), name="run_done_has_report"),
            CheckConstraint(condition=Q(cancelled_by=None) | Q(state="failed"), name="run_cancelled_is_no_result"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def shown_state(self) -> str:
        """The state as people read it: a run that somebody cancelled failed by no fault."""
        return "Cancelled" if self.cancelled_by is not None else self.get_state_display()

    @property
    def seconds(self) -> float | None:
        """Wall seconds from its start to its end; None before."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


class RunInput(models.Model):
    """A normalization that a run takes, as side A or B."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="inputs")
    side = models.CharField(max_length=1, choices=Side.choices)
    normalization = models.ForeignKey(Normalization, on_delete=models.PROTECT, related_name="run_inputs")

    class Meta:
        ordering = ["run", "side", "normalization"]
        constraints = [UniqueConstraint(fields=["run", "side", "normalization"], name="run_input_once")]

    def __str__(self) -> str:
        return f"{self.run} {self.side}: {self.normalization}"


class RunStep(ClaimedWork):
    """One step over one range of buckets: first `diff`, then `attribute`."""

    class Step(models.TextChoices):
        DIFF = "diff"
        ATTRIBUTE = "attribute"

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="steps")
    step = models.CharField(max_length=10, choices=Step.choices)
    first_bucket = models.PositiveSmallIntegerField()
    last_bucket = models.PositiveSmallIntegerField()
    records = models.PositiveBigIntegerField(null=True)
    counts = models.JSONField(default=dict, help_text="What the report needs of this range.")

    class Meta:
        ordering = ["run", "step", "first_bucket"]
        constraints = [
            UniqueConstraint(fields=["run", "step", "first_bucket"], name="run_step_once_per_range"),
            CheckConstraint(
                condition=Q(last_bucket__gte=F("first_bucket"), last_bucket__lte=63), name="run_step_range_in_buckets"
            ),
        ]

    def lies_in(self, other: "RunStep") -> bool:
        """Whether its buckets are among those of another step."""
        return other.first_bucket <= self.first_bucket and self.last_bucket <= other.last_bucket

    def __str__(self) -> str:
        return f"{self.run} {self.step} {self.first_bucket}-{self.last_bucket}"


class OutcomeFile(models.Model):
    """The Parquet file that has one line per delivered row of one range of a run."""

    step = models.OneToOneField(RunStep, on_delete=models.PROTECT, related_name="outcome_file")
    path = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    rows = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return self.path


class OutcomeCount(models.Model):
    """How many rows of a side an outcome file has in a state."""

    file = models.ForeignKey(OutcomeFile, on_delete=models.PROTECT, related_name="counts")
    side = models.CharField(max_length=1, choices=Side.choices)
    state = models.CharField(max_length=12)
    rows = models.PositiveBigIntegerField()

    class Meta:
        constraints = [UniqueConstraint(fields=["file", "side", "state"], name="outcome_count_once")]

    def __str__(self) -> str:
        return f"{self.side} {self.state}: {self.rows}"
