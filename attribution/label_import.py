"""Labels from a file: reasons that people confirmed elsewhere become Corrections. All of a file's labels, or none."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from attribution.corrections import NO_LABEL
from attribution.models import Correction, Reason
from attribution.second_opinions import ask_for_second_opinions
from ingestion import custody
from ingestion.audit_log import record_event
from ingestion.spreadsheets import restored
from ingestion.suggestion import nearest
from reconciliation.models import Break, Difference, Reconciliation

COLUMNS = ("reconciliation", "key", "field", "reason")
MOST_FAULTS = 20


class BadLabels(ValueError):
    """A file that cannot be imported: a sentence a line. Nothing of it was. `faults`: each with its line, where it has one."""

    def __init__(self, told: str, faults: Sequence[tuple[int, str]] = ()) -> None:
        super().__init__(told)
        self.faults = faults


@dataclass(frozen=True)
class Imported:
    """What an import did. `kept`: labels that a decision, or a second opinion, made here contradicts; it stands. `waiting`: of
    those written, how many contradict the model and wait for a second opinion."""

    written: int
    known: int
    kept: int
    waiting: int = 0


@dataclass(frozen=True)
class Label:
    """A line of the file."""

    line: int
    reconciliation: str
    key: str
    field: str
    reason: str

    @property
    def has_nul(self) -> bool:
        """Whether it names what the database can hold no text of."""
        return "\0" in self.key + self.field


@dataclass(frozen=True)
class Fate:
    """What an import does to a difference's label: the reason before it, empty for none, and after it."""

    line: int
    before: str
    after: str


def import_labels(*, file: Path, by: str, dry_run: bool = False) -> Imported:
    """Write a Correction for each line: the newest difference of that key and field has this reason. BadLabels names every line
    that cannot be, with what would be right. Nothing is kept of a dry run."""
    seen = Reconciliation.objects.all()
    return write_labels(list(_read(file)), by=by, name=file.name, seen=seen, dry_run=dry_run)[0]


def write_labels(
    labels: Sequence[Label],
    *,
    by: AbstractBaseUser | str,
    name: str,
    seen: QuerySet[Reconciliation],
    dry_run: bool = False,
) -> tuple[Imported, list[Fate]]:
    """The same of labels that were read already, about reconciliations that may be seen; each with what becomes of it. Nothing
    is kept of a dry run."""
    found, faults = _sought(labels, seen)
    with transaction.atomic():
        _load(found)
        if faults := faults + _not_found():
            raise _bad(faults)
        fates = _fates()
        done = _write(by if isinstance(by, str) else by.get_username())
        told = {"written": done.written, "known": done.known, "kept": done.kept}
        record_event("labels.imported", of="file", by=by, name=name, after=told)
        transaction.set_rollback(dry_run)
        return done, fates


def _read(file: Path) -> Iterator[Label]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines, strict=True)
            places = _places(next(reader, []))
            for cells in reader:
                if cells:
                    yield _label(reader.line_num, cells, places)
    except OSError as error:
        raise BadLabels(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BadLabels(f"{file.name} is no UTF-8 text. Save it as CSV in UTF-8.") from None
    except csv.Error as error:
        raise BadLabels(f"{file.name}: line {reader.line_num} is no CSV: {error}.") from None


def _places(header: list[str]) -> dict[str, int]:
    names = [name.strip().lower() for name in header]
    if missing := [name for name in COLUMNS if name not in names]:
        raise BadLabels(
            f"There is no column {', '.join(missing)}. The first line names {', '.join(COLUMNS)}, divided by commas."
        )
    return {name: names.index(name) for name in COLUMNS}


def _label(line: int, cells: list[str], places: dict[str, int]) -> Label:
    if len(cells) <= max(places.values()):
        raise BadLabels(f"line {line}: it has {len(cells)} cells, and a column is missing. Give every column a value.")
    reconciliation, key, field, reason = (restored(cells[places[name]]) for name in COLUMNS)
    return Label(line, reconciliation.strip(), key, field.strip(), reason.strip())


def _sought(
    labels: Sequence[Label], seen_here: QuerySet[Reconciliation]
) -> tuple[list[tuple[Label, int]], list[tuple[int, str]]]:
    """The labels with the ids of their reconciliations, each difference once, and what is wrong with a line by itself."""
    ids = dict(seen_here.values_list("code", "pk"))
    reasons = set(Reason.objects.filter(active=True).exclude(code__in=NO_LABEL).values_list("code", flat=True))
    faults, seen = list[tuple[int, str]](), dict[tuple[str, str, str], Label]()
    for it in labels:
        first = seen.setdefault((it.reconciliation, it.key, it.field), it)
        faults += [(it.line, fault) for fault in _faults(it, first, ids, reasons)]
    if not labels:
        raise BadLabels("There are no labels in the file. Each line under the first one is a label.")
    found = [it for it in seen.values() if it.reconciliation in ids and not it.has_nul]
    return [(it, ids[it.reconciliation]) for it in found], faults


def _faults(it: Label, first: Label, ids: dict[str, int], reasons: set[str]) -> Iterator[str]:
    if it.has_nul:
        yield "it holds a NUL character, which no key and no field does. Take it out."
    if it.reconciliation not in ids:
        yield f"there is no reconciliation {it.reconciliation!r}{nearest(it.reconciliation, ids)}"
    if it.reason in NO_LABEL:
        yield f"{it.reason} is no reason to learn from. Leave the line out."
    elif it.reason not in reasons:
        yield f"there is no active reason {it.reason!r}{nearest(it.reason, reasons)}"
    if first.reason != it.reason:
        yield f"it says {it.reason}, and line {first.line} says {first.reason} of the same difference. Keep one of them."


_MADE_HERE = (  # a decision, or a label on which somebody here gave a second opinion
    "(c.decision IS NOT NULL OR EXISTS (SELECT 1 FROM attribution_secondopinion o "
    "WHERE o.correction_id IN (c.id, c.replaced_id) AND o.answered_at IS NOT NULL))"
)


def _load(labels: list[tuple[Label, int]]) -> None:
    """Create `given_label`, and `found_label` with the newest difference of each."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS given_label, found_label")
        cursor.execute(
            "CREATE TEMP TABLE given_label (line int, reconciliation_id bigint, key text, field text, reason text)"
        )
        with cursor.copy("COPY given_label FROM STDIN") as copy:
            for it, pk in labels:
                copy.write_row((it.line, pk, it.key, it.field, it.reason))
        cursor.execute("ANALYZE given_label")
        # a decision on one of these breaks ends first, or waits until this has ended
        cursor.execute(
            "SELECT b.id FROM reconciliation_break b WHERE EXISTS (SELECT 1 FROM given_label l "
            "WHERE l.reconciliation_id = b.reconciliation_id AND l.key = b.key) ORDER BY b.id FOR UPDATE"
        )
        cursor.execute(
            "CREATE TEMP TABLE found_label AS SELECT DISTINCT ON (l.line) l.line, l.reason, d.id AS difference_id, "
            f"c.id AS earlier, c.reason_id AS said, {_MADE_HERE} AS made_here FROM given_label l "
            "JOIN reconciliation_break b ON b.reconciliation_id = l.reconciliation_id AND b.key = l.key "
            "JOIN reconciliation_difference d ON d.break_id = b.id AND d.current AND d.field = l.field "
            "LEFT JOIN attribution_correction c ON c.difference_id = d.id AND (c.active OR c.waiting_since IS NOT NULL) ORDER BY l.line, b.id DESC, d.id DESC"
        )


def _not_found() -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT line, reconciliation_id, key, field FROM given_label WHERE line NOT IN (SELECT line FROM found_label) "
            "ORDER BY line"
        )
        missing = cursor.fetchall()
    named = [(line, _why(pk, key, field)) for line, pk, key, field in missing[:MOST_FAULTS]]
    return named + [
        (line, f"no difference has the key {key!r} and the field {field!r}.")
        for line, _, key, field in missing[MOST_FAULTS:]
    ]


def _fates() -> list[Fate]:
    """What becomes of each difference's label."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT line, coalesce(said, ''), CASE WHEN made_here THEN said ELSE reason END FROM found_label ORDER BY line"
        )
        return [Fate(*row) for row in cursor.fetchall()]


def _why(reconciliation: int, key: str, field: str) -> str:
    breaks = Break.objects.filter(reconciliation=reconciliation, key=key)
    differing = Difference.objects.filter(brk__in=breaks, current=True).order_by("field")
    fields = ", ".join(dict.fromkeys(differing.values_list("field", flat=True)))
    if not fields:
        return f"no break has the key {key!r}. A label belongs to a difference that a run has found."
    return f"{field!r} does not differ for the key {key!r}. What differs is {fields}."


def _write(by: str) -> Imported:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE said = reason), count(*) FILTER (WHERE said <> reason AND made_here), "
            "array_agg(earlier) FILTER (WHERE said <> reason AND NOT made_here) FROM found_label"
        )
        known, kept, replaced = cursor.fetchone()
        cursor.execute(
            "UPDATE attribution_correction SET active = false, waiting_since = NULL WHERE id = ANY(%s)",
            [replaced or []],
        )
        cursor.execute(
            "INSERT INTO attribution_correction (difference_id, reason_id, predicted, confirmed_by, confirmed_at, active, "
            "replaced_id) SELECT f.difference_id, f.reason, coalesce(c.reason_id, a.reason_id, ''), %s, %s, true, f.earlier "
            "FROM found_label f "
            "LEFT JOIN attribution_attribution a ON a.difference_id = f.difference_id AND a.current "
            "LEFT JOIN attribution_candidate c ON c.attribution_id = a.id AND c.rank = 1 "
            "WHERE f.said IS NULL OR (f.said <> f.reason AND NOT f.made_here) ORDER BY f.line RETURNING id",
            [by, timezone.now()],
        )
        written = [row[0] for row in cursor.fetchall()]
    table = Correction._meta.db_table
    custody.seal_ids(table, replaced or [])
    custody.seal_ids(table, written, first=True)
    return Imported(len(written), known, kept, ask_for_second_opinions(written))


def _bad(faults: Sequence[tuple[int, str]]) -> BadLabels:
    return BadLabels(_told(faults), sorted(faults))


def _told(faults: Sequence[tuple[int, str]]) -> str:
    lines = [f"line {line}: {sentence}" for line, sentence in sorted(faults)[:MOST_FAULTS]]
    if more := len(faults) - len(lines):
        lines.append(f"and {more} more.")
    return "\n".join(lines)
