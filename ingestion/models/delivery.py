"""Delivery, Normalization and QuarantinedRow: what came, what was made of it, what could not be read."""

from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from ingestion.models.source import Mapping, Source
from ingestion.models.work import ClaimedWork


class Delivery(models.Model):
    """What a source handed over in one go, with a business date. Its bytes never change."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="deliveries")
    business_date = models.DateField()
    file_name = models.CharField(max_length=255)
    path = models.CharField(max_length=255, help_text="Where the lake keeps the bytes.")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    received_at = models.DateTimeField(auto_now_add=True)
    received_by = models.CharField(max_length=150, blank=True)
    replayed_from = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="replays",
        help_text="The delivery whose quarantined rows these are, repaired.",
    )
    declared = models.JSONField(null=True, blank=True, help_text="What its manifest says: records, sums by field.")

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        constraints = [
            UniqueConstraint(fields=["source", "business_date", "sha256"], name="delivery_same_bytes_once_a_date")
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk} of {self.source}, {self.business_date}"


class Normalization(ClaimedWork):
    """One per (delivery, mapping version): the records as Parquet, counts, the quarantined rows."""

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="normalizations")
    mapping = models.ForeignKey(Mapping, on_delete=models.PROTECT, related_name="normalizations")
    format = models.JSONField(default=dict, help_text="The format that was detected and used.")
    notes = models.JSONField(default=list, help_text="What the detection saw, a sentence each.")
    mismatches = models.JSONField(
        null=True, help_text="Control totals that are not those of the records, a sentence each."
    )
    questions = models.JSONField(default=list, help_text="What needs a decision before the rows are read.")
    accepted = models.BooleanField(null=True, help_text="Whether a person took the detection's proposals as they are.")
    path = models.CharField(max_length=255, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    received = models.PositiveBigIntegerField(null=True)
    normalized = models.PositiveBigIntegerField(null=True)
    quarantined = models.PositiveBigIntegerField(null=True)
    flagged_values = models.PositiveBigIntegerField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            UniqueConstraint(fields=["delivery", "mapping"], name="normalization_once_per_mapping"),
            CheckConstraint(
                condition=Q(received=None) | Q(received=F("normalized") + F("quarantined")),
                name="normalization_loses_no_row",
            ),
            CheckConstraint(
                condition=~Q(state="done") | Q(received__isnull=False), name="normalization_done_is_counted"
            ),
        ]

    def __str__(self) -> str:
        return f"normalization of {self.delivery} by {self.mapping}"


class QuarantinedRow(models.Model):
    """A row broken as a row: its raw text, line and reason are kept, so that it can be repaired and replayed."""

    normalization = models.ForeignKey(Normalization, on_delete=models.PROTECT, related_name="quarantined_rows")
    record_number = models.PositiveBigIntegerField()
    line = models.PositiveBigIntegerField(help_text="Physical line of the delivered file, from 1.")
    raw = models.TextField()
    reason = models.CharField(max_length=500)
    record = models.JSONField(
        null=True, help_text="The values that could be read, by leaf name, where the row has cells."
    )

    class Meta:
        ordering = ["normalization", "record_number"]
        constraints = [
            UniqueConstraint(fields=["normalization", "record_number"], name="quarantined_row_once_per_record")
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"
