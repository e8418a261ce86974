"""Exports: what a run found, as a file that a spreadsheet opens without running anything in it."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

import pandas as pd
import xlsxwriter
from django.db.models import Prefetch

from attribution.models import Attribution
from ingestion import lake
from ingestion.lookup import lookup
from ingestion.models import QuarantinedRow
from ingestion.spreadsheets import plain, safe
from ingestion.sql_text import literal
from reconciliation.models import Break, Difference, OutcomeFile, Run
from reconciliation.store.current import stored_versions

Table = tuple[Sequence[str], Iterator[Sequence[object]]]
OUTCOMES = {
    "review": "review",
    "in_flight": "review",
    "passed": "passed",
    "approved": "approved",
    "rejected": "rejected",
}


class BadExport(ValueError):
    """An export that cannot be made; the text says what there is."""


def export(what: str, run: Run, target: Path) -> int:
    """Write one thing of a run to a file, in the format of its suffix. Gives the number of lines."""
    if what not in TABLES:
        raise BadExport(f"There is no export {what!r}; there is {', '.join(TABLES)}.")
    if target.suffix not in WRITERS:
        raise BadExport(f"There is no format {target.suffix!r}; there is {', '.join(WRITERS)}.")
    columns, rows = TABLES[what](run)
    return WRITERS[target.suffix](target, columns, rows)


def differences(run: Run) -> Table:
    """One line per differing cell; a row-level exception is one line with field `*row*`."""
    columns = (
        "run", "key", "field", "value_a", "value_b", "kind", "reason", "best_reason", "functional", "confidence", "proof",
        "assigned_by", "outcome",
    )  # fmt: skip
    said = Attribution.objects.filter(current=True).prefetch_related("candidates")
    found = Difference.objects.filter(brk__last_run=run, current=True).select_related("brk").order_by("brk__key", "id")
    found = found.prefetch_related(Prefetch("attributions", said, to_attr="now"))
    return columns, (_difference(run, it) for it in found.iterator(chunk_size=5000))


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
        OUTCOMES.get(it.brk.state, it.brk.state),
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
    return columns, Break.objects.filter(last_run=run).order_by("key").values_list(*columns).iterator()


def quarantine(run: Run) -> Table:
    """One line per quarantined row of the run's deliveries."""
    found = (
        QuarantinedRow.objects.filter(normalization__run_inputs__run=run).distinct().order_by("normalization", "line")
    )
    rows = found.values_list(
        "normalization__delivery__source__code", "normalization__delivery", "line", "reason", "raw"
    )
    return ("source", "delivery", "line", "reason", "raw"), rows.iterator()


def records(run: Run) -> Table:
    """One line per delivered row, with the state that the run gave it."""
    columns = ("key", "side", "delivery", "n", "state", "hash")
    files = [literal(str(lake.local(file.path))) for file in OutcomeFile.objects.filter(step__run=run)]
    if not files:
        return columns, iter(())
    with lookup() as duck:
        query = f"SELECT {', '.join(columns)} FROM read_parquet([{', '.join(files)}]) ORDER BY key"
        return columns, iter(duck.execute(query).fetchall())


def store(run: Run) -> Table:
    """The versions that the run's keys have in the store."""
    leaves = [leaf.name for leaf in run.reconciliation.record_type.shape().leaves]
    columns = ("key", *leaves, "_run", "_decision", "_valid_from", "_valid_to")
    keys = dict.fromkeys(str(line[0]) for line in records(run)[1] if line[4] in ("stored", "in_break"))
    return columns, (
        [version.get(name) for name in columns]
        for key in keys
        for version in stored_versions(run.reconciliation.record_type, key)
        if version["_run"] == run.pk
    )


TABLES: dict[str, Callable[[Run], Table]] = {
    "records": records,
    "breaks": breaks,
    "differences": differences,
    "quarantine": quarantine,
    "store": store,
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
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    count = 0
    with xlsxwriter.Workbook(str(target), options) as book:
        sheet = book.add_worksheet("export")
        sheet.write_row(0, 0, columns)
        for count, row in enumerate(rows, 1):
            for at, value in enumerate(row):
                is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
                sheet.write_number(count, at, value) if is_number else sheet.write_string(count, at, safe(value))
    return count


def _json(target: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    told = [dict(zip(columns, row, strict=True)) for row in rows]
    target.write_text(json.dumps(told, default=str, ensure_ascii=False, indent=1), encoding="utf-8")
    return len(told)


def _parquet(target: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
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
