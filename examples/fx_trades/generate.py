"""Writes the two days of FX trades of this example, and the truth about every difference. The same seed, the same bytes.

python examples/fx_trades/generate.py [FOLDER]
"""

import csv
import datetime as dt
import random
import sys
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

SEED = 20261120
DAYS = (dt.date(2026, 11, 20), dt.date(2026, 11, 23))
COUNTERPARTIES = {
    "Meridian Capital Partners": "DE", "Société Générale": "FR", "Ørsted Treasury A/S": "DK", "Plain Ltd": "GB",
    "Müller Handels AG": "CH", "Kyoto Securities": "JP", "Hudson River Bank": "US", "Banco do Atlântico": "PT",
}  # fmt: skip
TRADERS, BOOKS = ("m.keller", "a.ito", "p.raman", "j.weber"), ("RATES", "SPOT", "OPTIONS")
BOOK_CODES = {"RATES": "RT01", "SPOT": "SP01", "OPTIONS": "OP01"}
PAIRS = {
    "EURUSD": ("USD", "1.0842"),
    "GBPUSD": ("USD", "1.2713"),
    "USDJPY": ("JPY", "151.37"),
    "EURGBP": ("GBP", "0.8531"),
}
FRONT = [
    "Trade ID",
    "Trade Date",
    "Settlement",
    "Counterparty",
    "Country",
    "Trader",
    "Book",
    "Side",
    "Pair",
    "Ccy",
    "Amount",
    "Rate",
    "Interest",
]
BACK = [
    "transaction_id",
    "trade_date",
    "settlement_date",
    "counterparty",
    "country",
    "trader",
    "book",
    "side",
    "pair",
    "currency",
    "amount",
    "rate",
    "interest",
]
CENT, MICRO = Decimal("0.01"), Decimal("0.000001")
Trade = dict[str, object]


def business_day(day: dt.date, days: int) -> dt.date:
    """A number of weekdays later or earlier."""
    step = 1 if days > 0 else -1
    while days:
        day += dt.timedelta(days=step)
        days -= step if day.weekday() < 5 else 0
    return day


def trade(rng: random.Random, number: int, day: dt.date) -> Trade:
    """One trade as the front office knows it."""
    name = rng.choice(list(COUNTERPARTIES))
    pair = rng.choice(list(PAIRS))
    currency, rate = PAIRS[pair]
    return {
        "id": f"FX{number:07}", "trade_date": day, "settlement": business_day(day, 2), "name": name,
        "country": COUNTERPARTIES[name], "trader": rng.choice(TRADERS), "book": rng.choice(BOOKS), "side": rng.choice("BS"),
        "pair": pair, "currency": currency, "amount": Decimal(rng.randint(1_000_001, 89_999_999)).scaleb(-2),
        "rate": (Decimal(rate) + Decimal(rng.randint(-4000, 4000)).scaleb(-6)).quantize(MICRO),
        "interest": Decimal(rng.randint(1_000, 99_999)).scaleb(-2),
    }  # fmt: skip


def front_line(t: Trade) -> list[str]:
    """As the front office writes it."""
    german = lambda number: f"{number:,}".replace(",", "_").replace(".", ",").replace("_", ".")  # noqa: E731
    key = str(t["id"])
    return [
        f"fx-{key[2:]}", f"{t['trade_date']:%d.%m.%Y}", f"{t['settlement']:%d.%m.%Y}", str(t["name"]), str(t["country"]),
        str(t["trader"]), str(t["book"]), str(t["side"]), str(t["pair"]), str(t["currency"]), german(t["amount"]),
        str(t["rate"]).replace(".", ","), german(t["interest"]),
    ]  # fmt: skip


def back_line(t: Trade) -> list[str]:
    """As the back office writes it."""
    side = {"B": "BUY", "S": "SELL"}.get(str(t["side"]), str(t["side"]))
    return [str(t[k]) for k in ("id", "trade_date", "settlement", "name", "country", "trader", "book")] + [
        side, *(str(t[k]) for k in ("pair", "currency", "amount", "rate", "interest")),
    ]  # fmt: skip


def swapped(text: str) -> str:
    """Two neighbouring unequal digits swapped, the first pair that there is."""
    for n in range(len(text) - 1):
        if text[n].isdigit() and text[n + 1].isdigit() and text[n] != text[n + 1]:
            return text[:n] + text[n + 1] + text[n] + text[n + 2 :]
    return text


def _fx(t: Trade) -> None:
    rate = (Decimal(str(t["rate"])) + Decimal("0.0004")).quantize(MICRO)
    t["amount"] = (Decimal(str(t["amount"])) * rate / Decimal(str(t["rate"]))).quantize(CENT, ROUND_HALF_UP)
    t["rate"] = rate


def _set(field: str, change: Callable[[Trade], object]) -> Callable[[Trade], None]:
    return lambda t: t.__setitem__(field, change(t))


# cause -> (field, what the back office does to the trade)
CAUSES: dict[str, tuple[str, Callable[[Trade], None]]] = {
    "ROUNDING_DIFF": (
        "amount",
        _set("amount", lambda t: Decimal(str(t["amount"])).quantize(Decimal(1), ROUND_HALF_UP)),
    ),
    "SIGN_FLIP": ("amount", _set("amount", lambda t: -Decimal(str(t["amount"])))),
    "SCALE_ERR": ("amount", _set("amount", lambda t: Decimal(str(t["amount"])) * 1000)),
    "MANUAL_ENTRY_ERR": ("amount", _set("amount", lambda t: swapped(str(t["amount"])))),
    "DATA_TYPE_MISMATCH": ("amount", _set("amount", lambda t: "N/A")),
    "FORMAT_VARIANT": ("amount", _set("amount", lambda t: f"{t['amount']:,}")),
    "UNKNOWN": (
        "amount",
        _set("amount", lambda t: (Decimal(str(t["amount"])) * Decimal("1.3717") + Decimal("311.07")).quantize(CENT)),
    ),
    "FX_VARIANCE": ("amount", _fx),
    "TIMING_LAG": ("settlement_date", _set("settlement", lambda t: business_day(t["settlement"], 1))),  # type: ignore[arg-type]
    "TRUNCATION_ERR": ("counterparty", _set("name", lambda t: str(t["name"])[:7].rstrip())),
    "ENCODING_ERR": ("counterparty", _set("name", lambda t: str(t["name"]).encode().decode("cp1252", "replace"))),
    "SYSTEM_CONVERSION": ("book", _set("book", lambda t: BOOK_CODES[str(t["book"])])),
    "PRICE_FLUCTUATION": (
        "rate",
        _set("rate", lambda t: (Decimal(str(t["rate"])) * Decimal("1.004173")).quantize(MICRO)),
    ),
    "ACCRUAL_DIFF": (
        "interest",
        _set("interest", lambda t: (Decimal(str(t["interest"])) * 365 / 360).quantize(CENT, ROUND_HALF_UP)),
    ),
}
TIMES = {"ROUNDING_DIFF": 14, "TIMING_LAG": 12, "FX_VARIANCE": 8, "SYSTEM_CONVERSION": 8}


def altered(
    rng: random.Random, trades: list[Trade], day: int
) -> Iterator[tuple[list[Trade], list[Trade], list[list[str]]]]:
    """The back office's trades with every cause some times, those missing on a side, and the truth."""
    left = [dict(t) for t in trades]
    order = list(range(len(trades)))
    rng.shuffle(order)
    truth: list[list[str]] = []
    for cause, (field, change) in CAUSES.items():
        for _ in range(TIMES.get(cause, 5)):
            at = next(n for n in order if _fits(cause, trades[n]))
            order.remove(at)
            change(left[at])
            truth.append([str(day), str(trades[at]["id"]), field, cause])
    only_a, only_b = {order.pop() for _ in range(9)}, {order.pop() for _ in range(7)}
    truth += [[str(day), str(trades[n]["id"]), "*row*", "MISSING_SOURCE_B"] for n in sorted(only_a)]
    truth += [[str(day), str(trades[n]["id"]), "*row*", "MISSING_SOURCE_A"] for n in sorted(only_b)]
    front = [t for n, t in enumerate(trades) if n not in only_b]
    back = [t for n, t in enumerate(left) if n not in only_a]
    twice = [t for n, t in enumerate(left) if n in order[-3:]]
    truth += [[str(day), str(t["id"]), "*row*", "DUPLICATE_ENTRY"] for t in twice]
    yield front, back + [dict(t) for t in twice], truth


def _fits(cause: str, t: Trade) -> bool:
    name = str(t["name"])
    if cause == "ENCODING_ERR":
        return not name.isascii() and "\ufffd" not in name.encode().decode("cp1252", "replace")
    return cause != "TRUNCATION_ERR" or len(name) > 9


def write(folder: Path) -> None:
    """Both days of both sources, and truth.csv."""
    rng = random.Random(SEED)
    truth: list[list[str]] = []
    first = [trade(rng, 8_841_000 + n, DAYS[0]) for n in range(1000)]
    for t in first[:4]:
        t["amount"] = Decimal("0.00")
        truth.append(["1", str(t["id"]), "*row*", "RECORD_CHECK"])
    second = [trade(rng, 8_842_000 + n, DAYS[1]) for n in range(1000)]
    front, back, told = next(altered(rng, first[4:], 1))
    front, back, truth = first[:4] + front, [dict(t) for t in first[:4]] + back, truth + told
    _write_day(folder, 1, front, back, [["fx-broken", "only three", "cells"]])
    front2, back2, told2 = next(altered(rng, second, 2))
    known = {str(t["id"]): t for t in front}
    late = [known[key] for _, key, _, cause in told if cause == "MISSING_SOURCE_B"][:5]
    corrected = [known[key] for _, key, _, cause in told if cause == "SIGN_FLIP"][:2]
    changed = dict(next(t for t in front if str(t["id"]) not in {row[1] for row in truth}), amount=Decimal("77777.77"))
    truth += told2 + [["2", str(t["id"]), "*row*", "TIMING_LAG"] for t in late]
    truth += [["2", str(t["id"]), "amount", "corrected"] for t in corrected] + [
        ["2", str(changed["id"]), "*row*", "changed on one side"]
    ]
    _write_day(folder, 2, front2 + corrected + [changed], back2 + late + corrected, [])
    with (folder / "truth.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([["day", "key", "field", "cause"], *truth])


def _write_day(folder: Path, day: int, front: list[Trade], back: list[Trade], broken: list[list[str]]) -> None:
    for name, header, lines, mark in (
        ("front_office", FRONT, [front_line(t) for t in front] + broken, ";"),
        ("back_office", BACK, [back_line(t) for t in back], ","),
    ):
        with (folder / f"{name}_day{day}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=mark, lineterminator="\n").writerows([header, *lines])


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
