"""Texts: the cleaning that makes keys meet, and what a comparison may ignore, each measured on aligned rows."""

import unicodedata
from collections.abc import Callable, Sequence

import duckdb

from ingestion.mapping import FieldMapping
from ingestion.suggest.column import CLOCK
from ingestion.suggest.kinds import ZEROS
from ingestion.suggest.pairs import Pair
from ingestion.suggest.readings import filled_sql
from ingestion.value_sql import cleaned_sql

CLOCK_STEPS: list[object] = ["lower", {"replace": [CLOCK, "\\1 \\2.m."]}]
DIGITS: dict[str, object] = {"replace": ["[^0-9]+", ""]}
NEARLY = 0.995  # of the best cleaning's keys: then the plainer one is taken
IGNORED: tuple[tuple[str, ...], ...] = (
    ("ends",), ("case",), ("case", "ends"), ("case", "spaces"), ("punctuation", "ends"), ("accents",),
    ("case", "accents"), ("case", "spaces", "punctuation"), ("case", "spaces", "punctuation", "accents"),
)  # fmt: skip


def key_cleaning(duck: duckdb.DuckDBPyConnection, pair: Pair, form: str) -> tuple[list[object], list[object], int, int]:
    """The fewest steps on A and B by which aligned keys become the same text; how many do, and how many did before."""
    ends: list[object] = ["ends"] if _has_ends(duck, pair) else []
    marks = _marks(pair)
    strip: list[list[object]] = [[]] + ([[{"remove": marks}]] if marks else [])
    options = [
        [*ends, *case, *accents, *removed, *more]
        for more in ([], [ZEROS], [DIGITS], [DIGITS, ZEROS])
        for accents in ([], ["strip_accents"])
        for removed in strip
        for case in ([], ["upper"])
        if not (DIGITS in more and (removed or case or accents))
    ]
    counted = [(_same(duck, pair, steps, steps), steps) for steps in options]
    most = max(count for count, _ in counted)
    count, steps = next(it for it in counted if it[0] >= NEARLY * most)
    return _needed(duck, pair, "a", steps), _needed(duck, pair, "b", steps), count, counted[0][0]


def _has_ends(duck: duckdb.DuckDBPyConnection, pair: Pair) -> bool:
    tests = [f"SELECT 1 FROM raw_{it.letter} WHERE {it.sql} <> trim({it.sql})" for it in (pair.a, pair.b)]
    return bool(duck.execute(f"SELECT EXISTS ({' UNION ALL '.join(tests)})").fetchall()[0][0])


def _marks(pair: Pair) -> str:
    """The punctuation and spaces inside the values of either side."""
    found = {mark for it in (pair.a, pair.b) for value in it.values for mark in value.strip() if not mark.isalnum()}
    return "".join(sorted(mark for mark in found if mark.isprintable()))


def _same(duck: duckdb.DuckDBPyConnection, pair: Pair, left: Sequence[object], right: Sequence[object]) -> int:
    a = cleaned_sql(FieldMapping("a", clean=tuple(left)), f"a{pair.a.position}")
    b = cleaned_sql(FieldMapping("b", clean=tuple(right)), f"b{pair.b.position}")
    return int(duck.execute(f"SELECT count(*) FROM aligned WHERE {a} = {b}").fetchall()[0][0])


def _needed(duck: duckdb.DuckDBPyConnection, pair: Pair, letter: str, steps: list[object]) -> list[object]:
    """The steps without those that change nothing on this side."""
    column = pair.a if letter == "a" else pair.b
    kept = list(steps)
    for step in steps:
        fewer = [it for it in kept if it is not step]
        sql = [cleaned_sql(FieldMapping("x", clean=tuple(it)), column.sql) for it in (kept, fewer)]
        changed = f"SELECT 1 FROM raw_{letter} WHERE {sql[0]} IS DISTINCT FROM {sql[1]} AND {column.sql} <> ''"
        if step != "ends" and not duck.execute(f"SELECT EXISTS ({changed})").fetchall()[0][0]:
            kept = fewer
    return kept


def ignored(duck: duckdb.DuckDBPyConnection, pair: Pair) -> tuple[tuple[str, ...], int, int, tuple[str, str] | None]:
    """What to ignore so that most of the texts that differ in form alone are equal; how many of how many, an example."""
    a, b = filled_sql(pair.a, f"a{pair.a.position}"), filled_sql(pair.b, f"b{pair.b.position}")
    raw_a, raw_b = f"a{pair.a.position}", f"b{pair.b.position}"
    unequal: list[tuple[str, str]] = duck.execute(
        f"SELECT {raw_a}, {raw_b} FROM aligned WHERE {a} IS NOT NULL AND {b} IS NOT NULL AND {raw_a} <> {raw_b} ORDER BY row"
    ).fetchall()
    solved = {words: _solved(unequal, words) for words in IGNORED}
    most = max((len(it) for it in solved.values()), default=0)
    if not most:
        return (), 0, len(unequal), None
    words = next(words for words in IGNORED if len(solved[words]) >= 0.9 * most)
    return words, len(solved[words]), len(unequal), solved[words][0]


def _solved(unequal: Sequence[tuple[str, str]], words: Sequence[str]) -> list[tuple[str, str]]:
    if "punctuation" in words and sum(_is_number(a) for a, _ in unequal) * 2 > len(unequal):
        return []
    return [(a, b) for a, b in unequal if folded(a, words) == folded(b, words)]


def _is_number(text: str) -> bool:
    letters = sum(mark.isalpha() for mark in text)
    return letters == 0 and any(mark.isdigit() for mark in text)


def folded(text: str, words: Sequence[str]) -> str:
    """A text as a comparison that ignores these words sees it."""
    steps: dict[str, Callable[[str], str]] = {
        "accents": lambda it: "".join(c for c in unicodedata.normalize("NFD", it) if not unicodedata.combining(c)),
        "case": str.casefold,
        "punctuation": lambda it: "".join(c for c in it if not unicodedata.category(c).startswith("P")),
        "spaces": lambda it: "".join(it.split()),
        "ends": str.strip,
    }
    for name, step in steps.items():
        if name in words:
            text = step(text)
    return text
