"""Where delivered rows stand now, by their numbers in the delivery."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ingestion import lake
from ingestion.lookup import lookup
from ingestion.models import Delivery, Normalization, QuarantinedRow, Repair
from ingestion.sql_text import literal
from reconciliation.models import Member, OutcomeFile, Run
from reconciliation.outcomes import IN_BREAK

IN_FLIGHT = "in_flight"


@dataclass(frozen=True)
class RowState:
    """A row by its record number: its key and state, why it is quarantined or still in flight, the run that says so, its break."""

    record: int
    state: str = IN_FLIGHT
    key: str = ""
    reason: str = ""
    run: int | None = None
    brk: int | None = None


def row_states(delivery: Delivery, first: int, last: int) -> list[RowState]:
    """The rows `first` to `last`, each in exactly one state."""
    work = delivery.normalizations.filter(state=Normalization.State.DONE).order_by("-id").first()
    if work is None:
        unread = _why_unread(delivery)
        return [RowState(number, reason=unread) for number in range(first, last + 1)]
    found = {number: RowState(number) for number in range(first, last + 1)}
    broken = QuarantinedRow.objects.filter(normalization=work, record_number__range=(first, last))
    found |= {it.record_number: RowState(it.record_number, "quarantined", reason=it.reason) for it in broken}
    found |= {it.record: it for it in _in_runs(work, first, last)}
    found |= {it.record: it for it in _replayed(delivery, first, last)}
    return list(found.values())


def _why_unread(delivery: Delivery) -> str:
    """Why a delivery has no records, if reading it failed."""
    newest = delivery.normalizations.order_by("-id").first()
    if newest is None or newest.state != Normalization.State.FAILED:
        return ""
    return f"Delivery {delivery.pk} could not be read: {newest.error} Mend what it names, then read the delivery again."


def _replayed(delivery: Delivery, first: int, last: int) -> Iterator[RowState]:
    """What became of the rows that were repaired and replayed."""
    repairs = Repair.objects.filter(
        row__normalization__delivery=delivery, row__record_number__range=(first, last), delivery__isnull=False
    )
    places: dict[Delivery, dict[int, int]] = {}
    for it in repairs.select_related("delivery", "row"):
        places.setdefault(it.delivery, {})[it.record_number] = it.row.record_number  # type: ignore[arg-type, index]
    for made, numbers in places.items():
        for state in row_states(made, min(numbers), max(numbers)):
            if state.record in numbers:
                yield replace(state, record=numbers[state.record])


def _in_runs(work: Normalization, first: int, last: int) -> list[RowState]:
    """What the newest ended run that took the rows says; of those in a break, what became of them since."""
    run = Run.objects.filter(inputs__normalization=work, state=Run.State.DONE).order_by("-id").first()
    if run is None:
        return []
    paths = [lake.local(it.path) for it in OutcomeFile.objects.filter(step__run=run)]
    listed = ", ".join(literal(str(path)) for path in paths if path.exists())
    if not listed:
        return []
    with lookup() as duck:
        rows = duck.execute(
            f"SELECT n, key, state FROM read_parquet([{listed}]) WHERE delivery = ? AND n BETWEEN ? AND ? ORDER BY n",
            [work.delivery_id, first, last],
        ).fetchall()
    members = Member.objects.filter(delivery=work.delivery_id, record_number__range=(first, last))
    broke = {n: (fate, pk) for n, fate, pk in members.standing()}
    return [_of(n, key, state, run.pk, broke.get(n)) for n, key, state in rows]


def _of(n: int, key: str, state: str, run: int, broke: tuple[str, int] | None) -> RowState:
    if state == IN_BREAK and broke is not None:
        return RowState(n, broke[0], key, run=run, brk=broke[1])
    return RowState(n, state, key, run=run)
