"""Taking a file in: dated by its source's rule, kept, its normalization planned."""

import datetime as dt
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from ingestion.audit_log import record_event
from ingestion.business_date import business_date_of
from ingestion.control_totals import Declared
from ingestion.deliveries import Accepted, accept_delivery, plan_normalization
from ingestion.errors import IngestionError
from ingestion.models import Source
from ingestion.work import retry


def take_in(
    *, source: Source, file: Path, name: str, given: dt.date | None, by: str, declared: Declared | None = None
) -> Accepted:
    """Accept a file for a date (without one for what the source's rule reads, or today in UTC); what failed before may be
    tried again. `declared` is what its manifest says. IngestionError says what a person can mend."""
    if not file.is_file():
        raise IngestionError(f"There is no file {file}. Nothing was taken.")
    date = business_date_of(source, file, name, given, timezone.now().date())
    with transaction.atomic():  # nobody would ever read a delivery without a normalization
        accepted = accept_delivery(source=source, file=file, business_date=date, by=by, name=name, declared=declared)
        if retry(plan_normalization(accepted.delivery)):
            record_event("delivery.read_again", of=accepted.delivery, by=by)
    return accepted
