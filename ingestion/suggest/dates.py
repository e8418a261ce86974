"""DateStyle: how a column writes dates or times, found from its values."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product

from ingestion.sql_text import literal
from ingestion.suggest.words import CLOCKS, DATES, JOINTS

FITS = 0.9
TRIED = 400  # values that are read one by one
YEARS = range(1850, 2200)
LOOKS = re.compile(r"(?=.*\d.*\d)[\w][\w\-/. :,+]{4,38}")
ZONED = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:?\d{2})?")


@dataclass(frozen=True)
class DateStyle:
    """The patterns of a column; none for ISO 8601."""

    patterns: tuple[str, ...]
    has_time: bool

    def mapping(self) -> dict[str, object]:
        """The mapping steps that read it."""
        if not self.patterns:
            return {}
        return {"parse": self.patterns[0] if len(self.patterns) == 1 else list(self.patterns)}

    def sql(self, text: str) -> str:
        """SQL of the moment in microseconds; null where the text is none."""
        if not self.patterns:
            return f"epoch_us(TRY_CAST(trim({text}) AS TIMESTAMPTZ))"
        return f"epoch_us(try_strptime(trim({text}), [{', '.join(map(literal, self.patterns))}]))"

    def shown(self) -> str:
        """In words for a person."""
        return " or ".join(self.patterns) or "ISO 8601"


@cache
def _known() -> tuple[tuple[re.Pattern[str], str, bool], ...]:
    """Shape, pattern, whether it has a time."""
    found = [(re.compile(shape), pattern, False) for shape, pattern in DATES]
    found += [
        (re.compile(day_shape + joint + clock_shape), day + joint + clock, True)
        for day_shape, day in DATES
        for joint in JOINTS
        for clock_shape, clock in CLOCKS
    ]
    return tuple(found)


def date_styles(values: Mapping[str, int]) -> tuple[DateStyle, ...]:
    """The styles that read nearly all of a column's values (value to rows); several where day and month may be either."""
    tried = dict(list(values.items())[:TRIED])
    total = sum(tried.values())
    if not total or sum(times for text, times in tried.items() if LOOKS.fullmatch(text.strip())) < FITS * total:
        return ()
    if sum(times for text, times in tried.items() if ZONED.fullmatch(text.strip())) >= FITS * total:
        return (DateStyle((), has_time=True),)
    timed = any(":" in text for text in tried)
    by_shape: dict[str, list[tuple[str, bool]]] = {}
    read = 0
    for shape, pattern, has_time in _known():
        if has_time and not timed:
            continue
        having = {text.strip(): times for text, times in tried.items() if shape.fullmatch(text.strip())}
        if not having:
            continue
        fitting = sum(times for text, times in having.items() if _reads(pattern, text))
        if fitting * 50 >= 49 * sum(having.values()):
            if shape.pattern not in by_shape:
                read += sum(having.values())
            by_shape.setdefault(shape.pattern, []).append((pattern, has_time))
    if read < FITS * total:
        return ()
    return tuple(_style(chosen) for chosen in list(product(*_needed(by_shape, tried)))[:6])


def _needed(by_shape: Mapping[str, list[tuple[str, bool]]], tried: Mapping[str, int]) -> list[list[tuple[str, bool]]]:
    """The shapes that the values need, most frequent first; a shape whose values another one reads is left out."""
    counted = {shape: {text for text in tried if re.fullmatch(shape, text.strip())} for shape in by_shape}
    needed: list[list[tuple[str, bool]]] = []
    seen: set[str] = set()
    for shape in sorted(by_shape, key=lambda it: -sum(tried[text] for text in counted[it])):
        if counted[shape] - seen:
            seen |= counted[shape]
            alike = [other for other in by_shape if counted[other] == counted[shape]]
            needed.append([option for other in alike for option in by_shape[other]])
    return needed


def _style(chosen: tuple[tuple[str, bool], ...]) -> DateStyle:
    has_time = any(has for _, has in chosen)
    patterns = tuple(pattern for pattern, _ in chosen)
    iso = patterns == ("%Y-%m-%d",)
    return DateStyle(() if iso else patterns, has_time)


def _reads(pattern: str, text: str) -> bool:
    padded = re.sub(r"(?<!\d)(\d)(?!\d)", r"0\1", text)  # the engine reads a year of one digit
    try:
        return dt.datetime.strptime(padded, pattern).year in YEARS  # noqa: DTZ007 - only whether it is one
    except ValueError:
        return False
