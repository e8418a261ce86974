"""Which values two columns have in common, measured on the same part of all values on both sides."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from ingestion.suggest.column import Column
from ingestion.suggest.readings import digits_sql, filled_sql, folded_sql
from ingestion.suggest.side import Side

KEPT = 20_000  # values a column that are looked at; of more, those whose hash is divisible
SMALL = 200_000  # rows; of larger files only the columns with many values are read in full
MANY = 0.2  # distinct values a row: the sample does not hold them all
FORMS = ("same", "fold", "digits", "moment", "number")


@dataclass(frozen=True)
class Form:
    """A way to write a column's values so that two columns can meet: `name` and its SQL over the column's text."""

    name: str
    sql: str


@dataclass(frozen=True)
class Values:
    """The distinct values of a column in one form, as sorted hashes divisible by `step`."""

    form: Form
    hashes: np.ndarray
    step: int


@dataclass(frozen=True)
class Overlap:
    """How many distinct values two columns share in a form, and the share of the shorter list."""

    form_a: Form
    form_b: Form
    common: int
    share: float


def forms_of(column: Column) -> list[Form]:
    """The forms that make sense for a column, the plainest first."""
    text = filled_sql(column, column.sql)
    forms = [Form("same", text), Form("fold", folded_sql(text))]
    if column.dates:
        forms += [Form("moment", f"({style.sql(text)} // 86400000000)") for style in column.dates[:3]]
    elif column.numbers:
        forms.append(Form("number", column.numbers[0].sql(text)))
    if not column.dates and any(any(c.isdigit() for c in value) for value in column.values) and not _is_decimal(column):
        forms.append(Form("digits", digits_sql(text)))
    return forms


def _is_decimal(column: Column) -> bool:
    return bool(column.numbers) and not column.is_whole


def values_of(duck: duckdb.DuckDBPyConnection, side: Side, column: Column, largest: int) -> list[Values]:
    """The column's values in each form. `largest` is the number of rows of the larger side."""
    if not column.filled:
        return []
    in_full = side.rows <= SMALL or column.unique >= MANY
    step = max(largest // KEPT, 1) if column.unique >= MANY else 1
    relation = side.raw if in_full else side.sample
    found = []
    for form in forms_of(column):
        where = f"WHERE h IS NOT NULL AND h % {step} = 0"
        hashed = f"SELECT CASE WHEN {form.sql} IS NOT NULL THEN hash({form.sql}) END AS h FROM {relation}"
        array = duck.execute(f"SELECT DISTINCT h FROM ({hashed}) {where} ORDER BY h").fetchnumpy()["h"]
        found.append(Values(form, np.ma.getdata(array).astype(np.uint64), step))
    return found


def overlap(a: Sequence[Values], b: Sequence[Values]) -> Overlap | None:
    """The plainest form in which two columns share nearly as many values as in any."""
    found = [_shared(x, y) for x in a for y in b if x.form.name == y.form.name]
    found = [it for it in found if it.common]
    if not found:
        return None
    most = max(it.common for it in found)
    plain = [it for it in found if it.common >= 0.98 * most and it.form_a.name != "digits"]
    if plain:
        return plain[0]
    best = [it for it in found if it.common >= 0.98 * most]
    others = max((it.common for it in found if it.form_a.name != "digits"), default=0)
    # Digits alone meet by chance: they count only where they find clearly more than anything else.
    return best[0] if others * 3 < most * 2 else max(found, key=lambda it: (it.form_a.name != "digits", it.common))


def _shared(a: Values, b: Values) -> Overlap:
    step = np.uint64(max(a.step, b.step))
    left, right = (it.hashes if it.step == step else it.hashes[it.hashes % step == 0] for it in (a, b))
    common = len(np.intersect1d(left, right, assume_unique=True))
    shorter = min(len(left), len(right))
    return Overlap(a.form, b.form, common * int(step), common / shorter if shorter else 0.0)
