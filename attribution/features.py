"""Features of differences: one frame, the same code for training and serving. Pure, vectorized.

In: a frame with a row a difference: `field`, `kind` (number, date, text), `value_a`, `value_b` (canonical texts), `proof` (the
prover that spoke, or empty), `confidence` (what it stated), and the columns of context. Out: float32 columns whose names a
person understands; NaN where a question has no answer.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from rapidfuzz.distance import OSA, Levenshtein
from rapidfuzz.process import cpdist

DIGITS = 6  # decimal places looked at
CHANCE = 0.01  # of a factor to fit by itself: a looser fit says nothing


def value_features(rows: pd.DataFrame) -> pd.DataFrame:
    """What the two values alone say."""
    parts = [_lengths(rows), _numbers(rows), _dates(rows), _texts(rows)]
    return pd.concat(parts, axis=1).astype(np.float32)


def _lengths(rows: pd.DataFrame) -> pd.DataFrame:
    a, b = rows["value_a"].fillna(""), rows["value_b"].fillna("")
    return pd.DataFrame(
        {
            "A is empty": a.eq(""),
            "B is empty": b.eq(""),
            "length of A": a.str.len(),
            "B is longer by": b.str.len() - a.str.len(),
        }
    )


def _numbers(rows: pd.DataFrame) -> pd.DataFrame:
    is_number = rows["kind"].eq("number").to_numpy()
    a = _parsed(rows["value_a"], is_number)
    b = _parsed(rows["value_b"], is_number)
    with np.errstate(all="ignore"):
        gap, ratio = b - a, b / a
        size = np.log10(np.abs(a))
        tens = np.log10(np.abs(ratio))
        named = {
            "size of A, power of ten": size,
            "size of the gap, power of ten": np.log10(np.abs(gap)),
            "gap relative to A": np.abs(gap) / np.abs(a),
            "B is larger": np.where(np.isfinite(gap), gap > 0, np.nan),
            "ratio B to A": ratio,
            "sign is turned": np.where(np.isfinite(gap), np.isclose(a, -b, rtol=1e-12), np.nan),
            "distance from a power of ten": np.abs(tens - np.round(tens)),
            "nearest power of ten": np.round(tens),
            "ratio is exact to": _exact_to(a, b),
            "distance from 365/360": np.abs(np.abs(np.log(ratio)) - np.log(365 / 360)),
            "distance from 366/365": np.abs(np.abs(np.log(ratio)) - np.log(366 / 365)),
            "distance from one half": np.abs(np.abs(np.log2(np.abs(ratio))) - 1),
            "gap in hundredths": np.round(np.abs(gap) * 100),
            "gap is whole": np.where(np.isfinite(gap), np.isclose(gap, np.round(gap)), np.nan),
            "gap is divisible by nine": np.where(np.isfinite(gap), np.round(gap * 100) % 9 == 0, np.nan),
            "decimal places of A": _places(a),
            "decimal places of B": _places(b),
            "B is A rounded to": _rounded_to(a, b),
            "B is A cut to": _cut_to(a, b),
        }
    return pd.DataFrame({name: np.clip(np.asarray(it, dtype=float), -1e12, 1e12) for name, it in named.items()})


def _parsed(texts: pd.Series, chosen: np.ndarray) -> np.ndarray:
    return pd.to_numeric(texts.where(chosen), errors="coerce").to_numpy(dtype=float)


def _places(values: np.ndarray) -> np.ndarray:
    """The fewest decimal places that show a number; NaN where there is none."""
    found = np.full(len(values), np.nan)
    for places in range(DIGITS, -1, -1):
        found = np.where(
            np.abs(values - np.round(values, places)) <= 1e-9 * np.maximum(np.abs(values), 1), places, found
        )
    return found


def _exact_to(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The fewest decimal places of a factor that makes B of A, or A of B, to the last place shown; -1 where there is none, or
    where the numbers are so small that it would be chance."""
    last = 0.51 * 10.0 ** -np.maximum(_places(a), _places(b))
    found = np.full(len(a), -1.0)
    for places in range(DIGITS - 1, -1, -1):
        step = 10.0**-places
        for one, other in ((a, b), (b, a)):
            meets = np.abs(one * np.round(other / one, places) - other) <= last
            found = np.where(meets & (last < CHANCE * step * np.abs(one)), places, found)
    return np.where(np.isfinite(a) & np.isfinite(b), found, np.nan)


def _rounded_to(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The most places to which A rounds to B; -1 where it never does."""
    return _first(a, b, lambda places: np.abs(np.round(a, places) - b) <= 10.0**-places * 0.001 + 1e-9)


def _cut_to(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return _first(
        a, b, lambda places: np.abs(np.trunc(a * 10**places) / 10**places - b) <= 1e-9 * np.maximum(np.abs(a), 1)
    )


def _first(a: np.ndarray, b: np.ndarray, holds: Callable[[int], np.ndarray]) -> np.ndarray:
    found = np.full(len(a), -1.0)
    for places in range(DIGITS):
        found = np.where(holds(places), places, found)
    return np.where(np.isfinite(a) & np.isfinite(b), found, np.nan)


def _dates(rows: pd.DataFrame) -> pd.DataFrame:
    is_date = rows["kind"].eq("date")
    a = pd.to_datetime(rows["value_a"].where(is_date).str.slice(0, 10), format="%Y-%m-%d", errors="coerce")
    b = pd.to_datetime(rows["value_b"].where(is_date).str.slice(0, 10), format="%Y-%m-%d", errors="coerce")
    days = (b - a).dt.days.to_numpy(dtype=float)
    business = np.full(len(rows), np.nan)
    known = np.isfinite(days)
    business[known] = np.busday_count(
        a[known].to_numpy().astype("datetime64[D]"), b[known].to_numpy().astype("datetime64[D]")
    )
    return pd.DataFrame(
        {
            "days from A to B": np.clip(days, -4000, 4000),
            "business days from A to B": np.clip(business, -4000, 4000),
            "day and month swapped": np.where(known, (a.dt.day == b.dt.month) & (a.dt.month == b.dt.day), np.nan),
            "same day of the month": np.where(known, a.dt.day == b.dt.day, np.nan),
            "weekday of A": a.dt.day_of_week,
            "day of the month of A": a.dt.day,
        }
    ).set_axis(rows.index)


def _texts(rows: pd.DataFrame) -> pd.DataFrame:
    is_text = rows["kind"].eq("text").to_numpy()
    a = rows["value_a"].fillna("").where(is_text, "").str.slice(0, 200)
    b = rows["value_b"].fillna("").where(is_text, "").str.slice(0, 200)
    steps = cpdist(a, b, scorer=OSA.distance, dtype=np.float32)
    plain_a, plain_b = _plain(a), _plain(b)
    named = {
        "steps from A to B": steps,
        "steps relative to the length": steps / np.maximum(a.str.len(), b.str.len()).clip(lower=1),
        "steps without case, spaces and signs": cpdist(plain_a, plain_b, scorer=Levenshtein.distance, dtype=np.float32),
        "same letters in another order": _sorted(plain_a).eq(_sorted(plain_b)),
        "B begins A": [x.startswith(y) for x, y in zip(a, b, strict=True)],
        "A begins B": [y.startswith(x) for x, y in zip(a, b, strict=True)],
        "A has foreign letters": ~a.str.isascii(),
        "B has foreign letters": ~b.str.isascii(),
        "B is digits": b.str.isdigit(),
        "A is digits": a.str.isdigit(),
        "B is capitals": b.str.isupper(),
    }
    return pd.DataFrame({name: np.where(is_text, np.asarray(it, dtype=float), np.nan) for name, it in named.items()})


def _plain(texts: pd.Series) -> pd.Series:
    return texts.str.casefold().str.replace(r"[^0-9a-z\u0080-\uffff]+", "", regex=True)


def _sorted(texts: pd.Series) -> pd.Series:
    return texts.map(lambda text: "".join(sorted(text)))


def code_features(rows: pd.DataFrame, names: Sequence[str], known: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Codes of categories, in the order that training froze; NaN for one that it had not seen."""
    codes = {name: pd.Index(list(known[name])).get_indexer(rows[name]).astype(float) for name in names}
    return pd.DataFrame({name: np.where(it < 0, np.nan, it) for name, it in codes.items()}, index=rows.index).astype(
        np.float32
    )
