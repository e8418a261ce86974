"""Evidence lines: what the labels say of differences like one, as a sentence that anyone can count again. Pure, vectorized.

Of each reason the labels are counted by field and claim; in these by who or where (a habit's value), by the size of the gap, and
by both. The strongest line that holds for a difference is the one whose share is surely highest: the lower limit of its interval.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass

import numpy as np
import pandas as pd

from attribution.statistics.bounds import lower_bound

LEAST = 10  # labels from which a part of those of a field and claim is worth a line
LIMITS = (0.01, 0.1, 1.0, 10.0, 100.0, 1_000.0, 10_000.0, 100_000.0, 1_000_000.0)  # of gaps between numbers
DAYS = (1, 3, 7, 31)  # of gaps between dates
NO_SIZE, OF_DAYS = -1, 100  # the size of what has no gap; the first size of days
WHOLE = (NO_SIZE, OF_DAYS + len(DAYS))
UNDER = [(0, it) for it in range(len(LIMITS))] + [(OF_DAYS, OF_DAYS + it) for it in range(len(DAYS))]
FROM = [(it, len(LIMITS)) for it in range(1, len(LIMITS) + 1)] + [
    (OF_DAYS + it, OF_DAYS + len(DAYS)) for it in range(1, len(DAYS) + 1)
]
GROUP = ["field", "claim", "value"]
LIKE = ["field", "claim", "reason"]


@dataclass(frozen=True)
class Line:
    """Of the `total` labels of `field` and `claim` whose `habit` is `value` (any where there is no habit) and whose gap has a size
    from `least` to `most`, `hits` were `reason`; `low`: the share that they surely have."""

    field: str
    claim: str
    reason: str
    habit: str
    value: str
    least: int
    most: int
    hits: int
    total: int
    low: float

    def sentence(self) -> str:
        """The line as people read it."""
        who = f" with {self.habit.removeprefix(RECORD)} {self.value[:60] or 'empty'}" if self.habit else ""
        looks = f" that look like {self.claim}" if self.claim else " that no prover explains"
        return (
            f"{_percent(self.hits, self.total)} % of differences of {self.field}{_sized(self.least, self.most)}{who}{looks} "
            f"were {self.reason}: {self.hits:,} of {self.total:,}."
        )

    def document(self) -> list[object]:
        """As JSON takes it."""
        return list(astuple(self))


RECORD = "record's "


def lines_from_document(given: Iterable[Sequence[object]]) -> tuple[Line, ...]:
    """From documents of lines."""
    return tuple(Line(*it) for it in given)  # type: ignore[arg-type]


def _percent(hits: int, total: int) -> int:
    """Whole percent; neither none nor all where it is not."""
    return total and (100 if hits == total else min(max(round(hits / total * 100), 1), 99))


def _sized(least: int, most: int) -> str:
    if (least, most) == WHOLE:
        return ""
    if least >= OF_DAYS:
        first, last = least - OF_DAYS, most - OF_DAYS
        return f" of more than {_days(DAYS[first - 1])}" if first else f" of at most {_days(DAYS[last])}"
    return f" of {LIMITS[least - 1]:,.2f} and more" if least else f" under {LIMITS[most]:,.2f}"


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def gap_sizes(rows: pd.DataFrame) -> np.ndarray:
    """The size of each gap: of numbers how many of LIMITS it reaches, of dates how many of DAYS it exceeds, after OF_DAYS."""
    sizes = np.full(len(rows), NO_SIZE)
    kinds = rows["kind"].to_numpy()
    numbers, dates = np.flatnonzero(kinds == "number"), np.flatnonzero(kinds == "date")
    gap = _apart(pd.to_numeric(rows[side].iloc[numbers], errors="coerce") for side in ("value_a", "value_b"))
    sizes[numbers] = np.where(np.isfinite(gap), np.digitize(np.round(gap, 9), LIMITS), NO_SIZE)
    days = _apart(_day(rows[side].iloc[dates]) for side in ("value_a", "value_b"))
    sizes[dates] = np.where(np.isfinite(days), OF_DAYS + np.digitize(days, DAYS, right=True), NO_SIZE)
    return sizes


def _apart(sides: Iterable[pd.Series]) -> np.ndarray:
    a, b = (it.to_numpy(dtype=float) for it in sides)
    with np.errstate(all="ignore"):
        return np.asarray(np.abs(b - a))


def _day(texts: pd.Series) -> pd.Series:
    days = pd.to_datetime(texts.str.slice(0, 10), format="%Y-%m-%d", errors="coerce")
    return (days - pd.Timestamp(0)) / pd.Timedelta(days=1)


def evidence_lines(rows: pd.DataFrame, habits: Sequence[str]) -> tuple[Line, ...]:
    """The lines of labelled differences, those left out that a wider one always outweighs. `rows`: `field`, `kind`, `claim`,
    both values, `reason`, and a column a habit."""
    table = rows[LIKE].assign(size=gap_sizes(rows))
    who = [name for name in habits if name != "field"]
    parts = [_counted(table.assign(value=""), "")]
    parts += [_counted(table.assign(value=rows[name].to_numpy()), name) for name in who]
    found = pd.concat(parts, ignore_index=True)
    found["low"] = [round(lower_bound(*it), 6) for it in zip(found["hits"], found["total"], strict=True)]
    ordered = _worth_it(found).sort_values([*LIKE, "habit", "value", "least", "most"])
    return tuple(Line(*it) for it in ordered[list(Line.__dataclass_fields__)].itertuples(index=False, name=None))


def _counted(table: pd.DataFrame, habit: str) -> pd.DataFrame:
    """Each group's labels of each reason in each range of sizes."""
    counts = table.groupby([*GROUP, "reason", "size"], sort=True).size().unstack("size", fill_value=0)
    return pd.concat(_ranges(counts), ignore_index=True).assign(habit=habit)[
        lambda it: (it["hits"] > 0) & ((it["total"] >= LEAST) | ((it["habit"] == "") & _is_whole(it)))
    ]


def _ranges(counts: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for least, most in (WHOLE, *UNDER, *FROM):
        within = [size for size in counts.columns if least <= size <= most]
        if within:
            hits = counts[within].sum(axis=1).rename("hits")
            total = hits.groupby(level=GROUP).transform("sum").rename("total")
            yield pd.concat([hits, total], axis=1).reset_index().assign(least=least, most=most)


def _is_whole(found: pd.DataFrame) -> pd.Series:
    return (found["least"] == WHOLE[0]) & (found["most"] == WHOLE[1])


def _worth_it(found: pd.DataFrame) -> pd.DataFrame:
    """Without lines that a wider one, which holds wherever they do, outweighs."""
    is_whole, is_general = _is_whole(found), found["habit"] == ""
    own = [*LIKE, "habit", "value"]
    wider = (
        (is_general & is_whole, LIKE, ~(is_general & is_whole)),
        (~is_general & is_whole, own, ~is_general & ~is_whole),
        (is_general & ~is_whole, [*LIKE, "least", "most"], ~is_general & ~is_whole),
    )
    worth = pd.Series(data=True, index=found.index)
    for widest, by, narrower in wider:
        best = found[by].merge(found.loc[widest, [*by, "low"]], on=by, how="left")["low"]
        worth &= ~narrower | (found["low"] > best.fillna(-1).to_numpy())
    return found[worth & _outweighs_wider_ranges(found, own)]


def _outweighs_wider_ranges(found: pd.DataFrame, own: list[str]) -> pd.Series:
    """Whether each line weighs more than every one of its group whose range has its own in it."""
    worth = pd.Series(data=True, index=found.index)
    for ranges, wide_first in ((UNDER, "most"), (FROM, "least")):
        here = found[pd.MultiIndex.from_frame(found[["least", "most"]]).isin(ranges)]
        here = here.sort_values(wide_first, ascending=wide_first == "least", kind="stable")
        days = here["most"] >= OF_DAYS
        keys = [here[name] for name in own] + [days]
        best = here["low"].groupby(keys).cummax().groupby(keys).shift().fillna(-1)
        worth[here.index] = here["low"] > best
    return worth
