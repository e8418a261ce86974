"""What goes back to a source: its records of a date that were rejected or could not be read, each with reason and comment."""

import datetime as dt
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from ingestion.audit_log import record_event
from ingestion.connectors.drop import Drop
from ingestion.errors import IngestionError
from ingestion.models import QuarantinedRow, Source
from ingestion.quarantine import DISMISSED, REPLAYED, standing_rows, with_said
from reconciliation.models import Break, Member
from review.exports import Table, write_table
from review.models import Decision
from review.recorded import only_user

FIRST = ("delivery", "record", "key", "reason", "comment", "rejected_by", "rejected_at", "raw")
QUARANTINED = "quarantined"


class NoPlace(IngestionError):
    """The source does not say where its rejects go."""


def write_rejects(source: Source, date: dt.date, target: Path) -> int:
    """Write the rejects of a source's deliveries of a date, in the format of the suffix. Gives the number of lines."""
    count = write_table(target, lambda: rejects(source, date))
    after = {"what": "rejects", "date": date, "lines": count}
    record_event("export.made", of=source, reconciliation=only_user(source), after=after)
    return count


def push_rejects(source: Source, date: dt.date) -> tuple[int, str]:
    """Put the rejects file of a date into the folder that the source's connection names; gives its lines, and where it lies.

    NoPlace without such a folder, PullError when it cannot be written.
    """
    place = source.connection.get("rejects")
    if not place:
        raise NoPlace(
            f"{source.code} names no place for its rejects. Add one to its connection, such as {{rejects: {{url: 's3://bucket/rejects/'}}}}."
        )
    name = f"rejects_{source.code}_{date:%Y-%m-%d}.csv"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        count = write_rejects(source, date, file)
        return count, Drop(place).put(file, name)


def rejects(source: Source, date: dt.date) -> Table:
    """One line per record: where it stood, why it was rejected, by whom; its values by field, or its raw text."""
    names = [leaf.name for leaf in source.record_type.shape().leaves]
    columns = [*FIRST, *(f"record_{name}" if name in FIRST else name for name in names)]
    return columns, _lines(source, date, names)


def _lines(source: Source, date: dt.date, names: Sequence[str]) -> Iterator[Sequence[object]]:
    for member in _rejected(source, date).iterator(chunk_size=2000):
        yield [*_told(member), *(member.record.get(name) for name in names)]
    for row in _unread(source, date).iterator():
        yield [*_said(row), *[None] * len(names)]


def _unread(source: Source, date: dt.date) -> QuerySet[QuarantinedRow]:
    """The quarantined rows that did not become records since."""
    rows = standing_rows(Source.objects.filter(pk=source.pk)).filter(normalization__delivery__business_date=date)
    unread = with_said(rows).exclude(state=REPLAYED).select_related("normalization")  # type: ignore[misc]
    return unread.order_by("normalization", "record_number")


def _said(row: Any) -> list[object]:  # noqa: ANN401 - a row with what was said of it
    first = [row.normalization.delivery_id, row.record_number, ""]
    if row.state != DISMISSED:
        return [*first, QUARANTINED, row.reason, "", None, row.raw]
    return [*first, DISMISSED, f"{row.reason} {row.said_comment}", row.said_by, row.said_at, row.raw]


def _rejected(source: Source, date: dt.date):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a queryset with its prefetch
    follows = Q(state=Member.State.WITH_BREAK, brk__state=Break.State.REJECTED)
    decisions = Decision.objects.filter(action=Decision.Action.REJECT, withdrawn=False, undone_by=None).select_related(
        "confirmed_by"
    )
    return (
        Member.objects.filter(follows | Q(state=Member.State.REJECTED))
        .filter(delivery__source=source, delivery__business_date=date)
        .select_related("brk")
        .prefetch_related(Prefetch("brk__decisions", decisions.order_by("-id"), to_attr="rejections"))
        .order_by("delivery", "record_number")
    )


def _told(member: Member) -> list[object]:
    said = next(iter(member.brk.rejections), None)  # type: ignore[attr-defined]
    who = said.confirmed_by.get_username() if said and said.confirmed_by else ""
    reason = (said.reason if said else "") or member.brk.reason
    comment, at = (said.comment, said.confirmed_at) if said else ("", None)
    return [member.delivery_id, member.record_number, member.brk.key, reason, comment, who, at, None]
