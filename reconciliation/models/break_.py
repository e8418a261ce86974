"""Break with its members, differences and gate refusals."""

from collections import Counter
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models
from django.db.models import Case, CheckConstraint, Count, Q, UniqueConstraint, Value, When
from django.db.models.functions import Abs, Coalesce

from ingestion.models import Delivery
from reconciliation.models.reconciliation import Reconciliation, access_of
from reconciliation.models.run import Run, Side
from reconciliation.models.scope import Scope

# Which run, delivery or reason a row comes from: written once, in bulk, and the same for a whole range. The constraint
# triggers of migration 0002 hold these references set-based; a foreign key would look each of a million rows up.
PROVENANCE: dict[str, Any] = {"on_delete": models.PROTECT, "db_constraint": False, "db_index": False}

# Bands of what is in review and not shown: it waits for a partner, or a person put it on hold.
HIDDEN = ("waiting", "held")
# What people are shown to decide, and its size whatever its sign; indexes and queues say it in the same words.
SHOWN = Q(state="review") & ~Q(band__in=HIDDEN)
SIZE = Coalesce(Abs("amount"), Value(-1), output_field=models.DecimalField(max_digits=38, decimal_places=10))


class BreakQuerySet(models.QuerySet["Break"]):
    """Breaks as a user may see them."""

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Breaks of the reconciliations that the user sees as a whole, and of the scopes that the user sees; the ids are asked
        first, so that the planner knows its indexes."""
        return self.filter(access_of(user).holds())


class Break(models.Model):
    """An episode per (reconciliation, key) with a life across runs."""

    class Kind(models.TextChoices):
        DIFFERING = "differing", "Differing"
        MISSING_IN_A = "missing_in_a", "Missing in A"
        MISSING_IN_B = "missing_in_b", "Missing in B"
        DUPLICATE = "duplicate", "Duplicate"
        GATE = "gate", "Record check"

    class State(models.TextChoices):
        IN_FLIGHT = "in_flight", "In flight"  # found by diff, not yet attributed
        REVIEW = "review", "In review"
        PASSED = "passed", "Passed"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        CLOSED = "closed", "Closed"

    OPEN_STATES = (State.IN_FLIGHT, State.REVIEW)

    reconciliation = models.ForeignKey(Reconciliation, **PROVENANCE, related_name="breaks")
    key = models.TextField()
    bucket = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    state = models.CharField(max_length=9, choices=State.choices, default=State.IN_FLIGHT)
    fingerprint = models.CharField(
        max_length=32, help_text="md5 over the differing values; the same values keep a decision."
    )
    hash = models.CharField(max_length=32, blank=True, help_text="Hash of the proposed record.")
    opened_run = models.ForeignKey(Run, **PROVENANCE, related_name="breaks_opened")
    last_run = models.ForeignKey(Run, on_delete=models.PROTECT, db_index=False, related_name="breaks_seen")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_because = models.CharField(max_length=200, blank=True)
    confidence = models.DecimalField(
        max_digits=6,
        decimal_places=5,
        null=True,
        blank=True,
        help_text="The lowest of its differences; null before attribution.",
    )
    band = models.CharField(max_length=9, blank=True)
    reason = models.CharField(
        max_length=40,
        blank=True,
        help_text="Code of the reason that weighs most among its differences; queues count it.",
    )
    amount = models.DecimalField(max_digits=38, decimal_places=10, null=True, blank=True)
    currency = models.CharField(max_length=20, blank=True)
    priority = models.BigIntegerField(
        db_default=0, help_text="Its place in the queue, the least first (docs/decisions/0020). It does not age."
    )
    due_at = models.DateTimeField(
        null=True, blank=True, help_text="When a person has to have decided; null: no time is set."
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="breaks"
    )
    scope = models.ForeignKey(
        Scope, on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="breaks",
        help_text="The values that its current rows have in the scope field; null where the reconciliation has none.",
    )  # fmt: skip

    objects = BreakQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["reconciliation", "state", "-id"], name="break_queue"),
            models.Index(fields=["reconciliation", "bucket"], condition=Q(state="review"), name="break_open_by_bucket"),
            models.Index(fields=["last_run", "bucket"], name="break_last_run"),
            models.Index(fields=["last_run", "priority", "id"], condition=SHOWN, name="break_queue_of_run"),
            # Search by the beginning of a key, and journeys: in any locale of the server
            models.Index(
                fields=["reconciliation", "key"], opclasses=["int8_ops", "text_pattern_ops"], name="break_by_key"
            ),
            models.Index(
                fields=["reconciliation", "state", "kind", "band", "reason"],
                include=["due_at", "assignee"],
                name="break_counted",
            ),
            # With the age, by which the walk skips what is not asked for without reading it
            models.Index(fields=["priority", "id", "opened_at"], condition=SHOWN, name="break_in_order"),
            models.Index(SIZE.desc(), models.F("id").desc(), condition=SHOWN, name="break_by_size"),
            # What a query asks by
            models.Index(fields=["opened_at"], condition=SHOWN, name="break_by_age"),
            models.Index(fields=["due_at"], condition=SHOWN & Q(due_at__isnull=False), name="break_by_due"),
            models.Index(
                fields=["assignee", "priority", "id"],
                condition=Q(state="review", assignee__isnull=False),
                name="break_by_assignee",
            ),
            models.Index(
                fields=["reconciliation", "kind", "-id"],
                condition=Q(state__in=["approved", "rejected"]),
                name="break_decided",
            ),  # the latest of which people decided, for those that look for similar ones
            # The queue of a team that sees a part, its counts, and its search
            models.Index(
                fields=["scope", "priority", "id"],
                condition=SHOWN & Q(scope__isnull=False),
                name="break_queue_of_scope",
            ),
            models.Index(
                fields=["scope", "state", "kind", "band", "reason", "reconciliation"],
                include=["due_at", "assignee"],
                condition=Q(scope__isnull=False),
                name="break_counted_of_scope",
            ),
            models.Index(
                fields=["scope", "key"],
                opclasses=["int8_ops", "text_pattern_ops"],
                condition=Q(scope__isnull=False),
                name="break_by_key_of_scope",
            ),
        ]
        constraints = [
            UniqueConstraint(
                fields=["reconciliation", "key"],
                condition=Q(state__in=["in_flight", "review"]),
                name="break_one_open_per_key",
            ),
            CheckConstraint(
                condition=Q(state__in=["in_flight", "review"], closed_at=None)
                | (~Q(state__in=["in_flight", "review"]) & Q(closed_at__isnull=False)),
                name="break_closed_has_time",
            ),
            CheckConstraint(condition=Q(bucket__lte=63), name="break_bucket_in_range"),
        ]

    def __str__(self) -> str:
        return self.key

    def get_absolute_url(self) -> str:
        """The break page."""
        return f"/breaks/{self.pk}/"


def _fate() -> Case:
    by_break = [When(brk__state=state, then=Value(fate)) for state, fate in FATE_BY_BREAK.items()]
    return Case(When(~Q(state=Member.State.WITH_BREAK), then="state"), *by_break)


class MemberQuerySet(models.QuerySet["Member"]):
    """Rows of breaks, with what became of them."""

    def with_fate(self) -> Self:
        """Each with `fate`: its own state, or the one that follows from its break."""
        return self.annotate(fate=_fate())

    def standing(self) -> list[tuple[int, str, int]]:
        """(record number, fate, break), the break that took a row last at the end."""
        rows = self.annotate(fate=_fate()).order_by("brk_id")
        return list(rows.values_list("record_number", "fate", "brk_id"))

    def count_by_outcome(self) -> Counter[tuple[str, str, str]]:
        """How many rows by side, kind of the break, and fate. They are counted by the states that a fate follows from: a hundred
        thousand fates would take longer than the rest."""
        found: Counter[tuple[str, str, str]] = Counter()
        states = self.order_by().values_list("side", "brk__kind", "state", "brk__state").annotate(rows=Count("*"))
        for side, kind, state, of_break, rows in states:
            fate = FATE_BY_BREAK[Break.State(of_break)] if state == Member.State.WITH_BREAK else state
            found[side, kind, fate] += rows
        return found


class Member(models.Model):
    """A delivered row that stands in a break. It keeps its record, so that a break needs no read of the lake.

    Its fate follows from its break (FATE_BY_BREAK) unless its own state says otherwise.

    `record` maps leaf names to canonical texts (null where empty or flagged), `raw` to the source's text where that
    differs, `flags` lists the flagged leaf names.
    """

    class State(models.TextChoices):
        WITH_BREAK = "with_break"
        STORED = "stored"
        REJECTED = "rejected"
        DUPLICATE = "duplicate"
        SUPERSEDED = "superseded"

    brk = models.ForeignKey(
        Break, on_delete=models.PROTECT, db_index=False, related_name="members", db_column="break_id"
    )
    side = models.CharField(max_length=1, choices=Side.choices)
    delivery = models.ForeignKey(Delivery, **PROVENANCE, related_name="members")
    record_number = models.PositiveBigIntegerField()
    run = models.ForeignKey(Run, **PROVENANCE, related_name="members")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WITH_BREAK)
    position = models.PositiveSmallIntegerField(default=1, help_text="1 for the first row of the key on its side.")
    current = models.BooleanField(default=True, help_text="False once a later delivery replaced this row in the break.")
    record = models.JSONField()
    raw = models.JSONField(default=dict)
    flags = models.JSONField(default=list)

    objects = MemberQuerySet.as_manager()

    class Meta:
        ordering = ["brk", "side", "position"]
        indexes = [
            # With what it takes to count a delivery's rows by their fate, which leaves their records unread
            models.Index(fields=["delivery", "record_number"], include=["brk", "side", "state"], name="member_by_place")
        ]
        constraints = [
            UniqueConstraint(fields=["brk", "side", "delivery", "record_number"], name="member_row_once_per_break")
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.delivery_id}:{self.record_number}"


FATE_BY_BREAK = {
    Break.State.IN_FLIGHT: "in_flight",
    Break.State.REVIEW: "in_review",
    Break.State.PASSED: "stored",
    Break.State.APPROVED: "stored",
    Break.State.REJECTED: "rejected",
    Break.State.CLOSED: "superseded",
}


class Difference(models.Model):
    """One field of a break: the two values. The field `*row*` stands for a break of whole rows."""

    ROW = "*row*"

    class Kind(models.TextChoices):
        VALUE = "value"
        MISSING = "missing"
        TYPE = "type"
        ROW = "row"

    brk = models.ForeignKey(
        Break, on_delete=models.PROTECT, db_index=False, related_name="differences", db_column="break_id"
    )
    field = models.CharField(max_length=83)
    kind = models.CharField(max_length=7, choices=Kind.choices)
    value_a = models.TextField(null=True, blank=True)  # noqa: DJ001 - null is a value that differs from empty
    value_b = models.TextField(null=True, blank=True)  # noqa: DJ001
    raw_a = models.TextField(null=True, blank=True)  # noqa: DJ001
    raw_b = models.TextField(null=True, blank=True)  # noqa: DJ001
    values_hash = models.CharField(max_length=32, help_text="md5 of both values, so that long texts can be unique.")
    run = models.ForeignKey(Run, **PROVENANCE, related_name="differences", help_text="The run that found it.")
    current = models.BooleanField(default=True, help_text="False once later values replaced it.")

    class Meta:
        ordering = ["brk", "id"]
        indexes = [models.Index(fields=["field", "brk"], condition=Q(current=True), name="difference_by_field")]
        constraints = [
            UniqueConstraint(fields=["brk", "field", "values_hash"], name="difference_once_per_values"),
        ]

    def __str__(self) -> str:
        return f"{self.brk_id} {self.field}"


class GateRefusal(models.Model):
    """A condition of the gate that held a break back, with the value that it met. After `AUDIT` it had passed, and the store
    holds it."""

    AUDIT = "audit"

    brk = models.ForeignKey(
        Break, on_delete=models.PROTECT, db_index=False, related_name="refusals", db_column="break_id"
    )
    run = models.ForeignKey(Run, **PROVENANCE, related_name="refusals")
    condition = models.CharField(max_length=120, help_text="Code of the condition, such as check:amount:between.")
    sentence = models.CharField(max_length=1000)
    detail = models.CharField(max_length=1000, blank=True)
    current = models.BooleanField(default=True)

    class Meta:
        ordering = ["brk", "id"]
        constraints = [UniqueConstraint(fields=["brk", "run", "condition"], name="gate_refusal_once_per_run")]

    def __str__(self) -> str:
        return self.sentence
