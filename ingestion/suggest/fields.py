"""Fields: each pair of columns becomes a field, with its type, mapping steps, compare rule and evidence."""

import re
from collections.abc import Sequence
from dataclasses import replace

import duckdb
import numpy as np

from ingestion.sql_text import literal
from ingestion.suggest.aligned import Aligned
from ingestion.suggest.column import Column
from ingestion.suggest.field import Document, FieldProposal, count, quoted
from ingestion.suggest.keys import Key
from ingestion.suggest.kinds import Kind, kind_of
from ingestion.suggest.names import UNNAMED, words_of
from ingestion.suggest.pairs import Pair
from ingestion.suggest.readings import filled_sql
from ingestion.suggest.texts import CLOCK_STEPS, ignored, key_cleaning
from ingestion.suggest.tolerances import places_in, tolerance_of
from ingestion.suggest.value_maps import ValueMap, extra_codes, value_map
from ingestion.suggest.words import DOUBTFUL

CODE = re.compile(r"[a-z][a-z0-9_]{0,40}")
SHOWN = 3
EXACT = 9  # places that a product of two floats is right to
METHOD = {
    "same": "the same text", "date": "the same date", "number": "the same number", "fold": "the same letters and digits",
    "clock": "the same time of day", "factor": "the same number after the factor", "map": "one value for each code",
    "near": "nearly the same number", "words": "the same words in another order", "begin": "the same beginning",
    "shift": "the same time of another zone",
}  # fmt: skip


def propose_fields(
    duck: duckdb.DuckDBPyConnection, pairs: Sequence[Pair], aligned: Aligned, key: Key
) -> list[FieldProposal]:
    """A field for each pair, in their order."""
    names = _field_names(pairs)
    forms = {(part.a.position, part.b.position): part.form for part in key.parts}
    fields = [
        _field(duck, pair, name, aligned, forms.get((pair.a.position, pair.b.position)))
        for pair, name in zip(pairs, names, strict=True)
    ]
    for letter in ("a", "b"):
        fields = _grouped_alike(fields, letter)
    return fields


def _grouped_alike(fields: Sequence[FieldProposal], letter: str) -> list[FieldProposal]:
    """A file groups its digits by one mark: amounts that happen to be small today are given it too."""
    maps = [it.map_a if letter == "a" else it.map_b for it in fields]
    marks = {str(it.get("decimal", ".")): it["group"] for it in maps if "group" in it}
    made = []
    for field, given in zip(fields, maps, strict=True):
        group = marks.get(str(given.get("decimal", ".")))
        if group and field.type_["type"] == "decimal" and not {"group", "clean"} & set(given):
            told = f"{letter.upper()} groups digits by {group!r} in other columns"
            both = {"a": field.map_a, "b": field.map_b, letter: {**given, "group": group}}
            field = _changed(field, both["a"], both["b"]).said(told)
        made.append(field)
    return made


def _field_names(pairs: Sequence[Pair]) -> list[str]:
    names: list[str] = []
    for pair in pairs:
        wanted = _field_name(pair.a, pair.b)
        names.append(next(it for it in (wanted, *(f"{wanted[:38]}_{n}" for n in range(2, 999))) if it not in names))
    return names


def _field_name(a: Column, b: Column) -> str:
    """The name that is a code already, else the one with more words; A's where they are equal."""
    named = [it for it in (a, b) if not UNNAMED.fullmatch(it.name) and words_of(it.name)]
    for column in named:
        if CODE.fullmatch(column.name) and "_" in column.name:
            return column.name
    best = max(named, key=lambda it: len(it.name), default=None)
    if best is not None:
        words = "_".join(words_of(best.name))[:41].strip("_")
        code = best.name.lower() if CODE.fullmatch(best.name.lower()) and best.name.islower() else words
        if CODE.fullmatch(code):
            return code
    return f"field_{a.position + 1}"


def _field(duck: duckdb.DuckDBPyConnection, pair: Pair, name: str, aligned: Aligned, form: str | None) -> FieldProposal:
    kind = kind_of(duck, pair, aligned)
    proposal = FieldProposal(
        name,
        pair,
        kind.type_ | ({"key": True} if pair.is_key else {}),
        {"column": pair.a.name, **kind.steps_a},
        {"column": pair.b.name, **kind.steps_b},
        example=_example(duck, pair),
    ).said(_paired(pair), kind.why)
    proposal = _with_nulls(duck, proposal)
    if pair.is_key and kind.type_["type"] == "text":
        proposal = _with_key_cleaning(duck, proposal, form or "same")
    elif kind.type_["type"] == "text":
        proposal = _with_text_steps(duck, proposal)
    elif kind.style_a and not pair.is_key:
        proposal = _with_tolerance(proposal, kind, aligned)
    return proposal


def _example(duck: duckdb.DuckDBPyConnection, pair: Pair) -> tuple[str, str]:
    """The values of the first aligned row that has both; where none has, of each side by itself."""
    a, b = f"a{pair.a.position}", f"b{pair.b.position}"
    found = duck.execute(
        f"SELECT {a}, {b} FROM aligned WHERE trim({a}) <> '' AND trim({b}) <> '' ORDER BY row LIMIT 1"
    ).fetchone()
    if found:
        return str(found[0]), str(found[1])
    alone_a, alone_b = ((it.examples or [""])[0] for it in (pair.a, pair.b))
    return alone_a, alone_b


def _paired(pair: Pair) -> str:
    """Why these two columns."""
    evidence, names = pair.evidence, ""
    if pair.name >= 0.999:
        names = "same name"
    elif pair.name >= 0.4:
        names = f"names {pair.name:.0%} alike"
    if not evidence.both:
        return f"{names or 'no other column'}; no row has a value on both sides"
    said = f"{METHOD.get(evidence.kind, 'agree')} in {count(evidence.agree, evidence.both)}"
    if evidence.chance > 0.97:
        said += ", which proves little since the value hardly changes"
        if pair.values >= 0.5:
            said += f"; {pair.values:.0%} of the values are on both sides"
    else:
        said += f" ({evidence.chance:.0%} by chance)"
    return f"{said}; {names}" if names else said


def _with_nulls(duck: duckdb.DuckDBPyConnection, given: FieldProposal) -> FieldProposal:
    """Null words: those of the profile, and doubtful ones that stand where the other side is empty."""
    maps = {"a": dict(given.map_a), "b": dict(given.map_b)}
    why: list[str] = []
    for column, other in ((given.pair.a, given.pair.b), (given.pair.b, given.pair.a)):
        words = dict(column.null_words)
        words |= _empty_partners(duck, column, other)
        if words:
            maps[column.letter]["null"] = sorted(words)
            stands = ", ".join(f"{quoted(word)} in {times:,}" for word, times in sorted(words.items()))
            why.append(f"{column.letter.upper()} writes nothing as {stands} of {column.rows:,} rows looked at")
    return _changed(given, maps["a"], maps["b"]).said(*why)


def _empty_partners(duck: duckdb.DuckDBPyConnection, column: Column, other: Column) -> dict[str, int]:
    doubtful = sorted({it.strip() for it in column.values} & DOUBTFUL)
    if not doubtful:
        return {}
    own, partner = f"trim({column.letter}{column.position})", f"{other.letter}{other.position}"
    words = ", ".join(map(literal, doubtful))
    rows = duck.execute(
        f"SELECT {own}, count(*), count(*) FILTER (({filled_sql(other, partner)}) IS NULL) FROM aligned "
        f"WHERE {own} IN ({words}) GROUP BY 1"
    ).fetchall()
    return {word: times for word, times, empty in rows if times >= 2 and empty >= 0.9 * times}


def _with_key_cleaning(duck: duckdb.DuckDBPyConnection, given: FieldProposal, form: str) -> FieldProposal:
    left, right, same, before = key_cleaning(duck, given.pair, form)
    map_a = {**given.map_a, **({"clean": left} if left else {})}
    map_b = {**given.map_b, **({"clean": right} if right else {})}
    rows = given.pair.evidence.rows
    said = f"cleaned keys are the same in {count(same, rows)}, as delivered in {before:,}" if left or right else ""
    return _changed(given, map_a, map_b).said(said)


def _with_text_steps(duck: duckdb.DuckDBPyConnection, given: FieldProposal) -> FieldProposal:
    pair = given.pair
    if pair.evidence.kind == "map":
        found = value_map(duck, pair)
        return _mapped(given, found) if found else given
    if pair.evidence.kind == "clock":
        steps = {"clean": CLOCK_STEPS}
        given = _changed(given, {**given.map_a, **steps}, {**given.map_b, **steps})
        return given.said("the time of day is taken out of dates and remarks around it")
    for found in extra_codes(duck, pair):
        given = _mapped(given, found)
    words, solved, unequal, example = ignored(duck, pair)
    if not words or example is None:
        return given
    said = (
        f"{solved:,} of the {unequal:,} texts that differ do so in {_and(words)} alone, "
        f"such as {quoted(example[0])} and {quoted(example[1])}"
    )
    return _changed(given, given.map_a, given.map_b, {"ignore": list(words)}).said(said)


def _mapped(given: FieldProposal, found: ValueMap) -> FieldProposal:
    maps = {"a": dict(given.map_a), "b": dict(given.map_b)}
    maps[found.side]["values"] = dict(found.values)
    shown = ", ".join(f"{code} is {meaning}" for code, meaning in list(found.values.items())[:SHOWN])
    codes, hold = ("1 code", "holds") if len(found.values) == 1 else (f"{len(found.values):,} codes", "hold")
    said = f"{codes} of {found.side.upper()} ({shown}) {hold} in {count(found.explained, found.rows)}"
    made = _changed(given, maps["a"], maps["b"], given.rule).said(said)
    against = [f"{code} with {meaning} in {times}" for code, meaning, times in found.broken[:SHOWN]]
    return _against(made, f"the codes do not hold for {'; '.join(against)}" if against else "")


def _with_tolerance(given: FieldProposal, kind: Kind, aligned: Aligned) -> FieldProposal:
    a = aligned.numbers("a", given.pair.a.position, kind.style_a) * kind.scale_a
    b = aligned.numbers("b", given.pair.b.position, kind.style_b) * kind.scale_b
    if kind.scale_a != 1 or kind.scale_b != 1:
        a, b = np.round(a, EXACT), np.round(b, EXACT)
    found = tolerance_of(a, b, places_in(a), places_in(b))
    if found is None:
        return given
    said = f"within {found.absolute} lie {found.covered:,} of the {found.unequal:,} numbers that differ: {found.reason}"
    return _changed(given, given.map_a, given.map_b, found.rule()).said(said)


def _changed(given: FieldProposal, map_a: Document, map_b: Document, rule: Document | None = None) -> FieldProposal:
    return replace(given, map_a=map_a, map_b=map_b, rule=given.rule if rule is None else rule)


def _against(given: FieldProposal, sentence: str) -> FieldProposal:
    return replace(given, against=(*given.against, sentence)) if sentence else given


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
