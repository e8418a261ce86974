"""Looks: how a difference shows itself, and which causes have which look."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

import numpy as np

KINDS = ("number", "date", "text")
NAMES = ("Meridian Capital", "Harbour & Stone", "Ostwind Bank", "Caledon Partners", "Société Ligne", "Nordlicht AG")
CODES = ("EQ-DER", "FI-RATES", "FX-SPOT", "CR-INDEX", "MM-REPO")
OTHER_CODES = ("1010", "2020", "3030", "4040", "5050")
START = date(2026, 1, 5)
Pair = tuple[str, str]


@dataclass(frozen=True)
class Look:
    """`own`: causes that mostly look so; `other`: those that do when a world is ambiguous; weights."""

    name: str
    own: dict[str, float] = field(default_factory=dict)
    other: dict[str, float] = field(default_factory=dict)


LOOKS: dict[str, tuple[Look, ...]] = {
    "number": (
        Look("rounded", {"ROUNDING_DIFF": 5}, {"FX_VARIANCE": 1, "TRUNCATION_ERR": 2}),
        Look("last cents", {"ROUNDING_DIFF": 1, "ACCRUAL_DIFF": 1}, {"FX_VARIANCE": 2, "MANUAL_ENTRY_ERR": 1, "FEE_MISSING": 1}),
        Look("small move", {"PRICE_FLUCTUATION": 3, "FX_VARIANCE": 3}, {"STALE_REFERENCE": 2, "ACCRUAL_DIFF": 1}),
        Look("larger move", {"STALE_REFERENCE": 3, "PRICE_FLUCTUATION": 1}, {"FX_VARIANCE": 1, "NETTING": 1}),
        Look("day count", {"ACCRUAL_DIFF": 4}, {"STALE_REFERENCE": 1}),
        Look("sign", {"SIGN_FLIP": 5}, {"NETTING": 1}),
        Look("power of ten", {"SCALE_ERR": 5}, {"SYSTEM_CONVERSION": 2, "MANUAL_ENTRY_ERR": 1}),
        Look("thousandfold", {"SCALE_ERR": 1, "SYSTEM_CONVERSION": 1}, {}),
        Look("digits swapped", {"MANUAL_ENTRY_ERR": 3}, {"WRONG_TRADE": 1}),
        Look("fixed fee", {"FEE_MISSING": 4}, {"NETTING": 1, "MANUAL_ENTRY_ERR": 1}),
        Look("half", {"NETTING": 3}, {"WRONG_TRADE": 1}),
        Look("cut digits", {"TRUNCATION_ERR": 3}, {"ROUNDING_DIFF": 1}),
        Look("unlike", {"WRONG_TRADE": 4}, {"MANUAL_ENTRY_ERR": 1, "STALE_REFERENCE": 1}),
    ),
    "date": (
        Look("next days", {"TIMING_LAG": 5}, {"MANUAL_ENTRY_ERR": 1, "SYSTEM_CONVERSION": 1}),
        Look("day before", {"SYSTEM_CONVERSION": 2, "TIMING_LAG": 1}, {"MANUAL_ENTRY_ERR": 1}),
        Look("day and month", {"FORMAT_VARIANT": 2, "MANUAL_ENTRY_ERR": 2}, {}),
        Look("one digit", {"MANUAL_ENTRY_ERR": 3}, {"TIMING_LAG": 1}),
        Look("weeks", {"STALE_REFERENCE": 3, "WRONG_TRADE": 2}, {"TIMING_LAG": 1}),
    ),
    "text": (
        Look("case or spaces", {"FORMAT_VARIANT": 5}, {"SYSTEM_CONVERSION": 1}),
        Look("accents broken", {"ENCODING_ERR": 5}, {}),
        Look("cut", {"TRUNCATION_ERR": 4}, {"FORMAT_VARIANT": 1, "SYSTEM_CONVERSION": 1}),
        Look("letters swapped", {"MANUAL_ENTRY_ERR": 4}, {"STALE_REFERENCE": 1}),
        Look("other code", {"SYSTEM_CONVERSION": 4}, {"WRONG_TRADE": 1, "STALE_REFERENCE": 1}),
        Look("other name", {"STALE_REFERENCE": 3, "WRONG_TRADE": 3}, {"SYSTEM_CONVERSION": 1}),
    ),
}  # fmt: skip


def render(rng: np.random.Generator, kind: str, look: str) -> Pair:
    """Canonical texts of A and B."""
    return RENDERERS[kind, look](rng)


def _amount(rng: np.random.Generator) -> Decimal:
    return Decimal(round(float(10 ** rng.uniform(1.5, 6.5)) * 100)) / 100


def _scaled(low: float, high: float) -> Callable[[np.random.Generator], Pair]:
    def pair(rng: np.random.Generator) -> Pair:
        a = _amount(rng)
        move = Decimal(str(float(rng.uniform(low, high) * rng.choice([-1, 1]))))
        return _pair(a, a * (1 + move))

    return pair


def times(*factors: str) -> Callable[[np.random.Generator], Pair]:
    """A with one of the factors, to the cent."""

    def pair(rng: np.random.Generator) -> Pair:
        a = _amount(rng)
        return _pair(a, a * Decimal(factors[rng.integers(len(factors))]))

    return pair


def _plus(*fixed: str) -> Callable[[np.random.Generator], Pair]:
    def pair(rng: np.random.Generator) -> Pair:
        a = _amount(rng)
        return _pair(a, a - Decimal(fixed[rng.integers(len(fixed))]))

    return pair


def _pair(a: Decimal, b: Decimal) -> Pair:
    b = b.quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    return str(a), str(b if b != a else b + Decimal("0.01"))


def _rounded(rng: np.random.Generator) -> Pair:
    a = _amount(rng) + Decimal(int(rng.integers(1, 99))) / 100
    return _pair(a, a.quantize(Decimal(1)))


def _cents(rng: np.random.Generator) -> Pair:
    a = _amount(rng)
    return _pair(a, a + Decimal(int(rng.integers(1, 6)) * int(rng.choice([-1, 1]))) / 100)


def _swapped_digits(rng: np.random.Generator) -> Pair:
    a = str(_amount(rng).quantize(Decimal("0.01")))
    places = [n for n in range(len(a) - 1) if a[n] != a[n + 1] and "." not in a[n : n + 2]] or [0]
    at = places[rng.integers(len(places))]
    return _pair(Decimal(a), Decimal(a[:at] + a[at + 1] + a[at] + a[at + 2 :]))


def _cut_digits(rng: np.random.Generator) -> Pair:
    a = _amount(rng).quantize(Decimal("0.01"))
    return _pair(a, Decimal(str(a)[:-1] + "0") if str(a)[-1] != "0" else a.quantize(Decimal(1), ROUND_DOWN))


def _unlike(rng: np.random.Generator) -> Pair:
    return _pair(_amount(rng), _amount(rng))


def _day(rng: np.random.Generator) -> date:
    return START + timedelta(days=int(rng.integers(0, 300)))


def _later(*days: int) -> Callable[[np.random.Generator], Pair]:
    def pair(rng: np.random.Generator) -> Pair:
        a = _day(rng)
        return a.isoformat(), (a + timedelta(days=int(days[rng.integers(len(days))]))).isoformat()

    return pair


def _day_month(rng: np.random.Generator) -> Pair:
    day, month = int(rng.integers(1, 13)), int(rng.integers(1, 12))
    month += month >= day
    return f"2026-{month:02}-{day:02}", f"2026-{day:02}-{month:02}"


def _one_digit(rng: np.random.Generator) -> Pair:
    month, day, off = int(rng.integers(1, 13)), int(rng.integers(11, 19)), int(rng.choice([-10, 10]))
    return f"2026-{month:02}-{day:02}", f"2026-{month:02}-{max(day + off, 1):02}"


def _name(rng: np.random.Generator) -> str:
    return f"{NAMES[rng.integers(len(NAMES))]} {rng.integers(100, 999)}"


def _form(rng: np.random.Generator) -> Pair:
    a = _name(rng)
    return a, [a.upper(), a.replace(" ", "  "), a.replace(" ", "-")][rng.integers(3)]


def _broken(rng: np.random.Generator) -> Pair:
    a = f"{['Société', 'Müller', 'Zürich', 'Café'][rng.integers(4)]} {rng.integers(100, 999)}"
    return a, a.encode("utf-8").decode("latin-1")


def _cut(rng: np.random.Generator) -> Pair:
    a = _name(rng)
    return a, a[: int(rng.integers(6, len(a) - 1))].rstrip()


def _swapped_letters(rng: np.random.Generator) -> Pair:
    a = _name(rng)
    places = [n for n in range(len(a) - 1) if a[n] != a[n + 1]]
    at = places[rng.integers(len(places))]
    return a, a[:at] + a[at + 1] + a[at] + a[at + 2 :]


def _other_code(rng: np.random.Generator) -> Pair:
    return CODES[rng.integers(len(CODES))], OTHER_CODES[rng.integers(len(OTHER_CODES))]


def _other_name(rng: np.random.Generator) -> Pair:
    a, b = _name(rng), _name(rng)
    return a, b if a != b else f"{b}0"


RENDERERS: dict[tuple[str, str], Callable[[np.random.Generator], Pair]] = {
    ("number", "rounded"): _rounded,
    ("number", "last cents"): _cents,
    ("number", "small move"): _scaled(0.0005, 0.008),
    ("number", "larger move"): _scaled(0.012, 0.15),
    ("number", "day count"): times("1.013888888888889", "0.986301369863014", "1.002739726027397"),
    ("number", "sign"): times("-1"),
    ("number", "power of ten"): times("10", "0.1", "100", "0.01"),
    ("number", "thousandfold"): times("1000", "0.001"),
    ("number", "digits swapped"): _swapped_digits,
    ("number", "fixed fee"): _plus("25", "12.5", "7.5", "40"),
    ("number", "half"): times("0.5", "2"),
    ("number", "cut digits"): _cut_digits,
    ("number", "unlike"): _unlike,
    ("date", "next days"): _later(1, 2, 3),
    ("date", "day before"): _later(-1),
    ("date", "day and month"): _day_month,
    ("date", "one digit"): _one_digit,
    ("date", "weeks"): _later(-40, -21, -14, 14, 28, 35, 60),
    ("text", "case or spaces"): _form,
    ("text", "accents broken"): _broken,
    ("text", "cut"): _cut,
    ("text", "letters swapped"): _swapped_letters,
    ("text", "other code"): _other_code,
    ("text", "other name"): _other_name,
}
