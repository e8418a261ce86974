"""A naive per-row pipeline of our own, for comparison only: csv, dictionaries, Decimal, Django's ORM.

python -m tests.benchmarks.naive FOLDER row|batch

`row` saves each record by itself, in one transaction; `batch` saves a thousand at a time.

It reads both files, normalizes each value by itself, joins by a dictionary, compares field by field and stores matched
records with two references, breaks and differences. It has no provers, no gate, no outcome per row, no seals and no
versions, takes the last of repeated keys, and drops a value that does not fit: less work than the product does.
"""

import csv
import datetime as dt
import sys
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import django
from django.db import connection, models, transaction

BATCH = 1_000
TOLERANCES = {"amount": Decimal("0.01"), "rate": Decimal("0.0001")}
FIELDS = ("day", "settles", "party", "country", "trader", "book", "side", "currency", "amount", "rate", "note")

Row = dict[str, Any]


def rows_of(path: Path) -> Iterator[Row]:
    """The records of a file, a value at a time."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield {name: normalized(name, text) for name, text in row.items()}


def normalized(name: str, text: str) -> object:
    """The typed value of a text; None where it does not fit."""
    text = text.strip()
    try:
        if name in ("day", "settles"):
            return dt.date.fromisoformat(text)
        return Decimal(text) if name in TOLERANCES else text
    except (ValueError, InvalidOperation):
        return None


def differing(a: Row, b: Row) -> list[str]:
    """The fields in which two records differ."""
    return [name for name in FIELDS if a[name] != b[name] and not _tolerated(name, a[name], b[name])]


def _tolerated(name: str, x: Any, y: Any) -> bool:  # noqa: ANN401
    return name in TOLERANCES and x is not None and y is not None and abs(x - y) <= TOLERANCES[name]


def _models() -> dict[str, type[models.Model]]:
    def made(name: str, /, **fields: models.Field) -> type[models.Model]:
        meta = type("Meta", (), {"app_label": "naive", "db_table": f"naive_{name.lower()}"})
        return type(name, (models.Model,), {"__module__": __name__, "Meta": meta, **fields})

    text, day = models.TextField, models.DateField
    party = made("Party", name=text(unique=True), country=text())
    trader = made("Trader", code=text(unique=True))
    deal = made(
        "Deal", key=text(unique=True), day=day(), settles=day(), book=text(), side=text(), currency=text(), note=text(),
        party=models.ForeignKey(party, models.PROTECT), trader=models.ForeignKey(trader, models.PROTECT),
        amount=models.DecimalField(max_digits=18, decimal_places=2),
        rate=models.DecimalField(max_digits=12, decimal_places=6),
    )  # fmt: skip
    brk = made("Break", key=text(db_index=True), kind=text())
    difference = made(
        "Difference", brk=models.ForeignKey(brk, models.CASCADE), field=text(), a=text(null=True), b=text(null=True)
    )
    return {"party": party, "trader": trader, "deal": deal, "break": brk, "difference": difference}


def _save(table: type[models.Model], made: list[Any], way: str) -> None:
    if way == "batch":
        table._default_manager.bulk_create(made, batch_size=BATCH)
        return
    for one in made:
        one.save(force_insert=True)


def run(folder: Path, way: str) -> None:
    """Files to store."""
    tables = _models()
    with connection.schema_editor() as editor:
        for table in tables.values():
            editor.create_model(table)
    a = {row["id"]: row for row in rows_of(folder / "a.csv")}
    b = {row["id"]: row for row in rows_of(folder / "b.csv")}
    parties: dict[str, Any] = {}
    traders: dict[str, Any] = {}
    deals: list[Any] = []
    breaks: list[Any] = []
    differences: list[Any] = []
    for key in a.keys() | b.keys():
        left, right = a.get(key), b.get(key)
        if left is None or right is None:
            breaks.append(tables["break"](key=key, kind="missing"))
            continue
        wrong = differing(left, right)
        if wrong:
            breaks.append(tables["break"](key=key, kind="differing"))
            differences += [
                tables["difference"](brk=breaks[-1], field=name, a=str(left[name]), b=str(right[name]))
                for name in wrong
            ]
            continue
        party, trader = left["party"], left["trader"]
        if party not in parties:
            parties[party] = tables["party"]._default_manager.create(name=party, country=left["country"])
        if trader not in traders:
            traders[trader] = tables["trader"]._default_manager.create(code=trader)
        rest = {name: left[name] for name in FIELDS if name not in ("party", "country", "trader")}
        deals.append(tables["deal"](key=key, party=parties[party], trader=traders[trader], **rest))
    with transaction.atomic():
        for table, made in (("deal", deals), ("break", breaks), ("difference", differences)):
            _save(tables[table], made, way)
    with connection.schema_editor() as editor:
        for table in reversed(tables.values()):
            editor.delete_model(table)


if __name__ == "__main__":
    django.setup()
    run(Path(sys.argv[1]), sys.argv[2])
