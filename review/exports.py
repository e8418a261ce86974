"""Exports of a run: what it found, as a table."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from django.db.models import F, OuterRef, Prefetch, Q, QuerySet, Subquery

from attribution.models import Attribution
from ingestion import lake
from ingestion.lookup import lookup
from ingestion.models import QuarantinedRow, RecordType
from ingestion.quarantine import with_said
from ingestion.shape import canonical_sql
from ingestion.sql_text import literal
from reconciliation.conservation import standing
from reconciliation.models import Break, Difference, OutcomeFile, Run
from reconciliation.session import session
from reconciliation.store.current import rows_of_run
from review.export_files import WRITERS, BadExport, Table, write_table

__all__ = ["TABLES", "WRITERS", "BadExport", "Table", "export", "write_table"]

OUTCOMES = {
    "review": "review",
    "in_flight": "review",
    "passed": "passed",
    "approved": "approved",
    "rejected": "rejected",
}

IN_BREAK, LATE, GONE = "in_break", "matched late", "gone"
RECORD = ("key", "side", "delivery", "n", "state", "hash")
DIFFERENCE = (
    "run", "key", "field", "value_a", "value_b", "kind", "reason", "best_reason", "functional", "confidence", "proof",
    "assigned_by", "outcome",
)  # fmt: skip
BREAK = (
    "key", "kind", "state", "confidence", "band", "amount", "currency", "opened_at", "closed_at", "closed_because",
)  # fmt: skip
QUARANTINED = ("source", "delivery", "line", "reason", "raw", "state", "comment", "by")
STATEMENT = ("run", "currency", "line", "reason", "outcome", "rows_a", "rows_b", "a", "b", "difference")
TECHNICAL = ("_run", "_decision", "_valid_from", "_valid_to")
FETCHED = 10_000  # lines at a time, so that a million take no more memory than these


def export(what: str, run: Run, target: Path) -> int:
    """Write one thing of a run to a file, in the format of its suffix. Gives the number of lines."""
    if what not in TABLES:
        raise BadExport(f"There is no export {what!r}; there is {', '.join(TABLES)}.")
    return write_table(target, lambda: TABLES[what](run))


def differences(run: Run) -> Table:
    """One line per differing cell; a row-level exception is one line with field `*row*`."""
    said = Attribution.objects.filter(current=True).prefetch_related("candidates")
    found = _differences_of(run).select_related("brk").order_by("brk__key", "id")
    found = found.prefetch_related(Prefetch("attributions", said, to_attr="now"))
    return DIFFERENCE, (_difference(run, it) for it in found.iterator(chunk_size=5000))


def _differences_of(run: Run) -> QuerySet[Difference]:
    """The differences that the run found, also where a later run saw their breaks again: then those that stood or were new
    by then. A break that the run closed has none, but one that closed by a late partner says so."""
    said_by_then = Difference.objects.filter(brk=OuterRef("brk"), run__lte=run).order_by("-run").values("run")[:1]
    seen = Difference.objects.filter(brk__in=breaks_of(run), run__lte=run).annotate(newest=Subquery(said_by_then))
    agreed = Q(brk__last_run=run, brk__state=Break.State.CLOSED) & ~Q(brk__closed_because=LATE)
    return seen.filter(Q(current=True) | (~Q(brk__last_run=run) & Q(run=F("newest")))).exclude(agreed)


def breaks_of(run: Run) -> QuerySet[Break]:
    """The breaks that the run opened, saw or closed, whether or not a later run saw them again."""
    last = Break.objects.filter(last_run=run)
    later = Break.objects.filter(reconciliation=run.reconciliation, opened_run__lte=run, last_run__gt=run)
    if not later.exists():
        return last
    stood = {str(line[0]) for line in _outcome_lines(run) if line[4] == IN_BREAK}
    ids = [pk for pk, key in later.values_list("pk", "key") if key in stood]
    return Break.objects.filter(Q(last_run=run) | Q(pk__in=ids))


def _outcome(brk: Break) -> str:
    """What became of a break, in the four words of an export; a record that agreed later passed, one that is gone did not."""
    if brk.state == Break.State.CLOSED:
        return "rejected" if brk.closed_because == GONE else "passed"
    return OUTCOMES[brk.state]


def _difference(run: Run, it: Difference) -> Sequence[object]:
    now = it.now[0] if it.now else None  # type: ignore[attr-defined]
    top = now.candidates.all()[0].reason_id if now and now.candidates.all() else now.reason_id if now else ""
    told = (
        (now.reason_id, top, now.functional, now.confidence, now.proof, now.assigned_by)
        if now
        else ("", "", None, None, "", "")
    )
    return (
        run.pk,
        it.brk.key,
        it.field,
        it.value_a,
        it.value_b,
        it.kind,
        *told,
        _outcome(it.brk),
    )


def breaks(run: Run) -> Table:
    """One line per break that the run saw."""
    found = breaks_of(run).order_by("key", "id").values_list(*BREAK)
    return BREAK, ([short(value) for value in row] for row in found.iterator())


def short(value: object) -> object:
    """An amount without the zeros of its wide column."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def quarantine(run: Run) -> Table:
    """One line per quarantined row of the run's deliveries."""
    found = (
        QuarantinedRow.objects.filter(normalization__run_inputs__run=run).distinct().order_by("normalization", "line")
    )
    rows = with_said(found).values_list(  # type: ignore[misc]
        "normalization__delivery__source__code", "normalization__delivery", "line", "reason", "raw", "state", "said_comment",
        "said_by",
    )  # fmt: skip
    return QUARANTINED, rows.iterator()


def records(run: Run) -> Table:
    """One line per delivered row, with the state in which it stands now."""
    rows = standing(run).with_fate().values_list("side", "delivery_id", "record_number", "fate")  # type: ignore[misc]
    fates = {(side, delivery, n): fate for side, delivery, n, fate in rows.iterator()}
    return RECORD, (
        (key, side, delivery, n, fates.get((side, delivery, n), state) if state == IN_BREAK else state, hash_)
        for key, side, delivery, n, state, hash_ in _outcome_lines(run)
    )


def _outcome_lines(run: Run) -> Iterator[tuple[str, str, int, int, str, str | None]]:
    """What the run's outcome files say, in the order of the keys."""
    if not (files := _outcome_files(run)):
        return
    with lookup() as duck:
        duck.execute(f"SELECT {', '.join(RECORD)} FROM read_parquet([{files}]) ORDER BY key, side, delivery, n")
        yield from _fetched(duck)


def _fetched(duck: duckdb.DuckDBPyConnection) -> Iterator[Any]:
    while rows := duck.fetchmany(FETCHED):
        yield from rows


def store(run: Run) -> Table:
    """What the run's keys have in the store by it: the rows that it or a decision on its breaks stored, and those that it
    found stored already."""
    return store_columns(run.reconciliation.record_type), _stored_lines(run)


def store_columns(record_type: RecordType) -> Sequence[str]:
    """The columns of `store`: the key's text, each leaf, where the row came from."""
    names = [leaf.name for leaf in record_type.shape().leaves]
    return ("_key" if "key" in names else "key", *names, *TECHNICAL)


def _stored_lines(run: Run) -> Iterator[Sequence[object]]:
    leaves = run.reconciliation.record_type.shape().leaves
    with session(f"export-{run.pk}") as (duck, _):
        duck.execute("CREATE TEMP TABLE key_of_run (key VARCHAR, stored BOOLEAN)")
        if files := _outcome_files(run):
            duck.execute(
                "INSERT INTO key_of_run SELECT key, bool_or(state = 'stored') FROM "
                f"read_parquet([{files}]) WHERE state IN ('stored', {literal(IN_BREAK)}) GROUP BY key"
            )
        rows_of_run(duck, "key_of_run", run, "stored_row")
        texts = (it.column if it.kind in ("text", "boolean") else canonical_sql(it, it.column) for it in leaves)
        moments = (f"CAST({name} AS VARCHAR)" for name in TECHNICAL[2:])
        listed = ", ".join(["key", *texts, *TECHNICAL[:2], *moments])
        duck.execute(f"SELECT {listed} FROM stored_row ORDER BY key, _version")
        yield from _fetched(duck)


def _outcome_files(run: Run) -> str:
    """The run's outcome files as a list of SQL; empty where there are none."""
    return ", ".join(literal(str(lake.local(file.path))) for file in OutcomeFile.objects.filter(step__run=run))


def statement(run: Run) -> Table:
    """Per currency what each side delivered, the lines that explain the difference, and what is left; nothing where the
    records have no amount."""
    told = (run.report or {}).get("statement") or {"currencies": []}
    return STATEMENT, ([run.pk, *line] for account in told["currencies"] for line in _account(account))


def _account(account: dict[str, Any]) -> Iterator[Sequence[object]]:
    sums = ("rows_a", "rows_b", "a", "b", "difference")
    currency, left = account["currency"], [account[name] for name in ("unexplained_a", "unexplained_b", "unexplained")]
    yield [currency, "delivered", "", "", *(account[name] for name in sums)]
    for line in account["lines"]:
        yield [currency, *(line[name] for name in ("what", "reason", "outcome", *sums))]
    yield [currency, "unexplained", "", "", account["unexplained_rows_a"], account["unexplained_rows_b"], *left]


TABLES: dict[str, Callable[[Run], Table]] = {
    "records": records,
    "breaks": breaks,
    "differences": differences,
    "quarantine": quarantine,
    "store": store,
    "statement": statement,
}
