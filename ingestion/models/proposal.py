"""MappingProposal: a mapping version that would read a delivery whose columns changed."""

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, F, Q

from ingestion.models.delivery import Normalization
from ingestion.models.source import Mapping


class MappingProposal(models.Model):
    """What a reading found: the whole mapping document that is proposed, and why each changed path of it is other.

    `received`, `normalized` and `flagged_values` count what it would read of the delivery's first rows. Accepted, it is
    the mapping version `accepted_as`.
    """

    class State(models.TextChoices):
        OPEN = "open"
        ACCEPTED = "accepted"
        REFUSED = "refused"

    normalization = models.OneToOneField(Normalization, on_delete=models.PROTECT, related_name="proposal")
    document = models.JSONField()
    why = models.JSONField(default=dict, help_text="A sentence for each changed path.")
    received = models.PositiveBigIntegerField()
    normalized = models.PositiveBigIntegerField()
    flagged_values = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    comment = models.TextField(blank=True)
    accepted_as = models.ForeignKey(Mapping, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            CheckConstraint(
                condition=Q(state="open", decided_by=None, decided_at=None)
                | (~Q(state="open") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="mapping_proposal_decided_by_a_person",
            ),
            CheckConstraint(
                condition=Q(state="accepted", accepted_as__isnull=False) | (~Q(state="accepted") & Q(accepted_as=None)),
                name="mapping_proposal_accepted_is_a_version",
            ),
            CheckConstraint(condition=Q(received__gte=F("normalized")), name="mapping_proposal_counts_fit"),
        ]

    def __str__(self) -> str:
        return f"mapping proposed for {self.normalization.delivery}"

    def changes(self) -> list[tuple[str, dict[str, object], dict[str, object], str]]:
        """Each changed path: the mapping as it is, as proposed, and why."""
        held = self.normalization.mapping.document
        return [
            (path, held.get(path, {}), it, self.why.get(path, ""))
            for path, it in self.document.items()
            if it != held.get(path)
        ]
