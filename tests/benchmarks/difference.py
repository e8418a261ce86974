"""The difference stage alone: typed Parquet in; classes, pairs and cells out.

python -m tests.benchmarks.difference FOLDER [write]

With `write` it only makes the typed Parquet. Else it prints CPU and wall seconds after the imports, peak memory and what it found, as JSON.
"""

import json
import resource
import sys
import time
from decimal import Decimal
from pathlib import Path

import duckdb
from django.conf import settings

from ingestion.detection import detect
from ingestion.framing import frame
from ingestion.mapping import FieldMapping
from ingestion.normalize import normalize
from ingestion.shape import Leaf, Shape
from reconciliation.engine.duckdb_engine import CompareSpec, compare
from reconciliation.engine.rules import CompareRule

COLUMNS = ("id", "day", "settles", "party", "country", "trader", "book", "side", "currency", "amount", "rate", "note")


def _leaf(number: int, name: str) -> Leaf:
    kinds = {"day": "date", "settles": "date", "amount": "decimal", "rate": "decimal"}
    places = {"amount": 2, "rate": 6}.get(name, 0)
    return Leaf(name, name, f"f{number}", kinds.get(name, "text"), places=places, key=name == "id")


SHAPE = Shape("deal", tuple(_leaf(number, name) for number, name in enumerate(COLUMNS)))
NUMBERS = {"float": "CAST({} AS DOUBLE)", "exact": "{}"}
RULES = {"amount": CompareRule(absolute=Decimal("0.01")), "rate": CompareRule(absolute=Decimal("0.0001"))}


def write_typed(folder: Path) -> None:
    """a.parquet and b.parquet as the engine reads them; for the peer a.float.parquet and a.exact.parquet, and so for b: its
    own column names, no keys or raw texts, numbers as floats (its fastest) or as exact decimals (what ours are)."""
    for side in ("a", "b"):
        path, target = folder / f"{side}.csv", folder / f"{side}.parquet"
        format_ = detect(path, {})
        mappings = [FieldMapping.from_document(name, {"column": name}) for name in COLUMNS]
        normalize(frame(path, format_, folder), format_, SHAPE, mappings, target)
        for numbers, type_ in NUMBERS.items():
            plain = ", ".join(
                f"{type_.format(leaf.column)} AS {leaf.name}"
                if leaf.kind == "decimal"
                else f"{leaf.column} AS {leaf.name}"
                for leaf in SHAPE.leaves
            )
            duckdb.execute(
                f"COPY (SELECT {plain} FROM '{target}') TO '{folder}/{side}.{numbers}.parquet' (FORMAT parquet)"
            )


def find(folder: Path) -> dict[str, object]:
    """The counts of classes and of differing cells by field."""
    names = frozenset(COLUMNS)
    duck = duckdb.connect()
    duck.execute(f"SET memory_limit = '{settings.ENGINE_MEMORY}'")
    duck.execute(f"SET threads = {settings.ENGINE_THREADS}")
    duck.execute("SET preserve_insertion_order = false")
    for side, delivery in (("a", 1), ("b", 2)):
        duck.execute(
            f"CREATE TEMP VIEW {side} AS SELECT *, {delivery}::BIGINT AS delivery, false AS carried "
            f"FROM read_parquet('{folder}/{side}.parquet')"
        )
    compare(duck, "a", "b", CompareSpec(SHAPE, RULES, names, names), records=False)
    return {
        "classes": dict(duck.execute("SELECT class, count(*) FROM pair GROUP BY class").fetchall()),
        "cells": dict(duck.execute("SELECT field, count(*) FROM cell GROUP BY field ORDER BY field").fetchall()),
        "repeated": duck.execute("SELECT count(*) FROM repeated_key").fetchall()[0][0],
    }


def main() -> None:
    """Measure this process."""
    if sys.argv[2:] == ["write"]:
        write_typed(Path(sys.argv[1]))
        return
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    found = find(Path(sys.argv[1]))
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"cpu": cpu, "wall": time.monotonic() - began, "peak": after.ru_maxrss / 1024, "found": found}))


if __name__ == "__main__":
    main()
