"""What other doors than two CSV files cost: a thousand dropped files, a workbook, a CSV larger than memory.

python -m tests.benchmarks.doors [--drops N] [--rows N] [--gigabytes N]

Each is measured as a management command from its start to its end; memory is the largest process, children included.
"""

import csv
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import numpy as np
import xlsxwriter
import yaml
from django.conf import settings

from tests.benchmarks.cpu import Cost, cost_of, manage

DEFINITION = """
record_types:
  payment:
    fields:
      id: {type: text, key: true}
      day: {type: date}
      settles: {type: date}
      payer: {type: text}
      payee: {type: text}
      book: {type: text}
      currency: {type: text}
      amount: {type: decimal, digits: 18, places: 2}
      rate: {type: decimal, digits: 12, places: 6}
      note: {type: text}
sources:
  dropped: {record_type: payment, kind: drop, connection: {url: URL}, mapping: &m MAPPING}
  workbook: {record_type: payment, format: {type: excel}, mapping: *m}
  large: {record_type: payment, mapping: *m}
"""
FIELDS = ("id", "day", "settles", "payer", "payee", "book", "currency", "amount", "rate", "note")
BLOCK = 100_000
Row = tuple[str | float, ...]


def rows(first: int, count: int) -> Iterator[Row]:
    """Payments numbered from `first`, always the same."""
    rng = np.random.default_rng(first)
    amounts, rates = rng.integers(100, 90_000_000, count) / 100, rng.integers(900_000, 1_400_000, count) / 1_000_000
    for at, (amount, rate) in enumerate(zip(amounts.tolist(), rates.tolist(), strict=True), first):
        yield (f"P{at}", "2026-11-20", "2026-11-24", f"payer {at % 997}", f"payee {at % 499}", "RATES", "EUR", amount, rate, "a note")  # fmt: skip


def write_csv(path: Path, first: int, count: int) -> None:
    """`count` rows under a header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        writer.writerows(rows(first, count))


def write_workbook(path: Path, count: int) -> None:
    """The same rows on a sheet, numbers as numbers."""
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet("payments")
        for at, row in enumerate([FIELDS, *rows(0, count)]):
            sheet.write_row(at, 0, row)


def write_large(path: Path, size: int) -> int:
    """At least `size` bytes of CSV, the keys of each block its own. Gives how many rows."""
    write_csv(path, 0, BLOCK)
    block = path.read_text(encoding="utf-8").partition("\n")[2]
    times = size // len(block) + 1
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(FIELDS) + "\n")
        for number, text in enumerate(repeat(block, times)):
            file.write("".join(f"B{number}{line}\n" for line in text.splitlines()))
    return times * BLOCK


def dropped(folder: Path, count: int) -> Cost:
    """Two looks, and every file a normalized delivery."""
    for number in range(count):
        write_csv(folder / f"payments-{number:05}.csv", number * 10, 10)
    return cost_of(manage("pull", "dropped", "--wait", "0.1"))


def _say(name: str, cost: Cost) -> None:
    print(f"{name:>34}{cost.wall:>8.1f}{cost.client:>8.1f}{cost.server:>8.1f}{cost.peak:>9.0f}", flush=True)


def main() -> None:
    """A table, a door a line."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--drops", type=int, default=1_000, help="dropped files")
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the workbook, of 10 columns")
    parser.add_argument("--gigabytes", type=float, default=1, help="size of the large CSV")
    given = parser.parse_args()
    cost_of(manage("migrate", "-v0"))
    opened = Path(settings.DROP_FOLDERS[0])
    opened.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=opened) as name:
        folder = Path(name)
        (folder / "drop").mkdir()
        mapping = {field: {"column": field} for field in FIELDS}
        text = DEFINITION.replace("MAPPING", yaml.safe_dump(mapping, default_flow_style=True, width=10_000).strip())
        (folder / "definition.yaml").write_text(text.replace("URL", f"file://{folder}/drop/*.csv"), encoding="utf-8")
        cost_of(manage("define", str(folder / "definition.yaml")))
        print(f"{'':>34}{'wall s':>8}{'client':>8}{'server':>8}{'peak MB':>9}")
        if given.drops:
            _say(f"{given.drops:,} dropped files", dropped(folder / "drop", given.drops))
        if given.rows:
            write_workbook(folder / "book.xlsx", given.rows)
            _say(f"xlsx, {given.rows:,} x 10", cost_of(manage("deliver", "workbook", str(folder / "book.xlsx"))))
        if given.gigabytes:
            count = write_large(folder / "large.csv", int(given.gigabytes * 1e9))
            cost = cost_of(manage("deliver", "large", str(folder / "large.csv")))
            _say(f"CSV, {given.gigabytes:g} GB, {count:,} rows", cost)


if __name__ == "__main__":
    main()
