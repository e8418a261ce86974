"""Decision: what a person did."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from reconciliation.models import Break, Member, Run

PENDING = "PENDING_INVESTIGATION"  # the reason that leaves a break with who looks into it
UNDO_FOR = dt.timedelta(seconds=10)  # who decided may take it back at once; later it needs a right and a comment
DONE = {
    "approve": ("Approved", "Approval"),
    "override": ("Overridden", "Override"),
    "reject": ("Rejected", "Rejection"),
}


class Decision(models.Model):
    """Approve, override or reject. Under four eyes it waits for `confirmed_by`, who is never `proposed_by`."""

    class Action(models.TextChoices):
        APPROVE = "approve", "Approve"
        OVERRIDE = "override", "Override"
        REJECT = "reject", "Reject"

    brk = models.ForeignKey(
        Break, on_delete=models.PROTECT, related_name="decisions", db_column="break_id", verbose_name="break"
    )
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, related_name="decisions", help_text="The run that it answers."
    )
    fingerprint = models.CharField(max_length=32, help_text="The break's values when it was decided.")
    action = models.CharField(max_length=8, choices=Action.choices)
    reason = models.CharField(max_length=40, blank=True, help_text="The reason given; empty keeps the attributed ones.")
    chosen = models.ForeignKey(
        Member,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="chosen_by",
        help_text="The named row of a duplicate.",
    )
    comment = models.TextField(blank=True)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="decisions_proposed"
    )
    proposed_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="decisions_confirmed"
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    four_eyes = models.BooleanField(default=False)
    withdrawn = models.BooleanField(default=False)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="decisions_withdrawn",
        help_text="Empty: nobody; it became void, or was withdrawn before this was kept.",
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    void_because = models.TextField(null=True, blank=True)  # noqa: DJ001 - null until it is void, so that its seal holds
    void_changes = models.JSONField(
        null=True, blank=True, help_text="What changed since the proposal: side, field, then, now of each value."
    )
    record = models.JSONField(null=True, blank=True, help_text="The record that was stored; null for a rejection.")
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="decisions_undone"
    )
    undone_at = models.DateTimeField(null=True, blank=True)
    undo_comment = models.TextField(null=True, blank=True)  # noqa: DJ001 - null until it is undone, so that its seal holds

    class Meta:
        ordering = ["-id"]
        constraints = [
            CheckConstraint(
                condition=Q(four_eyes=False) | Q(confirmed_by=None) | ~Q(confirmed_by=F("proposed_by")),
                name="decision_nobody_confirms_their_own",
            ),
            UniqueConstraint(
                fields=["brk"], condition=Q(confirmed_by=None, withdrawn=False), name="decision_one_proposal_per_break"
            ),
            CheckConstraint(
                condition=Q(confirmed_by=None, confirmed_at=None)
                | Q(confirmed_by__isnull=False, confirmed_at__isnull=False),
                name="decision_confirmed_has_time",
            ),
            CheckConstraint(
                condition=Q(withdrawn=True) | Q(withdrawn_by=None, withdrawn_at=None, void_because=None),
                name="decision_void_is_withdrawn",
            ),
            CheckConstraint(
                condition=Q(void_because=None) | Q(withdrawn_by=None, confirmed_by=None),
                name="decision_void_by_nobody",
            ),
            CheckConstraint(
                condition=Q(undone_by=None, undone_at=None, undo_comment=None)
                | Q(undone_by__isnull=False, undone_at__isnull=False, undo_comment__isnull=False),
                name="decision_undone_has_time",
            ),
            CheckConstraint(
                condition=Q(undone_by=None) | Q(confirmed_by__isnull=False), name="decision_undone_was_confirmed"
            ),
            CheckConstraint(
                condition=Q(undone_by=None)
                | ~Q(undo_comment="")
                | Q(undone_by=F("confirmed_by"), undone_at__lte=F("confirmed_at") + UNDO_FOR),
                name="decision_late_undo_says_why",
            ),
            CheckConstraint(
                condition=Q(four_eyes=False) | Q(undone_by=None) | ~Q(undone_by=F("proposed_by")),
                name="decision_nobody_undoes_their_own_proposal",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.brk}"

    @property
    def told(self) -> str:
        """What was done, as a history tells it: `Overridden as FX_VARIANCE`."""
        done, noun = DONE[self.action]
        if self.withdrawn:
            ended = "withdrawn" if self.void_because is None else "void"
            return f"Marked {PENDING}" if self.reason == PENDING else f"{noun} proposed, {ended}"
        said = done if self.confirmed_by_id is not None else f"{noun} proposed"
        said = f"{said} as {self.reason}" if self.reason else said
        return said if self.undone_at is None else f"{said}, undone"

    @property
    def noun(self) -> str:
        """What it is or would be: `Approval`."""
        return DONE[self.action][1]

    @property
    def stands(self) -> bool:
        """Whether it is final: confirmed, and not undone."""
        return self.confirmed_by_id is not None and self.undone_at is None


class DecisionValue(models.Model):
    """A field value that an override gave."""

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="values")
    field = models.CharField(max_length=83)
    value = models.TextField(null=True, blank=True)  # noqa: DJ001 - null empties the field

    class Meta:
        ordering = ["decision", "field"]
        constraints = [UniqueConstraint(fields=["decision", "field"], name="decision_value_once_per_field")]

    def __str__(self) -> str:
        return f"{self.field} = {self.value}"


class Waiver(models.Model):
    """A Manager let one failed check of one break be, with a comment."""

    brk = models.ForeignKey(Break, on_delete=models.PROTECT, related_name="waivers", db_column="break_id")
    condition = models.CharField(max_length=120)
    fingerprint = models.CharField(max_length=32)
    comment = models.TextField()
    waived_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="waivers")
    waived_at = models.DateTimeField()

    class Meta:
        ordering = ["brk", "id"]
        permissions = [("waive_check", "Can waive a failed record check")]
        constraints = [
            UniqueConstraint(fields=["brk", "condition", "fingerprint"], name="waiver_once_per_condition"),
            CheckConstraint(condition=~Q(comment=""), name="waiver_has_comment"),
        ]

    def __str__(self) -> str:
        return f"{self.brk}: {self.condition}"
