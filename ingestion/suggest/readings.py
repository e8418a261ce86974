"""Reading: a column's values in one form (as written, folded, number, date, clock), as an array over aligned rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import duckdb
import numpy as np

from ingestion.sql_text import literal
from ingestion.suggest.column import CLOCK, Column
from ingestion.suggest.dates import DateStyle
from ingestion.suggest.numbers import NumberStyle

STYLES = 4
AT_ONCE = 20  # columns of one query
BEGINNING = 8  # letters and digits: what is left of a text that was cut short
FOLDED = 100  # characters: two texts that share so many are the same for a proposal
Style = NumberStyle | DateStyle | None


@dataclass(frozen=True)
class Reading:
    """`values` are hashes, doubles or microseconds; `there` is false where the form does not read the value, `filled`
    where there is none."""

    kind: str
    style: Style
    values: np.ndarray
    there: np.ndarray
    filled: np.ndarray

    @cached_property
    def codes(self) -> tuple[int, np.ndarray]:
        """How many distinct values there are, and each row's value as a number below that."""
        distinct, codes = np.unique(self.values, return_inverse=True)
        return len(distinct), codes

    @cached_property
    def low(self) -> float:
        """The value that a tenth of the rows lie below."""
        return float(np.percentile(self.values[self.there], 10)) if self.there.any() else 0.0

    @cached_property
    def high(self) -> float:
        """The value that a tenth of the rows lie above."""
        return float(np.percentile(self.values[self.there], 90)) if self.there.any() else 0.0

    @property
    def spread(self) -> float:
        """Between the two."""
        return self.high - self.low


def filled_sql(column: Column, text: str) -> str:
    """SQL of a value without its outer spaces; null where it is empty or a null word."""
    words = "".join(f", {literal(word)}" for word in column.null_words)
    return f"CASE WHEN trim({text}) NOT IN (''{words}) THEN trim({text}) END"


def folded_sql(column: Column, text: str) -> str:
    """SQL of the letters and digits of a text's beginning, without case and accents."""
    text = f"left({text}, {FOLDED})" if column.is_plain else f"strip_accents(left({text}, {FOLDED}))"
    return f"nullif(regexp_replace(lower({text}), '[^\\p{{L}}\\p{{N}}]+', '', 'g'), '')"


@cache
def null_hash() -> int:
    """What the engine's hash gives for no value."""
    with duckdb.connect() as duck:
        return int(duck.execute("SELECT hash(NULL)").fetchall()[0][0])


def digits_sql(text: str) -> str:
    """SQL of the digits of a text without leading zeros."""
    return f"nullif(ltrim(regexp_replace({text}, '[^0-9]+', '', 'g'), '0'), '')"


def clock_sql(text: str) -> str:
    """SQL of the time of day in a text, as `7:10 a`."""
    return f"nullif(regexp_replace(lower({text}), {literal(CLOCK)}, '\\1 \\2'), '')"


def readings(
    duck: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column], letter: str
) -> list[list[Reading]]:
    """Every form of some columns over the rows of a relation in their order, where they are called `<letter><position>`."""
    found: list[list[Reading]] = []
    for start in range(0, len(columns), AT_ONCE):
        forms = [_forms(it, filled_sql(it, f"{letter}{it.position}")) for it in columns[start : start + AT_ONCE]]
        flat = [(f"f{n}_{m}", sql) for n, held in enumerate(forms) for m, (_, _, sql) in enumerate(held)]
        selected = ", ".join(f"{sql} AS {name}" for name, sql in flat)
        arrays = duck.execute(f"SELECT {selected} FROM {relation}").fetchnumpy()
        for n, held in enumerate(forms):
            filled = np.ma.getdata(arrays[f"f{n}_0"]) != null_hash()
            found.append(
                [_reading(kind, style, arrays[f"f{n}_{m}"], filled) for m, (kind, style, _) in enumerate(held)]
            )
    return found


def _forms(column: Column, text: str) -> list[tuple[str, Style, str]]:
    forms: list[tuple[str, Style, str]] = [
        ("same", None, _hash(text)),
        ("fold", None, _hash(folded_sql(column, text))),
    ]
    forms += [("number", style, style.sql(text)) for style in column.numbers[:STYLES]]
    forms += [("date", style, style.sql(text)) for style in column.dates[:STYLES]]
    if column.is_clock:
        forms.append(("clock", None, _hash(clock_sql(text))))
    if not column.dates and not (column.numbers and not column.numbers[0].unit):
        forms.append(("begin", None, _hash(f"left({folded_sql(column, text)}, {BEGINNING})")))
        forms.append(("words", None, _hash(_words_sql(text))))
    return forms


def _words_sql(text: str) -> str:
    """SQL of the words of a text in the order of the alphabet, without case and marks."""
    words = f"string_split_regex(lower(left({text}, {FOLDED})), '[^\\p{{L}}\\p{{N}}]+')"
    return f"array_to_string(list_sort(list_filter({words}, lambda w: w <> '')), ' ')"


def _hash(text: str) -> str:
    return f"hash({text})"


def _reading(kind: str, style: Style, array: np.ndarray, filled: np.ndarray) -> Reading:
    values = np.ma.getdata(array)
    hashed = kind not in ("number", "date")
    missing = values == null_hash() if hashed else np.ma.getmaskarray(array)
    values = np.where(missing, 0, values)
    if kind == "number":
        missing = missing | ~np.isfinite(values)
    return Reading(kind, style, values, ~missing, filled)


def of_kind(readings_: Sequence[Reading], kind: str) -> list[Reading]:
    """Those of a kind."""
    return [it for it in readings_ if it.kind == kind]
