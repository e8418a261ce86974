"""Which values two columns have in common, measured on the same part of all values on both sides."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from ingestion.sql_text import literal
from ingestion.suggest.column import Column, has_digit
from ingestion.suggest.readings import digits_sql, filled_sql, folded_sql, null_hash
from ingestion.suggest.side import Side

KEPT = 20_000  # values a column that are looked at; of more, those whose hash is divisible
SMALL = 200_000  # rows; of larger files only values with many variants are read beyond the sample, and of them a part
MANY = 0.2  # distinct values a row: the sample does not hold them all
LAST = "7e"  # last marks of a value: no form changes them, so both sides keep the same part
TELLING = 0.7  # of a column's values must differ in their digits, if those stand for the value
ENOUGH = 500  # values of that part


@dataclass(frozen=True)
class Form:
    """A way to write a column's values so that two columns can meet: `name` and its SQL over the column's text."""

    name: str
    sql: str


@dataclass(frozen=True)
class Values:
    """Distinct values of a column in one form, as sorted hashes divisible by `step`; of `distinct` altogether."""

    form: Form
    hashes: np.ndarray
    step: int
    distinct: int
    part: str


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
    forms = [Form("same", text), Form("fold", folded_sql(column, text))]
    if column.dates:
        forms += [Form("moment", f"({style.sql(text)} // 86400000000)") for style in column.dates[:3]]
    elif column.numbers:
        forms.append(Form("number", column.numbers[0].sql(text)))
    if not column.dates and (column.is_whole or not column.numbers) and any(map(has_digit, column.values)):
        forms.append(Form("digits", digits_sql(text)))
    return forms


def values_of(duck: duckdb.DuckDBPyConnection, side: Side, column: Column, largest: int) -> list[Values]:
    """The column's values in each form. `largest` is the number of rows of the larger side."""
    if not column.filled:
        return []
    scale = side.rows / side.sampled
    if column.unique < MANY:
        return _read(duck, column, side.raw if side.rows <= SMALL else side.sample, "true", 1, column.distinct)
    if side.rows > SMALL and column.kind not in ("text", "integer"):  # no key of its own
        return _read(duck, column, side.sample, "true", 1, column.distinct)
    step, distinct = max(largest // KEPT // 5, 1), round(column.distinct * scale)
    if side.rows > SMALL:
        part = f"lower(right(trim({column.sql}), 1)) IN ({', '.join(map(literal, LAST))})"
        found = _read(duck, column, side.raw, part, step, distinct)
        if len(found[0].hashes) >= ENOUGH:
            return found
    return _read(duck, column, side.raw, "true", step, distinct)


def _read(
    duck: duckdb.DuckDBPyConnection, column: Column, relation: str, where: str, step: int, distinct: int
) -> list[Values]:
    forms = forms_of(column)
    selected = ", ".join(f"hash({form.sql}) AS h{n}" for n, form in enumerate(forms))
    arrays = duck.execute(f"SELECT {selected} FROM {relation} WHERE {where}").fetchnumpy()
    kept = [_distinct(np.ma.getdata(arrays[f"h{n}"]), step) for n in range(len(forms))]
    scale = distinct / max(len(kept[0]), 1)
    return [
        Values(form, it, step, round(len(it) * scale), where[:5])
        for form, it in zip(forms, kept, strict=True)
        if form.name != "digits" or len(it) >= TELLING * len(kept[0])
    ]


def _distinct(hashes: np.ndarray, step: int) -> np.ndarray:
    kept = hashes[hashes != null_hash()]
    return np.unique(kept if step == 1 else kept[kept % np.uint64(step) == 0])


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
    if a.part != b.part:  # one side holds a part only of what the other holds
        share = common / max(len(left if a.part != "true" else right), 1)
    else:
        share = common / max(min(len(left), len(right)), 1)
    return Overlap(a.form, b.form, round(share * min(a.distinct, b.distinct)) or common, share)
