"""Export: a file that somebody asked for, who, of what, and what became of it."""

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Q

from ingestion.models import ClaimedWork


class Export(ClaimedWork):
    """A table as a file of the lake, made by a worker. The row stays when the file has expired: what left the house, for whom."""

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "Excel"
        PARQUET = "parquet", "Parquet"
        JSON = "json", "JSON"
        XML = "xml", "XML"

    what = models.CharField(max_length=20, help_text="Code of the table, such as differences or queue.")
    format = models.CharField(max_length=7, choices=Format.choices)
    filters = models.JSONField(default=dict, help_text="What the lines were narrowed by, as the page had it.")
    columns = models.JSONField(default=list, help_text="The columns in their order.")
    seen = models.JSONField(
        null=True,
        blank=True,
        help_text="What who asked saw when it was made: `reconciliation 3`, `source 7`, `scope 12`.",
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="exports", db_index=False
    )
    asked_at = models.DateTimeField()
    rows = models.PositiveBigIntegerField(default=0, help_text="Lines written, so far or in all.")
    is_cut = models.BooleanField(default=False, help_text="Whether there were more lines than an export may have.")
    size = models.PositiveBigIntegerField(null=True, blank=True, help_text="Bytes of the file.")
    sha256 = models.CharField(max_length=64, blank=True)
    path = models.CharField(max_length=255, blank=True, help_text="In the lake; empty for a file that lies elsewhere.")
    expires_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True, help_text="When the expired file was removed.")

    class Meta:
        ordering = ["-id"]
        permissions = [("see_every_export", "Can see and download what others exported")]
        indexes = [models.Index(fields=["asked_by", "-id"], name="export_by_person")]
        constraints = [
            CheckConstraint(
                condition=~Q(state="done") | (Q(size__isnull=False) & ~Q(sha256="")), name="export_done_has_its_hash"
            ),
            CheckConstraint(condition=Q(path="") | Q(expires_at__isnull=False), name="export_kept_file_expires"),
            CheckConstraint(
                condition=Q(removed_at=None) | Q(removed_at__gte=models.F("expires_at")),
                name="export_removed_after_it_expired",
            ),
        ]

    def __str__(self) -> str:
        return f"export {self.pk}"
