"""Attribution and Candidate: why a difference is there, how sure, and on what evidence."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from attribution.models.reason import Reason
from reconciliation.models import PROVENANCE, Difference, Run


class Attribution(models.Model):
    """A difference's reason, confidence, proof, and who or what assigned it (`prover:rounding`, `model:12`, `person:ann`)."""

    difference = models.ForeignKey(Difference, on_delete=models.PROTECT, related_name="attributions")
    reason = models.ForeignKey(Reason, **PROVENANCE, to_field="code", related_name="attributions")
    functional = models.BooleanField(null=True, help_text="What the reason was when it was assigned.")
    confidence = models.DecimalField(max_digits=6, decimal_places=5)
    functional_share = models.DecimalField(
        max_digits=6,
        decimal_places=5,
        null=True,
        help_text="How likely a model holds any functional reason; null: none spoke.",
    )
    proof = models.TextField(blank=True, help_text="One sentence; empty where nothing reproduces B.")
    assigned_by = models.CharField(max_length=170)
    run = models.ForeignKey(Run, **PROVENANCE, related_name="attributions")
    assigned_at = models.DateTimeField()
    current = models.BooleanField(default=True)

    class Meta:
        ordering = ["difference", "-id"]
        indexes = [
            models.Index(fields=["reason"], name="attribution_by_reason"),
            models.Index(fields=["difference"], condition=Q(current=True, proof=""), name="attribution_without_proof"),
        ]
        constraints = [
            UniqueConstraint(fields=["difference"], condition=Q(current=True), name="attribution_one_current"),
            CheckConstraint(condition=Q(confidence__range=(0, 1)), name="attribution_confidence_is_a_share"),
            CheckConstraint(
                condition=Q(functional_share__isnull=True) | Q(functional_share__range=(0, 1)),
                name="attribution_functional_is_a_share",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason_id} {self.confidence}"


class Candidate(models.Model):
    """One of the three best reasons of an attribution; rank 1 is the best."""

    attribution = models.ForeignKey(Attribution, on_delete=models.CASCADE, db_index=False, related_name="candidates")
    rank = models.PositiveSmallIntegerField()
    reason = models.ForeignKey(Reason, **PROVENANCE, to_field="code", related_name="+")
    confidence = models.DecimalField(max_digits=6, decimal_places=5)
    evidence = models.TextField(blank=True)

    class Meta:
        ordering = ["attribution", "rank"]
        constraints = [
            UniqueConstraint(fields=["attribution", "rank"], name="candidate_once_per_rank"),
            CheckConstraint(condition=Q(rank__range=(1, 3)), name="candidate_three_best"),
        ]

    def __str__(self) -> str:
        return f"{self.rank}. {self.reason_id}"
