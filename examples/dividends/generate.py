"""Writes two days of dividends and what the custodians paid, what people said of the first day, and the truth of the second. The
same seed, the same bytes.

python examples/dividends/generate.py [FOLDER]
"""

import csv
import random
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

SEED = 20261128
DAYS = (("2026-11-20", 800), ("2026-11-23", 200))  # business dates and rows
CUSTODIANS = ("Alpine Custody", "Harbor Trust", "Meridian Bank")
HEADER = ("reference", "paid", "custodian", "currency", "amount")
CENT = Decimal("0.01")


def paid(rng: random.Random, custodian: str, amount: Decimal) -> tuple[Decimal, str]:
    """What a custodian paid, and why: Harbor Trust withholds tax, Alpine Custody keeps a fee, Meridian Bank's clerks type. Each now and
    then errs, and sometimes an error looks like the fee."""
    chance = rng.random()
    if custodian == "Meridian Bank" or chance < 0.08:
        return amount + Decimal(rng.randrange(-90_000, 90_000)) / 100, "MANUAL_ENTRY_ERR"
    if custodian == "Harbor Trust":
        return (amount * Decimal("0.85")).quantize(CENT), "WITHHOLDING_TAX"
    return amount - rng.choice(
        (Decimal("25.00"), Decimal("40.00"))
    ), "MANUAL_ENTRY_ERR" if chance < 0.1 else "CUSTODY_FEE"


def write(folder: Path) -> None:
    """The files of each day, the labels of the first, and the causes of the second."""
    rng = random.Random(SEED)
    for day, (date, count) in enumerate(DAYS, 1):
        sides: tuple[list[tuple[str, ...]], list[tuple[str, ...]]] = ([], [])
        causes = []
        for n in range(count):
            reference, custodian = f"DIV-{day}{n:04}", rng.choice(CUSTODIANS)
            amount = Decimal(rng.randrange(150_000, 4_500_000)) / 100
            received, reason = paid(rng, custodian, amount)
            for side, value in zip(sides, (amount, received), strict=True):
                side.append((reference, date, custodian, "EUR", f"{value:.2f}"))
            if received != amount:
                causes.append(("dividends", reference, "amount", reason))
        for name, rows in zip(("entitlements", "custodians"), sides, strict=True):
            _write(folder / f"{name}_day{day}.csv", HEADER, rows)
        said = "labels" if day == 1 else "truth"
        _write(folder / f"{said}.csv", ("reconciliation", "key", "field", "reason"), causes)


def _write(file: Path, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines, lineterminator="\n").writerows([header, *rows])


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
