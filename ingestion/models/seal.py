"""Seal: what a row said when a service last wrote it."""

from django.db import models
from django.db.models import UniqueConstraint


class Seal(models.Model):
    """The digest of one custody row, so that `verify` can name a row that was changed or deleted by hand."""

    kind = models.CharField(max_length=60)
    row_id = models.BigIntegerField()
    digest = models.UUIDField()

    class Meta:
        constraints = [UniqueConstraint(fields=["kind", "row_id"], name="seal_once_per_row")]

    def __str__(self) -> str:
        return f"{self.kind} {self.row_id}"
