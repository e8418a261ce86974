"""Writes twenty business days of a ledger and a bank, what is to be done on each, and the truth. The same seed, the same bytes.

python examples/month/generate.py [FOLDER]
"""

import csv
import datetime as dt
import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

SEED = 20261116
FIRST = dt.date(2026, 11, 16)
HOLIDAYS = (dt.date(2026, 11, 26), dt.date(2026, 12, 8))
DAYS, A_DAY, MONTH_END_ROWS = 20, 100, 200
MONTH_END = 9  # 30 November, counted from 0 as all days
TWICE, CORRECTED, MISSING, LATE, RENAMED = (
    5,
    7,
    11,
    14,
    16,
)  # a file sent again; corrected; missing; of an older date; other columns
WAIT = 2
CENT = Decimal("0.01")
PAYEES = {"Nordwind AG": "DE", "Société du Lac": "CH", "Harbour Ltd": "GB", "Ørsund A/S": "DK", "Café Lumière": "FR"}
CURRENCIES = ("EUR", "EUR", "EUR", "USD", "CHF")
LEDGER = ("Ref", "Booked", "Value", "Payee", "Country", "Amount", "Ccy")
BANK = ("reference", "booking_date", "value_date", "payee", "country", "amount", "currency")
BANK_RENAMED = ("payment_ref", "booking_date", "value_date", "payee", "country", "amount_booked", "currency")
NAMES = {"a": "ledger", "b": "bank"}
SCENARIOS = {
    "plain": 790, "late": 75, "later": 40, "latest": 2, "early": 12, "value_date": 25, "rounded": 12, "sign": 6, "typo": 5,
    "unknown": 4, "rejected": 4, "only_a": 4, "only_b": 3, "twice": 4, "amended": 6, "amended_late": 5, "again": 8, "no_number": 3,
}  # fmt: skip
TIMING = ("late", "later", "latest", "early", "value_date")


@dataclass(frozen=True)
class Payment:
    """One payment as one side writes it; the amount is a text where it is no number."""

    reference: str
    booked: dt.date
    value_date: dt.date
    payee: str
    amount: Decimal | str
    currency: str

    def ledger_line(self) -> list[str]:
        """In German numbers and dates."""
        amount = f"{self.amount:,}".replace(",", "_").replace(".", ",").replace("_", ".")
        dates = (f"{day:%d.%m.%Y}" for day in (self.booked, self.value_date))
        return [self.reference.lower(), *dates, self.payee, PAYEES[self.payee], amount, self.currency]

    def bank_line(self) -> list[str]:
        """In ISO forms."""
        dates = (day.isoformat() for day in (self.booked, self.value_date))
        return [self.reference, *dates, self.payee, PAYEES[self.payee], str(self.amount), self.currency]


@dataclass
class Month:
    """What is delivered (rows by side and day) and the truth: events (day, key, what) that `days` turns into states."""

    rows: dict[tuple[str, int], list[Payment]] = field(default_factory=lambda: defaultdict(list))
    opens: list[tuple[int, str, str, int]] = field(default_factory=list)  # day, key, kind, day of the business date
    settles: list[tuple[int, str]] = field(default_factory=list)
    stores: list[tuple[int, str, Decimal]] = field(default_factory=list)
    decisions: dict[int, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    scenario: dict[str, str] = field(default_factory=dict)
    old: list[Payment] = field(default_factory=list)  # former values of amended payments


def works(day: dt.date) -> bool:
    """Whether it is a business day."""
    return day.isoweekday() < 6 and day not in HOLIDAYS


def later(day: dt.date, count: int) -> dt.date:
    """The day so many business days later."""
    while count:
        day += dt.timedelta(days=1)
        count -= works(day)
    return day


DATES = tuple(later(FIRST, count) for count in range(DAYS))


def seen(side: str, day: int) -> int:
    """The day on which what a side delivers for a day is seen: the missing file comes a day later."""
    return day + 1 if (side, day) == ("b", MISSING) else day


def build(rng: random.Random) -> Month:
    """The whole month."""
    month, number = Month(), 0
    names, weights = list(SCENARIOS), list(SCENARIOS.values())
    for day in range(DAYS):
        for name in rng.choices(names, weights, k=MONTH_END_ROWS if day == MONTH_END else A_DAY):
            number += 1
            amount = Decimal(rng.randint(1_000_01, 90_000_99)).scaleb(-2)
            amount += CENT * 37 if amount % 1 in (0, Decimal("0.5")) else 0
            payment = Payment(
                f"P{number:06}",
                DATES[day],
                later(DATES[day], 2),
                rng.choice(list(PAYEES)),
                amount,
                rng.choice(CURRENCIES),
            )
            month.scenario[payment.reference] = name
            _play(month, name, payment, day)
    return month


def _play(month: Month, name: str, it: Payment, day: int) -> None:
    amount = Decimal(it.amount)
    lags = {"late": (0, 1), "later": (0, 2), "latest": (0, 3), "early": (1, 0)}
    odd = {
        "rounded": replace(it, amount=amount.quantize(Decimal(1), ROUND_HALF_UP)),
        "value_date": replace(it, value_date=later(it.value_date, 1)),
        "sign": replace(it, amount=-amount),
        "typo": replace(it, amount=Decimal(_swapped(str(amount)))),
        "unknown": replace(it, amount=(amount * Decimal("1.3717") + Decimal("311.07")).quantize(CENT)),
        "rejected": replace(it, amount=(amount * Decimal("0.6113") + Decimal("77.13")).quantize(CENT)),
        "no_number": replace(it, amount="n/a"),
    }
    if name in lags:
        _one_after_the_other(month, it, *(day + lag for lag in lags[name]))
    elif name in ("only_a", "only_b"):
        _one_after_the_other(month, it, *((day, DAYS) if name == "only_a" else (DAYS, day)))
    elif name in odd:
        _differing(month, name, it, odd[name], day)
    elif name == "twice":
        _both(month, it, it, day)
        month.rows["a", day].append(it)
        _open(month, it, day, "duplicate")
    else:
        _both(month, it, it, day)
        _settle_when_both(month, it, day)
        _again(month, name, it, day)


def _both(month: Month, a: Payment, b: Payment, day: int) -> None:
    month.rows["a", day].append(a)
    month.rows["b", day].append(b)


def _one_after_the_other(month: Month, it: Payment, a: int, b: int) -> None:
    """A record that comes from one side first; a day beyond the last one never comes."""
    for side, day in (("a", a), ("b", b)):
        if day < DAYS:
            month.rows[side, day].append(it)
    first = "a" if seen("a", a) < seen("b", b) else "b"
    came, partner = (a, b) if first == "a" else (b, a)
    if came >= DAYS:
        return
    month.opens.append((seen(first, came), it.reference, "missing_in_b" if first == "a" else "missing_in_a", came))
    met = seen("b" if first == "a" else "a", partner)
    if met < DAYS:
        month.settles.append((met, it.reference))
        month.stores.append((met, it.reference, Decimal(it.amount)))


def _open(month: Month, it: Payment, day: int, kind: str) -> None:
    """A break that is open from the day on; until the bank's file is seen it is one-sided."""
    if seen("b", day) != day:
        month.opens.append((day, it.reference, "duplicate" if kind == "duplicate" else "missing_in_b", day))
    month.opens.append((seen("b", day), it.reference, kind, day))


def _settle_when_both(month: Month, it: Payment, day: int) -> None:
    if seen("b", day) != day:
        month.opens.append((day, it.reference, "missing_in_b", day))
        month.settles.append((seen("b", day), it.reference))
    month.stores.append((seen("b", day), it.reference, Decimal(it.amount)))


def _differing(month: Month, name: str, a: Payment, b: Payment, day: int) -> None:
    _both(month, a, b, day)
    if name in ("rounded", "value_date"):
        _settle_when_both(month, a, day)
        return
    _open(month, a, day, "differing")
    if name in ("typo", "rejected"):
        met = seen("b", day)
        month.decisions[met].append((a.reference, "approve" if name == "typo" else "reject"))
        month.settles.append((met, a.reference))
        month.stores += [(met, a.reference, Decimal(a.amount))] if name == "typo" else []
    elif name == "sign" and day + 2 < DAYS:  # the bank sends it right two days later
        month.rows["b", day + 2].append(a)
        month.settles.append((seen("b", day + 2), a.reference))
        month.stores.append((seen("b", day + 2), a.reference, Decimal(a.amount)))


def _again(month: Month, name: str, it: Payment, day: int) -> None:
    """What comes again days after it matched: as it was, or with another amount, from both sides or from one first."""
    new = replace(it, amount=Decimal(it.amount) + 111)
    if name == "again" and day + 2 < DAYS:
        month.rows["a", day + 2].append(it)
    if name == "amended" and day + 3 < DAYS:
        _both(month, new, new, day + 3)
        _settle_when_both(month, new, day + 3)
        month.old.append(it)
    if name == "amended_late" and day + 4 < DAYS:
        _one_after_the_other(month, new, day + 3, day + 4)


def _swapped(text: str) -> str:
    """The first two neighbouring unequal digits swapped."""
    at = next(n for n in range(len(text) - 1) if text[n] != text[n + 1] and text[n : n + 2].isdigit())
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def plan(month: Month) -> Iterator[dict[str, Any]]:
    """The steps of each day: files to deliver, dates to run, decisions; `stops`: a file that cannot be read."""
    for day, date in enumerate(DATES):
        steps: list[dict[str, Any]] = []
        files = {side: f"{date}_{name}.csv" for side, name in NAMES.items()}
        deliver = {side: {"deliver": NAMES[side], "file": name, "date": str(date)} for side, name in files.items()}
        run = {"run": str(date)}
        if day == MISSING + 1:
            before = DATES[MISSING]
            steps += [{"deliver": "bank", "file": f"{before}_bank.csv", "date": str(before)}, {"run": str(before)}]
        if day == LATE:
            old = DATES[LATE - 6]
            steps += [{"deliver": "ledger", "file": f"{old}_ledger_old.csv", "date": str(old)}, {"run": str(old)}]
        if day == RENAMED:
            steps += [{**deliver["b"], "stops": True}, {"define": "renamed.yaml"}]
        if day == CORRECTED:
            steps += [{"deliver": "ledger", "file": f"{date}_ledger_wrong.csv", "date": str(date)}, deliver["b"], run]
        steps += [deliver["a"], *([deliver["b"]] if day != MISSING else []), run]
        if day == TWICE:
            steps += [{"deliver": "bank", "file": f"{date}_bank_again.csv", "date": str(date)}, run]
        decisions = [{"decide": key, "action": action} for key, action in month.decisions[day]]
        yield {"day": day, "date": str(date), "steps": [*steps, *decisions]}


def truth(month: Month) -> Iterator[dict[str, object]]:
    """How each day ends: open breaks (key: kind and the date that opened them), and what is stored (key: amount)."""
    open_: dict[str, tuple[str, str]] = {}
    stored: dict[str, str] = {}
    for day, date in enumerate(DATES):
        met = {key for at, key in month.settles if at == day}
        for at, key, kind, came in month.opens:
            if at == day:
                since = open_[key][1] if key in open_ else str(DATES[came])
                open_[key] = (kind, since)
        open_ = {key: it for key, it in open_.items() if key not in met}
        stored |= {key: str(amount) for at, key, amount in month.stores if at == day}
        yield {"day": day, "date": str(date), "open": dict(open_), "stored": dict(stored)}


def write(folder: Path) -> None:
    """Files, plan.json, truth.json and renamed.yaml (the definition for the bank's other columns)."""
    rng = random.Random(SEED)
    month = build(rng)
    for (side, day), rows in sorted(month.rows.items()):
        _write_side(folder, side, day, rng.sample(rows, len(rows)))
    _write_odd_files(folder, month)
    text = Path(__file__).with_name("definition.yaml").read_text(encoding="utf-8")
    for old, new in zip(BANK, BANK_RENAMED, strict=True):
        text = text.replace(f"{{column: {old}}}", f"{{column: {new}}}")
    (folder / "renamed.yaml").write_text(text, encoding="utf-8")
    told = {"days": list(truth(month)), "scenario": month.scenario, "timing": TIMING, "wait": WAIT}
    for name, document in (("plan", list(plan(month))), ("truth", told)):
        (folder / f"{name}.json").write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")


def _write_side(folder: Path, side: str, day: int, rows: list[Payment]) -> None:
    path = folder / f"{DATES[day]}_{NAMES[side]}.csv"
    if side == "b":
        _write(path, BANK_RENAMED if day >= RENAMED else BANK, [it.bank_line() for it in rows])
        return
    lines = [it.ledger_line() for it in rows]
    if day in (2, MONTH_END):  # what cannot be a record
        lines += [["", *lines[0][1:]], ["P9", "broken"]]
    _write(path, LEDGER, lines)


def _write_odd_files(folder: Path, month: Month) -> None:
    date = DATES[TWICE]
    (folder / f"{date}_bank_again.csv").write_bytes((folder / f"{date}_bank.csv").read_bytes())
    rows = [it for it in month.rows["a", CORRECTED] if month.scenario[it.reference] == "plain"]
    wrong = {it.reference: replace(it, amount=Decimal(it.amount) * 3 + CENT * 7) for it in rows[:4]}
    left_out = {it.reference for it in rows[4:6]}
    lines = [wrong.get(it.reference, it) for it in month.rows["a", CORRECTED] if it.reference not in left_out]
    _write(folder / f"{DATES[CORRECTED]}_ledger_wrong.csv", LEDGER, [it.ledger_line() for it in lines])
    former = [it for it in month.old if LATE - 6 < DATES.index(it.booked) + 3 < LATE]
    _write(folder / f"{DATES[LATE - 6]}_ledger_old.csv", LEDGER, [it.ledger_line() for it in former])


def _write(path: Path, header: tuple[str, ...], lines: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=";" if header is LEDGER else ",", lineterminator="\n").writerows([header, *lines])


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("month")
    target.mkdir(parents=True, exist_ok=True)
    write(target)
