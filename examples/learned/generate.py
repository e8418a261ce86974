"""Writes three days of invoices and bank entries, and what people said of the first day. The same seed, the same bytes.

python examples/learned/generate.py [FOLDER]
"""

import csv
import random
import sys
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

SEED = 20261126
DATES = ("2026-11-20", "2026-11-23", "2026-11-24")
ROWS = 120
BANKS = ("Nordbank", "Sparbank", "Unionbank")
HEADER = ("number", "due", "bank", "currency", "amount")


def entry(rng: random.Random, bank: str, amount: Decimal) -> tuple[Decimal, str]:
    """What the bank booked, and why: Nordbank keeps a fee, Sparbank rounds, Unionbank's clerks type; each now and then errs."""
    chance = rng.random()
    if chance < 0.1:
        return amount - Decimal(rng.randrange(1_000, 90_000)) / 100, "MANUAL_ENTRY_ERR"
    if bank == "Nordbank":
        return amount - rng.choice((Decimal("7.50"), Decimal("12.00"))), "BANK_FEE"
    if bank == "Sparbank":
        return amount.quantize(Decimal(1), ROUND_HALF_UP), "ROUNDING_DIFF"
    return amount + Decimal(rng.randrange(1_000, 90_000)) / 100, "MANUAL_ENTRY_ERR"


def write(folder: Path) -> None:
    """The files of each day, and the labels of the first."""
    rng, labels = random.Random(SEED), []
    for day, date in enumerate(DATES, 1):
        sides: tuple[list[tuple[str, ...]], list[tuple[str, ...]]] = ([], [])
        for n in range(ROWS):
            number, bank = f"INV-{day}{n:04}", rng.choice(BANKS)
            amount = Decimal(rng.randrange(100_000, 5_000_000)) / 100 + Decimal("0.07")
            booked, reason = entry(rng, bank, amount)
            for side, value in zip(sides, (amount, booked), strict=True):
                side.append((number, date, bank, "EUR", f"{value:.2f}"))
            if day == 1 and amount != booked:
                labels.append(("invoices", number, "amount", reason))
        for name, rows in zip(("invoices", "bank"), sides, strict=True):
            _write(folder / f"{name}_day{day}.csv", HEADER, rows)
    _write(folder / "labels.csv", ("reconciliation", "key", "field", "reason"), labels)


def _write(file: Path, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines, lineterminator="\n").writerows([header, *rows])


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
