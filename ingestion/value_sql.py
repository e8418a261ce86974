"""SQL of one mapped value: null words, cleaning, then the field's type. Nothing is guessed: a pattern guards each cast."""

import re

import duckdb

from ingestion.errors import BadMapping
from ingestion.lookup import lookup
from ingestion.mapping import FieldMapping
from ingestion.shape import Leaf
from ingestion.sql_text import literal

WHITE = r"[\s\p{Z}\x{200B}\x{FEFF}]"
PATTERN_CAP = 200
TRUE_WORDS, FALSE_WORDS = ("true",), ("false",)


def check_pattern(pattern: str) -> None:
    """BadMapping unless this is an RE2 pattern of bounded length."""
    if len(pattern) > PATTERN_CAP:
        raise BadMapping(f"A pattern may have {PATTERN_CAP} characters; this one has {len(pattern)}.")
    try:
        with lookup() as duck:
            duck.execute("SELECT regexp_matches('', ?)", [pattern])
    except duckdb.Error as error:
        raise BadMapping(f"{pattern!r} is no RE2 pattern: {str(error).splitlines()[0]}") from None


def cleaned_sql(mapping: FieldMapping, raw: str) -> str:
    """SQL of the cleaned text; null where the raw text is empty or a null word (compared without its outer spaces)."""
    text = f"nullif({raw}, '')"
    if mapping.null:
        words = ", ".join(literal(word) for word in mapping.null)
        text = f"CASE WHEN trim({raw}) NOT IN ({words}, '') THEN {text} END"
    for step in mapping.clean:
        text = _clean(step, text)
    if mapping.values is not None:
        text = _valued(mapping, text)
    return f"nullif({text}, '')" if mapping.clean else text


def _clean(step: object, text: str) -> str:
    if isinstance(step, str):
        plain = {
            "ends": f"regexp_replace({text}, {literal(f'^{WHITE}+|{WHITE}+$')}, '', 'g')",
            "collapse": f"regexp_replace({text}, {literal(f'{WHITE}+')}, ' ', 'g')",
            "upper": f"upper({text})",
            "lower": f"lower({text})",
            "strip_accents": f"strip_accents({text})",
        }
        if step not in plain:
            raise BadMapping(f"There is no cleaning step {step!r}; there are {', '.join(plain)}, remove, pad, replace.")
        return plain[step]
    if isinstance(step, dict) and "remove" in step:
        return f"translate({text}, {literal(str(step['remove']))}, '')"
    if isinstance(step, dict) and "pad" in step:
        width, mark = int(step["pad"]), literal(str(step.get("with", "0")))
        return f"CASE WHEN length({text}) < {width} THEN lpad({text}, {width}, {mark}) ELSE {text} END"
    if isinstance(step, dict) and "replace" in step:
        pattern, replacement = (str(part) for part in step["replace"])
        check_pattern(pattern)
        return f"regexp_replace({text}, {literal(pattern)}, {literal(replacement)}, 'g')"
    raise BadMapping(f"{step!r} is no cleaning step.")


def _valued(mapping: FieldMapping, text: str) -> str:
    values = mapping.values or {}
    if not values:
        return text
    pairs = ", ".join(f"{literal(str(key))}: {literal(str(value))}" for key, value in values.items())
    found = f"map_extract_value(MAP {{{pairs}}}, {text})"
    return f"coalesce({found}, {text})"


def typed_sql(leaf: Leaf, mapping: FieldMapping, text: str) -> str:
    """SQL of the typed value of a cleaned text; null where the text does not fit, which flags it."""
    if leaf.kind == "text":
        return _text(leaf, mapping, text)
    if leaf.kind == "boolean":
        return f"CASE lower({text}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    if leaf.kind in ("integer", "decimal"):
        return _number(leaf, mapping, text)
    return _moment(leaf, mapping, text)


def is_direct(leaf: Leaf, mapping: FieldMapping) -> bool:
    """Whether a canonical text stands for its value under this mapping, so that a cast and back proves it."""
    if leaf.kind in ("integer", "decimal"):
        return mapping.decimal == "." and not mapping.factor and mapping.percent != "divide" and mapping.round is None
    return leaf.kind == "date" and not mapping.parse


def direct_sql(leaf: Leaf, text: str) -> str:
    """SQL of the plain cast; it may round or guess, and counts only where its canonical text is the text again."""
    if leaf.kind == "integer":
        return f"CAST(TRY_CAST({text} AS DECIMAL({_whole(leaf)},0)) AS BIGINT)"
    return f"TRY_CAST({text} AS {leaf.sql_type})"


def may_flag(leaf: Leaf, mapping: FieldMapping) -> bool:
    """Whether a text can fail to fit."""
    return leaf.kind != "text" or bool(_allowed(leaf, mapping))


def _text(leaf: Leaf, mapping: FieldMapping, text: str) -> str:
    allowed = _allowed(leaf, mapping)
    if not allowed:
        return text
    return f"CASE WHEN {text} IN ({', '.join(map(literal, allowed))}) THEN {text} END"


def _allowed(leaf: Leaf, mapping: FieldMapping) -> list[str]:
    """The values that a text field may have; empty where it may have any."""
    if mapping.values is not None and mapping.others == "flag":
        return sorted({*map(str, mapping.values.values()), *leaf.choices})
    return list(leaf.choices)


def _number(leaf: Leaf, mapping: FieldMapping, text: str) -> str:
    """A plain or scientific number in the declared marks, scaled exactly, rounded only where the mapping says so."""
    sign, digits = "[+-]?", r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?"
    if mapping.group:
        mark = re.escape(mapping.group)
        grouped = rf"(?:\d{{1,3}}(?:{mark}\d{{3}})+|\d+)"
        point = re.escape(mapping.decimal)
        guard = f"regexp_full_match({text}, {literal(f'[+-]?{grouped}(?:{point}[0-9]*)?%?')})"
        text = f"CASE WHEN {guard} THEN replace({text}, {literal(mapping.group)}, '') END"
    if mapping.decimal != ".":
        text = f"CASE WHEN position('.' IN {text}) = 0 THEN replace({text}, {literal(mapping.decimal)}, '.') END"
    text = _signed(mapping, text)
    bare = f"rtrim({text}, '%')"
    guard = f"regexp_full_match({text}, {literal(sign + digits + '%?')})"
    return f"CASE WHEN {guard} THEN {_exact(leaf, mapping, bare)} END"


def _signed(mapping: FieldMapping, text: str) -> str:
    if "parentheses" in mapping.signs:
        text = f"regexp_replace({text}, '^\\((.*)\\)$', '-\\1')"
    if "trailing" in mapping.signs:
        text = f"regexp_replace({text}, '^([^-]*)-$', '-\\1')"
    return text


def _exact(leaf: Leaf, mapping: FieldMapping, text: str) -> str:
    """The value at the leaf's places; a value that would lose a digit is flagged unless the mapping rounds."""
    places = leaf.places if leaf.kind == "decimal" else 0
    target = leaf.sql_type
    scaled = bool(mapping.factor) or mapping.percent == "divide"
    if mapping.round is None and not scaled:
        fits = rf"[+-]?0*\d{{0,{_whole(leaf)}}}(?:\.\d{{0,{places}}}0*)?"
        plain = f"regexp_full_match({text}, {literal(fits)})"
        other = _scientific(leaf, text, places)
        return f"CASE WHEN {plain} THEN TRY_CAST({text} AS {target}) ELSE {other} END"
    wide = f"TRY_CAST({text} AS DECIMAL(38,{min(places + 10, 20)}))"
    if mapping.percent == "divide":
        wide = f"TRY_CAST({wide} * 0.01 AS DECIMAL(38,{min(places + 10, 20)}))"
    if mapping.factor:
        wide = (
            f"TRY_CAST({wide} * CAST({literal(mapping.factor)} AS DECIMAL(18,8)) AS DECIMAL(38,{min(places + 10, 20)}))"
        )
    if mapping.round is None:
        return f"CASE WHEN TRY_CAST({wide} AS {target}) = {wide} THEN TRY_CAST({wide} AS {target}) END"
    return f"TRY_CAST(round({wide}, {min(mapping.round, places)}) AS {target})"


def _whole(leaf: Leaf) -> int:
    return leaf.digits - leaf.places if leaf.kind == "decimal" else 18


def _scientific(leaf: Leaf, text: str, places: int) -> str:
    wide = f"TRY_CAST({text} AS DECIMAL(38,{min(places + 10, 20)}))"
    return f"CASE WHEN contains(lower({text}), 'e') AND TRY_CAST({wide} AS {leaf.sql_type}) = {wide} THEN TRY_CAST({wide} AS {leaf.sql_type}) END"


def _moment(leaf: Leaf, mapping: FieldMapping, text: str) -> str:
    if not mapping.parse:
        return _iso(leaf, mapping, text)
    tries = [f"try_strptime({text}, {literal(pattern)})" for pattern in mapping.parse]
    if len(tries) > 1:
        agreed = f"list_distinct(list_filter([{', '.join(tries)}], lambda x: x IS NOT NULL))"
        tries = [f"CASE WHEN len({agreed}) = 1 THEN {agreed}[1] END"]
    moment = tries[0]
    if leaf.kind == "datetime":
        return _in_utc(moment, mapping.zone)
    return f"CAST({moment} AS DATE)"


def _iso(leaf: Leaf, mapping: FieldMapping, text: str) -> str:
    if leaf.kind == "date":
        return rf"CASE WHEN regexp_full_match({text}, '\d{{4}}-\d{{2}}-\d{{2}}') THEN TRY_CAST({text} AS DATE) END"
    shape = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?"
    local = f"CASE WHEN regexp_full_match({text}, {literal(shape)}) THEN {_in_utc(f'TRY_CAST({text} AS TIMESTAMP)', mapping.zone)} "
    zoned = f"WHEN regexp_full_match({text}, {literal(shape + r'(?:Z|[+-][0-9]{2}:?[0-9]{2})')}) "
    return local + zoned + f"THEN TRY_CAST({text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC' END"


def _in_utc(moment: str, zone: str) -> str:
    return moment if zone == "UTC" else f"(({moment}) AT TIME ZONE {literal(zone)}) AT TIME ZONE 'UTC'"
