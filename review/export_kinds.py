"""What can be exported, by whom, with which filters and columns: the tables of a run, and the lists of the pages."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from ingestion.models import AuditEvent, RecordType
from ingestion.quarantine import with_state
from ingestion.suggestion import nearest_end
from reconciliation.holds import return_due
from reconciliation.models import Break, Run
from reconciliation.store.rows import leaf_paths
from reconciliation.store.tables import StoreTable, store_table
from reconciliation.visibility import visible_record_types, visible_stored
from review import audit_events, exports, query
from review.export_files import BadExport, Line
from review.ids import id_of
from review.ordering import ORDERS, order_of
from review.quarantined import FILTERS, Asked, BadFilter, narrowed, visible_rows
from review.query.apply import asked_for

Filters = Mapping[str, str]
READ = 5000  # rows that a query hands over at a time
QUEUE = (
    "key", "reconciliation", "kind", "state", "reason", "confidence", "band", "amount", "currency", "assignee", "run", "opened_at",
    "due_at", "closed_at", "closed_because",
)  # fmt: skip
QUEUE_COLUMNS = {"reconciliation": "reconciliation__code", "run": "last_run", "assignee": "assignee__username"}
QUEUE_FILTERS = (*query.FILTERS, "order")
QUARANTINED = ("row", "source", "date", "delivery", "line", "reason", "raw", "state")
TECHNICAL = ("version", "run", "decision", "date", "valid_from", "valid_to")  # columns of a stored version
CURRENT = "current"
VERSIONS = (CURRENT, "all")  # which stored rows are asked for


@dataclass(frozen=True)
class Kind:
    """A table: which filters narrow it, which right it needs, its columns and its lines. Both raise BadExport with a sentence for
    filters that cannot be, and for what the user may not see."""

    title: str
    filters: tuple[str, ...]
    right: str
    columns: Callable[[User, Filters], Sequence[str]]
    lines: Callable[[User, Filters], Iterator[Line]] = field(repr=False)
    needs: tuple[str, ...] = ()

    @property
    def is_of_run(self) -> bool:
        """Whether it is of one run, so that who sees the run sees all of it."""
        return "run" in self.needs


def _run_of(user: User, filters: Filters) -> Run:
    run = Run.objects.visible_to(user).select_related("reconciliation__a__record_type").filter(pk=id_of(filters["run"]))
    found = run.filter(state=Run.State.DONE).first()
    if found is None:
        raise BadExport(f"There is no run {filters['run'][:20]!r} that has ended and that you may see.")
    return found


def _of_run(what: str, title: str, columns: Sequence[str]) -> Kind:
    def named(user: User, filters: Filters) -> Sequence[str]:
        _run_of(user, filters)
        return columns

    def lines(user: User, filters: Filters) -> Iterator[Line]:
        return exports.TABLES[what](_run_of(user, filters))[1]

    return Kind(title, ("run",), "reconciliation.view_run", named, lines, needs=("run",))


def _store_columns(user: User, filters: Filters) -> Sequence[str]:
    return exports.store_columns(_run_of(user, filters).reconciliation.record_type)


def _store_lines(user: User, filters: Filters) -> Iterator[Line]:
    return exports.store(_run_of(user, filters))[1]


def _queue_columns(user: User, filters: Filters) -> Sequence[str]:
    _asked_of_queue(user, filters)
    return QUEUE


def _asked_of_queue(user: User, filters: Filters) -> query.Asked:
    try:
        return query.asked_of(filters, query.known_to(user))
    except query.BadQuery as error:
        raise BadExport(str(error)) from None


def _queue_lines(user: User, filters: Filters) -> Iterator[Line]:
    asked = _asked_of_queue(user, filters)
    return_due(timezone.now())
    found = asked_for(Break.objects.visible_to(user), asked, user.pk)
    found = ORDERS[order_of(filters.get("order", ""), asked.state)].sort(found)
    names = [QUEUE_COLUMNS.get(it, it) for it in QUEUE]
    return ([exports.short(value) for value in row] for row in found.values_list(*names).iterator(chunk_size=READ))


def _asked(filters: Filters) -> Asked:
    try:
        return Asked.of(filters)
    except BadFilter as error:
        raise BadExport(str(error)) from None


def _quarantined_columns(user: User, filters: Filters) -> Sequence[str]:
    _asked(filters)
    return QUARANTINED


def _quarantined_lines(user: User, filters: Filters) -> Iterator[Line]:
    delivery = "normalization__delivery"
    names = (
        "pk",
        f"{delivery}__source__code",
        f"{delivery}__business_date",
        delivery,
        "line",
        "reason",
        "raw",
        "state",
    )
    found = with_state(narrowed(visible_rows(user), _asked(filters)))
    return found.values_list(*names).iterator(chunk_size=READ)


def _table_of(user: User, filters: Filters) -> StoreTable:
    found = visible_record_types(user).filter(code=filters["record_type"]).first()
    if found is None:
        raise BadExport(f"There is no record type {filters['record_type'][:41]!r} that you may see.")
    if (version := filters.get("version", CURRENT)) not in VERSIONS:
        raise BadExport(f"There is no version {version[:20]!r}{nearest_end(version, VERSIONS)}")
    return store_table(RecordType.objects.get(pk=found.pk))


def _stored_columns(user: User, filters: Filters) -> Sequence[str]:
    table = _table_of(user, filters)
    return (*leaf_paths(table), *(f"_{name}" for name in (TECHNICAL if table.has_versions else ())))


def _stored_lines(user: User, filters: Filters) -> Iterator[Line]:
    table = _table_of(user, filters)
    rows = visible_stored(table, user)
    if table.has_versions and filters.get("version", CURRENT) == CURRENT:
        rows = rows.filter(valid_to=None)
    names = (*leaf_paths(table).values(), *(TECHNICAL if table.has_versions else ()))
    return rows.order_by("-pk").values_list(*names).iterator(chunk_size=READ)


OF_RUN = {
    "differences": _of_run("differences", "Differences", exports.DIFFERENCE),
    "breaks": _of_run("breaks", "Breaks", exports.BREAK),
    "records": _of_run("records", "Delivered rows", exports.RECORD),
    "quarantine": _of_run("quarantine", "Quarantined rows", exports.QUARANTINED),
    "store": Kind("Stored rows", ("run",), "reconciliation.view_run", _store_columns, _store_lines, needs=("run",)),
    "statement": _of_run("statement", "Statement", exports.STATEMENT),
}


def _event_columns(user: User, filters: Filters) -> Sequence[str]:
    _events(user, filters)
    return audit_events.COLUMNS


def _events(user: User, filters: Filters) -> QuerySet[AuditEvent]:
    try:
        return audit_events.narrowed(audit_events.visible_events(user), filters)
    except audit_events.BadFilter as error:
        raise BadExport(str(error)) from None


KINDS: dict[str, Kind] = {
    **OF_RUN,
    "queue": Kind("Breaks of the queue", QUEUE_FILTERS, "reconciliation.view_break", _queue_columns, _queue_lines),
    "quarantined": Kind(
        "Quarantined rows", FILTERS, "ingestion.view_quarantinedrow", _quarantined_columns, _quarantined_lines
    ),
    "audit": Kind(
        "Audit events",
        audit_events.FILTERS,
        audit_events.READS,
        _event_columns,
        lambda user, filters: audit_events.lines_of(_events(user, filters), READ),
    ),
    "stored": Kind(
        "Stored records",
        ("record_type", "version"),
        "ingestion.view_recordtype",
        _stored_columns,
        _stored_lines,
        needs=("record_type",),
    ),  # fmt: skip
}
