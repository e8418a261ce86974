"""Quarantined rows: kept with their raw text, line and reason."""

from collections.abc import Iterable

from django.db import connection

from ingestion import custody
from ingestion.framing import RejectedRow
from ingestion.models import Normalization, QuarantinedRow


def quarantine_rows(normalization: Normalization, rejected: Iterable[RejectedRow]) -> None:
    """Write the rows that could not be read, set-based, and seal them."""
    with connection.cursor() as cursor:
        columns = "normalization_id, record_number, line, raw, reason"
        with cursor.copy(f"COPY ingestion_quarantinedrow ({columns}) FROM STDIN") as copy:
            for row in rejected:
                copy.write_row((normalization.pk, row.n, row.line, row.raw.replace("\0", "\\x00"), row.reason[:500]))
    ids = QuarantinedRow.objects.filter(normalization=normalization).values_list("id", flat=True)
    custody.seal_ids(QuarantinedRow._meta.db_table, list(ids))
