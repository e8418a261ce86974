"""Column: what one column of a file holds, profiled on its sampled rows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import duckdb

from ingestion.suggest.dates import DateStyle, date_styles
from ingestion.suggest.numbers import NumberStyle, number_styles
from ingestion.suggest.side import Side
from ingestion.suggest.words import DOUBTFUL, SURE

LONGEST = 18  # digits of a whole number
VALUES = 2_500  # distinct values that are looked at, the most frequent first
CLOCK = r"^.*?([0-9]{1,2}:[0-9]{2}) ?([ap]).*$"
_CLOCK = re.compile(r"(?i).*?\d{1,2}:\d{2} ?[ap]\.?m?\b.*|.*\d{1,2}:\d{2} ?[ap]\.m\..*")
_DIGITS = re.compile(r"\d+")
_WHOLE = re.compile(r"[+-]?\d+(?:\.0*)?")


@dataclass(frozen=True)
class Column:
    """A column in its side's sampled rows.

    `filled` rows hold a value, `distinct` of them differ; `null_words` are words for nothing with their rows.
    `numbers` and `dates` are the ways to read nearly all values, the likeliest first; none where it is a text.
    """

    letter: str
    position: int
    name: str
    rows: int
    filled: int
    distinct: int
    values: Mapping[str, int]
    null_words: Mapping[str, int]
    numbers: tuple[NumberStyle, ...]
    dates: tuple[DateStyle, ...]
    is_clock: bool

    @property
    def sql(self) -> str:
        """The column's name in the relations of its side."""
        return f"c{self.position}"

    @property
    def unique(self) -> float:
        """The share of filled rows that a distinct value is counted for."""
        return self.distinct / self.filled if self.filled else 0.0

    @cached_property
    def is_code(self) -> bool:
        """Whether its digits are no quantity: a number starts with zero, or is too long for one."""
        plain = [text.strip() for text in self.values if _DIGITS.fullmatch(text.strip())]
        return any((len(text) > 1 and text.startswith("0")) or len(text) > LONGEST for text in plain)

    @cached_property
    def is_whole(self) -> bool:
        """Whether its numbers have no decimals."""
        style = self.numbers[0] if self.numbers else None
        return style is not None and all(_WHOLE.fullmatch(style.plain(text)) for text in self.values if has_digit(text))

    @property
    def kind(self) -> str:
        """The likeliest kind, in a word for a person."""
        if not self.filled:
            return "empty"
        if self.dates and not (self.numbers and self.is_whole and self.dates[0].patterns != ("%Y%m%d",)):
            return "datetime" if self.dates[0].has_time else "date"
        if self.numbers and not self.is_code:
            return "integer" if self.is_whole else "decimal"
        return "text"

    @cached_property
    def is_plain(self) -> bool:
        """Whether no value that was looked at has a letter with an accent or of another script."""
        return all(value.isascii() for value in self.values)

    @cached_property
    def folded(self) -> dict[str, int]:
        """The letters and digits of its values, without case, with their rows."""
        found: dict[str, int] = {}
        for value, times in self.values.items():
            text = re.sub(r"[\W_]+", "", value.casefold())
            found[text] = found.get(text, 0) + times
        return found

    @property
    def examples(self) -> list[str]:
        """Up to three values."""
        return list(self.values)[:3]


def profile(duck: duckdb.DuckDBPyConnection, side: Side) -> list[Column]:
    """The columns of a side, in their order."""
    return [_column(duck, side, n, name) for n, name in enumerate(side.format_.columns)]


def _column(duck: duckdb.DuckDBPyConnection, side: Side, position: int, name: str) -> Column:
    column = f"c{position}"
    counted = duck.execute(
        f"SELECT {column}, count(*) AS n FROM {side.sample} WHERE trim({column}) <> '' "
        f"GROUP BY {column} ORDER BY n DESC, hash({column}) LIMIT {VALUES}"
    ).fetchall()
    filled, distinct = duck.execute(
        f"SELECT count(*), count(DISTINCT {column}) FROM {side.sample} WHERE trim({column}) <> ''"
    ).fetchall()[0]
    words = {text.strip(): times for text, times in counted if text.strip() in SURE or text.strip() in DOUBTFUL}
    sure = {word: times for word, times in words.items() if word in SURE}
    values = {text: times for text, times in counted if text.strip() not in words}
    numbers, dates = number_styles(values), date_styles(values)
    if not numbers and not dates:
        values = {text: times for text, times in counted if text.strip() not in sure}
        words = sure
    gone = sum(words.values())
    clock = sum(times for text, times in values.items() if _CLOCK.fullmatch(text)) * 2 > sum(values.values())
    return Column(
        side.letter, position, name, side.sampled, filled - gone, distinct - len(words), values, words,
        numbers, dates, is_clock=clock and not dates,
    )  # fmt: skip


def has_digit(text: str) -> bool:
    """Whether there is a digit in a text."""
    return any(mark.isdigit() for mark in text)
