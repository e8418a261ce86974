"""Quarantined rows: kept with their raw text, line and reason; and what became of them since."""

import json
from collections.abc import Iterable

from django.db import connection
from django.db.models import Case, CharField, Exists, F, Func, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from ingestion import custody
from ingestion.framing import FOOTER, RejectedRow
from ingestion.models import Normalization, QuarantinedRow, Repair, Source

OPEN, WAITING, REPLAYED, DISMISSED = "open", "waiting", "replayed", "dismissed"
NUMBERS = "[0-9][0-9,]*"  # in a reason; rows are counted without them
STATES = (OPEN, WAITING, REPLAYED, DISMISSED)


def quarantine_rows(normalization: Normalization, rejected: Iterable[RejectedRow]) -> None:
    """Write the rows that could not be read, set-based, and seal them."""
    with connection.cursor() as cursor:
        columns = "normalization_id, record_number, line, raw, reason, record"
        with cursor.copy(f"COPY ingestion_quarantinedrow ({columns}) FROM STDIN") as copy:
            for row in rejected:
                record = None if row.record is None else json.dumps(row.record).replace("\\u0000", "")
                raw = row.raw.replace("\0", "\\x00")
                copy.write_row((normalization.pk, row.n, row.line, raw, row.reason[:500], record))
    ids = QuarantinedRow.objects.filter(normalization=normalization).values_list("id", flat=True)
    custody.seal_ids(QuarantinedRow._meta.db_table, list(ids))


def standing_rows(sources: QuerySet[Source]) -> QuerySet[QuarantinedRow]:
    """The rows that the newest reading of each delivery set aside, each with its `kind_of_reason`: the reason without
    its numbers. A footer is no record, and nobody has to look at it."""
    done = Normalization.objects.filter(state=Normalization.State.DONE, delivery__source__in=sources)
    newest = done.order_by("delivery_id", "-mapping__version").distinct("delivery_id").values("pk")
    rows = QuarantinedRow.objects.filter(normalization__in=newest).exclude(reason=FOOTER)
    return rows.annotate(kind_of_reason=_without_numbers(F("reason")))


def _without_numbers(reason: F) -> Func:
    return Func(reason, Value(NUMBERS), Value("n"), Value("g"), function="regexp_replace", output_field=CharField())


def in_state(rows: QuerySet[QuarantinedRow], state: str) -> QuerySet[QuarantinedRow]:
    """Those rows of which nothing was said yet, a repair waits to be replayed, it was replayed, or that were dismissed."""
    said = _said()
    if state == OPEN:
        return rows.filter(~Exists(said))
    return rows.filter(Exists(said.annotate(state=_STATE).filter(state=state)))


def with_state(rows: QuerySet[QuarantinedRow]) -> QuerySet[QuarantinedRow]:
    """The rows with their `state`."""
    return rows.annotate(state=Coalesce(_of_said("state"), Value(OPEN)))


def with_standing(rows: QuerySet[QuarantinedRow]) -> QuerySet[QuarantinedRow]:
    """The rows with `standing`: the id of the repair or dismissal that stands about each, null where none does."""
    return rows.annotate(standing=Subquery(_said().values("pk")[:1]))


def with_said(rows: QuerySet[QuarantinedRow]) -> QuerySet[QuarantinedRow]:
    """The rows with their `state`, and with `said_comment`, `said_by` and `said_at` of what was confirmed about them."""
    return with_state(rows).annotate(
        said_comment=_of_said("comment"), said_by=_of_said("confirmed_by__username"), said_at=_of_said("confirmed_at")
    )


def _of_said(name: str) -> Subquery:
    return Subquery(_said().annotate(state=_STATE).values(name)[:1])


_STATE = Case(
    When(confirmed_by=None, then=Value(WAITING)),
    When(action=Repair.Action.DISMISS, then=Value(DISMISSED)),
    When(delivery=None, then=Value(WAITING)),
    default=Value(REPLAYED),
)


def _said() -> QuerySet[Repair]:
    """What stands about a row, whichever reading of its delivery it was said of."""
    same = Repair.objects.filter(
        row__record_number=OuterRef("record_number"),
        row__normalization__delivery=OuterRef("normalization__delivery"),
    )
    return same.filter(withdrawn=False).order_by("-id")


def said_of(row: QuarantinedRow) -> QuerySet[Repair]:
    """Everything that was said of a row, the newest first."""
    same = Repair.objects.filter(
        row__record_number=row.record_number, row__normalization__delivery=row.normalization.delivery_id
    )
    return same.select_related("proposed_by", "confirmed_by", "row").prefetch_related("cells").order_by("-id")
