"""A corrected re-delivery: which records it adds, changes and leaves out against the delivery that it supersedes."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion import lake
from ingestion.expectations import readable
from ingestion.models import Delivery, Normalization, Source
from ingestion.shape import Leaf, canonical_sql
from ingestion.sql_text import literal, parquet
from reconciliation.session import session

ADDED, CHANGED, REMOVED, SAME = "added", "changed", "removed", "same"
LISTED = (CHANGED, ADDED, REMOVED)


@dataclass(frozen=True)
class Cell:
    """A field with its canonical text in both deliveries (of a flagged value the raw text); null where it is empty."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class ChangedRecord:
    """A record by its key: what happened to it, its record number in either delivery, and the cells that tell it."""

    kind: str
    key: str
    former_record: int | None
    record: int | None
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Redelivery:
    """Counts of records by kind, and some of the records. `is_picture`: what it leaves out is gone."""

    delivery: Delivery
    former: Delivery
    counts: Mapping[str, int]
    records: Sequence[ChangedRecord]

    @property
    def is_picture(self) -> bool:
        """Whether the source delivers complete pictures; else the records that it leaves out stay as they were."""
        return self.delivery.source.delivers == "snapshot"


def former_of(delivery: Delivery) -> Delivery | None:
    """The readable delivery of the same source and date before this one; none for repaired rows, which only add."""
    if delivery.replayed_from_id is not None:
        return None
    same = Delivery.objects.filter(source=delivery.source_id, business_date=delivery.business_date)
    earlier = readable(same.filter(pk__lt=delivery.pk, replayed_from=None))
    return earlier.select_related("source").order_by("-pk").first()


def before_of(source: Source, date: dt.date) -> Delivery | None:
    """What a delivery of a source and date would be looked at against: the one that it supersedes, else the newest of an earlier
    date."""
    given = Delivery.objects.filter(source=source, business_date__lte=date, replayed_from=None)
    return readable(given).select_related("source__record_type").order_by("-business_date", "-pk").first()


def compare_with_former(
    delivery: Delivery, *, kinds: Sequence[str] = LISTED, first: int = 0, most: int = 50
) -> Redelivery | None:
    """The delivery against the one that it supersedes: all counts, and `most` records of some kinds by key. None where
    there is no such delivery, or one of the two is not normalized or gone from the lake."""
    former = former_of(delivery)
    found = [_records(it) for it in (former, delivery)] if former is not None else []
    if former is None or not all(found):
        return None
    leaves = delivery.source.record_type.shape().leaves
    return Redelivery(delivery, former, *_compare((found[0], found[1]), leaves, kinds, first, most))


def compare_file(
    former: Delivery, records: Path, *, most: int = 50
) -> tuple[Mapping[str, int], Sequence[ChangedRecord]] | None:
    """Records of a file that is no delivery yet against those of a delivery: counts by kind, and `most` that changed or are
    added. None where the delivery's are gone."""
    held = _records(former)
    if not held:
        return None
    return _compare((held, literal(str(records))), former.source.record_type.shape().leaves, (CHANGED, ADDED), 0, most)


def _compare(
    paths: tuple[str, str], leaves: Sequence[Leaf], kinds: Sequence[str], first: int, most: int
) -> tuple[Mapping[str, int], Sequence[ChangedRecord]]:
    """`paths` of the old and the new records, as SQL spells them."""
    with session("redelivery") as (duck, _):
        for name, path in zip(("old", "new"), paths, strict=True):
            _load(duck, name, path)
        held = {row[0] for row in duck.execute("DESCRIBE old").fetchall()}
        held &= {row[0] for row in duck.execute("DESCRIBE new").fetchall()}
        shared = [leaf for leaf in leaves if leaf.column in held]
        _match(duck, shared)
        counts = dict(duck.execute("SELECT kind, count(*) FROM matched GROUP BY kind").fetchall())
        return {kind: counts.get(kind, 0) for kind in (*LISTED, SAME)}, _listed(duck, shared, kinds, first, most)


def _records(delivery: Delivery) -> str:
    """Where the newest reading of a delivery lies; empty where there is none."""
    work = delivery.normalizations.filter(state=Normalization.State.DONE).order_by("-mapping__version").first()
    path = lake.local(work.path) if work else None
    if path is None or not path.exists():
        return ""
    return parquet(path)


def _load(duck: duckdb.DuckDBPyConnection, name: str, path: str) -> None:
    """The records as a view, with `nth`: of a key that stands more than once, which of its rows it is."""
    file = f"read_parquet({path}, hive_partitioning = false)"
    twice = duck.execute(f"SELECT count(*) > count(DISTINCT key) FROM {file}").fetchall()[0][0]
    nth = "row_number() OVER (PARTITION BY key ORDER BY n)" if twice else "1"
    duck.execute(f"CREATE TEMP VIEW {name} AS SELECT *, {nth} AS nth FROM {file}")


def _match(duck: duckdb.DuckDBPyConnection, leaves: Sequence[Leaf]) -> None:
    """Create `matched`: one row per record of either delivery, with what happened to it."""
    differs = " OR ".join(
        f"o.{it.column} IS DISTINCT FROM n.{it.column} OR (n.{it.column} IS NULL AND {_raw('o', it)} IS DISTINCT FROM {_raw('n', it)})"
        for it in leaves
    )
    duck.execute(
        "CREATE TEMP TABLE matched AS SELECT coalesce(o.key, n.key) AS key, coalesce(o.nth, n.nth) AS nth, o.n AS was_at, "
        f"n.n AS at, CASE WHEN o.key IS NULL THEN '{ADDED}' WHEN n.key IS NULL THEN '{REMOVED}' WHEN {differs or 'false'} "
        f"THEN '{CHANGED}' ELSE '{SAME}' END AS kind FROM old o FULL JOIN new n ON n.key = o.key AND n.nth = o.nth"
    )


def _raw(side: str, leaf: Leaf) -> str:
    return f"nullif(trim({side}.raw_{leaf.column}), '')"


def _listed(
    duck: duckdb.DuckDBPyConnection, leaves: Sequence[Leaf], kinds: Sequence[str], first: int, most: int
) -> list[ChangedRecord]:
    chosen = ", ".join(literal(kind) for kind in kinds if kind in LISTED) or "''"
    texts = "".join(
        f", coalesce({canonical_sql(it, f'{side}.{it.column}')}, {_raw(side, it)})"
        for side in ("o", "n")
        for it in leaves
    )
    rows = duck.execute(
        "WITH page AS (SELECT * FROM matched "
        f"WHERE kind IN ({chosen}) ORDER BY kind <> '{CHANGED}', kind, key, nth LIMIT {int(most)} OFFSET {int(first)}) "
        f"SELECT p.kind, p.key, p.was_at, p.at{texts} FROM page p LEFT JOIN old o ON o.n = p.was_at LEFT JOIN new n ON n.n = p.at "
        f"ORDER BY p.kind <> '{CHANGED}', p.kind, p.key, p.nth"
    ).fetchall()
    return [_record(leaves, *row) for row in rows]


def _record(
    leaves: Sequence[Leaf], kind: str, key: str, was_at: int | None, at: int | None, *texts: str | None
) -> ChangedRecord:
    cells = [
        Cell(it.name, before, after) for it, before, after in zip(leaves, texts, texts[len(leaves) :], strict=False)
    ]
    told = [it for it in cells if it.before != it.after]
    return ChangedRecord(kind, key, was_at, at, told)
