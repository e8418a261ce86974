"""Exports: what a run found, as a file that a spreadsheet opens without running anything in it."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from django.db.models import F, OuterRef, Prefetch, Q, QuerySet, Subquery

from attribution.models import Attribution
from ingestion import lake
from ingestion.lookup import lookup
from ingestion.models import QuarantinedRow
from ingestion.quarantine import with_said
from ingestion.shape import canonical_sql
from ingestion.spreadsheets import plain, safe
from ingestion.sql_text import literal
from reconciliation.conservation import standing
from reconciliation.models import Break, Difference, OutcomeFile, Run
from reconciliation.session import session
from reconciliation.store.current import rows_of_run

Table = tuple[Sequence[str], Iterator[Sequence[object]]]
OUTCOMES = {
    "review": "review",
    "in_flight": "review",
    "passed": "passed",
    "approved": "approved",
    "rejected": "rejected",
}

IN_BREAK, LATE, GONE = "in_break", "matched late", "gone"


class BadExport(ValueError):
    """An export that cannot be made; the text says what there is."""


def export(what: str, run: Run, target: Path) -> int:
    """Write one thing of a run to a file, in the format of its suffix. Gives the number of lines."""
    if what not in TABLES:
        raise BadExport(f"There is no export {what!r}; there is {', '.join(TABLES)}.")
    return write_table(target, lambda: TABLES[what](run))


def write_table(target: Path, made: Callable[[], Table]) -> int:
    """Write a table to a file, in the format of its suffix. Gives the number of lines."""
    if (suffix := target.suffix.lower()) not in WRITERS:
        raise BadExport(f"There is no format {target.suffix!r}; there is {', '.join(WRITERS)}.")
    if not target.absolute().parent.is_dir():
        raise BadExport(f"There is no folder {target.absolute().parent}.")
    try:
        target.open("ab").close()  # before the work, and for every writer in the same words
    except OSError as error:
        raise BadExport(f"{target} could not be written: {error.strerror}.") from None
    return WRITERS[suffix](target, *made())


def differences(run: Run) -> Table:
    """One line per differing cell; a row-level exception is one line with field `*row*`."""
    columns = (
        "run", "key", "field", "value_a", "value_b", "kind", "reason", "best_reason", "functional", "confidence", "proof",
        "assigned_by", "outcome",
    )  # fmt: skip
    said = Attribution.objects.filter(current=True).prefetch_related("candidates")
    found = _differences_of(run).select_related("brk").order_by("brk__key", "id")
    found = found.prefetch_related(Prefetch("attributions", said, to_attr="now"))
    return columns, (_difference(run, it) for it in found.iterator(chunk_size=5000))


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
    columns = (
        "key",
        "kind",
        "state",
        "confidence",
        "band",
        "amount",
        "currency",
        "opened_at",
        "closed_at",
        "closed_because",
    )
    found = breaks_of(run).order_by("key", "id").values_list(*columns)
    return columns, ([_short(value) for value in row] for row in found.iterator())


def _short(value: object) -> object:
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
    return ("source", "delivery", "line", "reason", "raw", "state", "comment", "by"), rows.iterator()


RECORD = ("key", "side", "delivery", "n", "state", "hash")


def records(run: Run) -> Table:
    """One line per delivered row, with the state in which it stands now."""
    rows = standing(run).with_fate().values_list("side", "delivery_id", "record_number", "fate")  # type: ignore[misc]
    fates = {(side, delivery, n): fate for side, delivery, n, fate in rows.iterator()}
    return RECORD, (
        (key, side, delivery, n, fates.get((side, delivery, n), state) if state == IN_BREAK else state, hash_)
        for key, side, delivery, n, state, hash_ in _outcome_lines(run)
    )


def _outcome_lines(run: Run) -> list[tuple[str, str, int, int, str, str | None]]:
    """What the run's outcome files say, in the order of the keys."""
    if not (files := _outcome_files(run)):
        return []
    with lookup() as duck:
        query = f"SELECT {', '.join(RECORD)} FROM read_parquet([{files}]) ORDER BY key, side, delivery, n"
        return duck.execute(query).fetchall()


def store(run: Run) -> Table:
    """What the run's keys have in the store by it: the rows that it or a decision on its breaks stored, and those that it
    found stored already."""
    leaves = run.reconciliation.record_type.shape().leaves
    technical = ("_run", "_decision", "_valid_from", "_valid_to")
    with session(f"export-{run.pk}") as (duck, _):
        duck.execute("CREATE TEMP TABLE key_of_run (key VARCHAR, stored BOOLEAN)")
        if files := _outcome_files(run):
            duck.execute(
                "INSERT INTO key_of_run SELECT key, bool_or(state = 'stored') FROM "
                f"read_parquet([{files}]) WHERE state IN ('stored', {literal(IN_BREAK)}) GROUP BY key"
            )
        rows_of_run(duck, "key_of_run", run, "stored_row")
        texts = (it.column if it.kind in ("text", "boolean") else canonical_sql(it, it.column) for it in leaves)
        listed = ", ".join(["key", *texts, *technical[:2], *(f"CAST({name} AS VARCHAR)" for name in technical[2:])])
        rows = duck.execute(f"SELECT {listed} FROM stored_row ORDER BY key, _version").fetchall()
    names = [leaf.name for leaf in leaves]
    return ("_key" if "key" in names else "key", *names, *technical), iter(rows)


def _outcome_files(run: Run) -> str:
    """The run's outcome files as a list of SQL; empty where there are none."""
    return ", ".join(literal(str(lake.local(file.path))) for file in OutcomeFile.objects.filter(step__run=run))


def statement(run: Run) -> Table:
    """Per currency what each side delivered, the lines that explain the difference, and what is left; nothing where the
    records have no amount."""
    columns = ("run", "currency", "line", "reason", "outcome", "rows_a", "rows_b", "a", "b", "difference")
    told = (run.report or {}).get("statement") or {"currencies": []}
    return columns, ([run.pk, *line] for account in told["currencies"] for line in _account(account))


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


def _csv(target: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    count = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([safe(value) for value in row])
            count += 1
    return count


def _xlsx(target: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    import xlsxwriter  # here, so that no process loads it to start

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    count = 0
    with xlsxwriter.Workbook(str(target), options) as book:
        sheet = book.add_worksheet("export")
        sheet.write_row(0, 0, columns)
        for count, row in enumerate(rows, 1):
            for at, value in enumerate(row):
                is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
                put = sheet.write_number(count, at, value) if is_number else sheet.write_string(count, at, safe(value))
                if put:
                    raise BadExport(
                        f"Line {count} does not fit into a sheet of Excel. Export as .csv or .parquet instead."
                    )
    return count


def _json(target: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    told = [dict(zip(columns, row, strict=True)) for row in rows]
    target.write_text(json.dumps(told, default=str, ensure_ascii=False, indent=1), encoding="utf-8")
    return len(told)


def _parquet(target: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    import pandas as pd  # here, so that no process loads it to start

    told = [[None if value is None else plain(value) for value in row] for row in rows]
    frame = pd.DataFrame(told, columns=list(columns), dtype=object)
    with lookup() as duck:
        duck.register("told", frame)
        texts = ", ".join(f'CAST("{name}" AS VARCHAR) AS "{name}"' for name in columns)
        duck.execute(f"COPY (SELECT {texts} FROM told) TO {literal(str(target))} (FORMAT parquet)")
    return len(told)


def _xml(target: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    count = 0
    with target.open("w", encoding="utf-8") as file:
        made = XMLGenerator(file, encoding="utf-8")
        made.startDocument()
        made.startElement("export", AttributesImpl({}))
        for row in rows:
            count += 1
            made.startElement("line", AttributesImpl({}))
            for name, value in zip(columns, row, strict=True):
                made.startElement("value", AttributesImpl({"name": name}))
                made.characters(re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", " ", plain(value)))
                made.endElement("value")
            made.endElement("line")
        made.endElement("export")
        made.endDocument()
    return count


WRITERS: dict[str, Callable[[Path, Sequence[str], Iterable[Sequence[object]]], int]] = {
    ".csv": _csv,
    ".xlsx": _xlsx,
    ".parquet": _parquet,
    ".json": _json,
    ".xml": _xml,
}
