"""SQL of one mapped value: null words, cleaning, then the field's type. Nothing is guessed: a pattern guards each cast."""

import re
from collections.abc import Mapping
from decimal import Decimal

import duckdb

from ingestion.errors import BadMapping
from ingestion.lookup import lookup
from ingestion.mapping import FieldMapping, word_of
from ingestion.shape import Leaf
from ingestion.sql_text import literal

WHITE = r"[\s\p{Z}\x{200B}\x{FEFF}]"
PATTERN_CAP = 200
WIDTH = 38  # digits of the widest decimal
FIRST_YEAR = 1000  # `%Y` also takes two digits, which would be a year long ago
LAST_YEAR = 9999


def check_pattern(pattern: str) -> None:
    """BadMapping unless this is an RE2 pattern of bounded length."""
    if len(pattern) > PATTERN_CAP:
        raise BadMapping(f"A pattern may have {PATTERN_CAP} characters; this one has {len(pattern)}.")
    try:
        with lookup() as duck:
            duck.execute("SELECT regexp_matches('', ?)", [pattern])
    except duckdb.Error as error:
        raise BadMapping(f"{pattern!r} is no RE2 pattern: {str(error).splitlines()[0]}") from None


def check_moments(mapping: FieldMapping) -> None:
    """BadMapping unless the date patterns and the time zone are ones that DuckDB knows."""
    with lookup() as duck:
        for pattern in mapping.parse:
            try:
                duck.execute(f"SELECT try_strptime('', {literal(pattern)})")
            except duckdb.Error:
                raise BadMapping(f"{pattern!r} is no date pattern such as %d.%m.%Y") from None
            if "%" not in pattern:
                raise BadMapping(f"{pattern!r} is no date pattern such as %d.%m.%Y")
        try:
            duck.execute(f"SELECT TIMESTAMP '2026-01-01' AT TIME ZONE {literal(mapping.zone)}")
        except duckdb.Error:
            raise BadMapping(f"there is no time zone {mapping.zone!r}; write one such as Europe/Berlin") from None


def cleaned_sql(mapping: FieldMapping, raw: str) -> str:
    """SQL of the cleaned text; null where the raw text is empty or a null word (compared without its outer spaces)."""
    text = f"nullif({raw}, '')"
    nothing = ", ".join(map(literal, (*mapping.null, "")))
    if mapping.null:
        text = f"CASE WHEN trim({raw}) NOT IN ({nothing}) THEN {text} END"
    for step in mapping.clean:
        text = _clean(step, text)
    if mapping.null and mapping.clean:
        text = f"CASE WHEN {text} NOT IN ({nothing}) THEN {text} END"
    if mapping.values:
        text = _valued(mapping.values, text)
    return f"nullif({text}, '')" if mapping.clean or mapping.values else text


def _clean(step: object, text: str) -> str:
    if isinstance(step, str):
        return {
            "ends": f"regexp_replace({text}, {literal(f'^{WHITE}+|{WHITE}+$')}, '', 'g')",
            "collapse": f"regexp_replace({text}, {literal(f'{WHITE}+')}, ' ', 'g')",
            "upper": f"upper({text})",
            "lower": f"lower({text})",
            "strip_accents": f"strip_accents({text})",
        }[step]
    assert isinstance(step, dict)
    if "remove" in step:
        return f"translate({text}, {literal(word_of(step['remove']))}, '')"
    if "pad" in step:
        width, mark = int(step["pad"]), literal(word_of(step.get("with", "0")))
        return f"CASE WHEN length({text}) < {width} THEN lpad({text}, {width}, {mark}) ELSE {text} END"
    pattern, replacement = (word_of(part, "") for part in step["replace"])
    check_pattern(pattern)
    return f"regexp_replace({text}, {literal(pattern)}, {literal(replacement)}, 'g')"


def _valued(values: Mapping[str, str | None], text: str) -> str:
    """What a code stands for; a code that stands for nothing becomes empty, which is null."""
    pairs = ", ".join(f"{literal(code)}: {literal(value or '')}" for code, value in values.items())
    return f"coalesce(map_extract_value(MAP {{{pairs}}}, {text}), {text})"


def typed_sql(leaf: Leaf, mapping: FieldMapping, text: str) -> str:
    """SQL of the typed value of a cleaned text; null where the text does not fit, which flags it."""
    if leaf.kind == "text":
        return _text(leaf, mapping, text)
    typed = _typed(leaf, mapping, text)
    if mapping.values and mapping.others == "flag":
        known = ", ".join(literal(value) for value in sorted({it for it in mapping.values.values() if it}))
        typed = f"CASE WHEN {text} IN ({known or 'NULL'}) THEN {typed} END"
    if leaf.choices:
        allowed = ", ".join(f"TRY_CAST({literal(choice)} AS {leaf.sql_type})" for choice in leaf.choices)
        typed = f"CASE WHEN {typed} IN ({allowed}) THEN {typed} END"
    return typed


def _typed(leaf: Leaf, mapping: FieldMapping, text: str) -> str:
    if leaf.kind == "boolean":
        return f"CASE lower({text}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    if leaf.kind in ("integer", "decimal"):
        return _number(leaf, mapping, text)
    return _moment(leaf, mapping, text)


def is_direct(leaf: Leaf, mapping: FieldMapping) -> bool:
    """Whether a canonical text stands for its value under this mapping, so that a cast and back proves it."""
    if leaf.choices or (mapping.values and mapping.others == "flag"):
        return False
    if leaf.kind in ("integer", "decimal"):
        return mapping.decimal == "." and not mapping.factor and mapping.percent != "divide" and mapping.round is None
    return leaf.kind == "date" and not mapping.parse


def direct_sql(leaf: Leaf, text: str) -> str:
    """SQL of the plain cast; it may round or guess, and counts only where its canonical text is the text again."""
    if leaf.kind == "integer":
        return f"CAST(TRY_CAST({text} AS DECIMAL({_whole(leaf)},0)) AS BIGINT)"
    plain = f"TRY_CAST({text} AS {leaf.sql_type})"
    return (
        plain if leaf.kind != "date" else f"CASE WHEN length({text}) = 10 THEN {plain} END"
    )  # no year 10000, no infinity


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
    if mapping.values and mapping.others == "flag":
        return sorted({*filter(None, mapping.values.values()), *leaf.choices})
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
    if mapping.round is None and not mapping.factor and mapping.percent != "divide":
        fits = rf"[+-]?0*\d{{0,{_whole(leaf)}}}(?:\.\d{{0,{places}}}0*)?"
        plain = f"regexp_full_match({text}, {literal(fits)})"
        other = _scientific(leaf, text, places)
        return f"CASE WHEN {plain} THEN TRY_CAST({text} AS {target}) ELSE {other} END"
    scaled = _scaled(leaf, mapping, text)
    if mapping.round is None:
        return f"CASE WHEN TRY_CAST({scaled} AS {target}) = {scaled} THEN TRY_CAST({scaled} AS {target}) END"
    return f"TRY_CAST(round({scaled}, {min(mapping.round, places)}) AS {target})"


def _scaled(leaf: Leaf, mapping: FieldMapping, text: str) -> str:
    """The number times the mapping's factor, exactly; null where no decimal is wide enough for that."""
    factor = Decimal(mapping.factor or 1) * (Decimal("0.01") if mapping.percent == "divide" else 1)
    _, digits, exponent = factor.as_tuple()
    ahead, behind = max(int(exponent), 0), max(-int(exponent), 0)
    kept = max(0, min(20, WIDTH - 1 - _whole(leaf) - behind))
    wide = f"TRY_CAST({text} AS DECIMAL({WIDTH},{kept}))"
    if mapping.round is None:
        exact = rf"[+-]?\d*(?:\.\d{{0,{kept}}}0*)?|.*[eE].*"
        wide = f"CASE WHEN regexp_full_match({text}, {literal(exact)}) THEN {wide} END"
    if factor == 1:
        return wide
    whole = abs(int(factor.scaleb(behind)))
    largest = (10 ** (WIDTH - kept) - 1) // max(whole, 1)  # a larger product would not fit
    times = f"{wide} * CAST('{factor:f}' AS DECIMAL({max(len(digits) + ahead, behind)},{behind}))"
    return f"CASE WHEN abs({wide}) <= CAST('{largest}' AS DECIMAL({WIDTH},0)) THEN {times} END"


def _whole(leaf: Leaf) -> int:
    return leaf.digits - leaf.places if leaf.kind == "decimal" else 18


def _scientific(leaf: Leaf, text: str, places: int) -> str:
    wide = f"TRY_CAST({text} AS DECIMAL(38,{min(places + 10, 20)}))"
    return f"CASE WHEN contains(lower({text}), 'e') AND TRY_CAST({wide} AS {leaf.sql_type}) = {wide} THEN TRY_CAST({wide} AS {leaf.sql_type}) END"


def _moment(leaf: Leaf, mapping: FieldMapping, text: str) -> str:
    if not mapping.parse:
        return _iso(leaf, mapping, text)
    tries = [_attempt(leaf, mapping, text, pattern) for pattern in mapping.parse]
    if len(tries) > 1:
        agreed = f"list_distinct(list_filter([{', '.join(tries)}], lambda x: x IS NOT NULL))"
        tries = [f"CASE WHEN len({agreed}) = 1 THEN {agreed}[1] END"]
    return tries[0] if leaf.kind == "datetime" else f"CAST({tries[0]} AS DATE)"


def _attempt(leaf: Leaf, mapping: FieldMapping, text: str, pattern: str) -> str:
    """SQL of what one pattern reads: a time in UTC, or a day; a zone in the text itself comes before the declared one."""
    moment = f"try_strptime({text}, {literal(pattern)})"
    if "%Y" in pattern:
        moment = f"CASE WHEN year({moment}) BETWEEN {FIRST_YEAR} AND {LAST_YEAR} THEN {moment} END"
    if re.search(r"%[zZ]", pattern):
        return _within(f"({moment}) AT TIME ZONE {literal('UTC' if leaf.kind == 'datetime' else mapping.zone)}")
    return _in_utc(moment, mapping.zone) if leaf.kind == "datetime" else moment


def _iso(leaf: Leaf, mapping: FieldMapping, text: str) -> str:
    if leaf.kind == "date":
        known = rf"regexp_full_match({text}, '\d{{4}}-\d{{2}}-\d{{2}}') AND NOT starts_with({text}, '0000')"
        return f"CASE WHEN {known} THEN TRY_CAST({text} AS DATE) END"
    shape = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?"
    local = f"CASE WHEN regexp_full_match({text}, {literal(shape)}) THEN {_in_utc(f'TRY_CAST({text} AS TIMESTAMP)', mapping.zone)} "
    zoned = f"WHEN regexp_full_match({text}, {literal(shape + r'(?:Z|[+-][0-9]{2}:?[0-9]{2})')}) "
    return _within(local + zoned + f"THEN TRY_CAST({text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC' END")


def _within(moment: str) -> str:
    """A moment in the years that PostgreSQL and Python have in common; an infinite one is none."""
    return f"list_transform([{moment}], lambda m: CASE WHEN year(m) BETWEEN 1 AND {LAST_YEAR} THEN m END)[1]"


def _in_utc(moment: str, zone: str) -> str:
    """A local time in UTC; null where the clocks of its zone skip it, or show it twice."""
    if zone == "UTC":
        return moment
    there, back = f"(l AT TIME ZONE {literal(zone)})", f"AT TIME ZONE {literal(zone)}"
    shifts = [f"{sign} INTERVAL {minutes} MINUTE" for minutes in (30, 60) for sign in "-+"]
    once = "".join(f" AND ({there} {shift}) {back} <> l" for shift in shifts)
    # of most times it is enough to know that the clocks are the same three hours before and after
    calm = " AND ".join(f"({there} {sign} INTERVAL 3 HOUR) {back} = l {sign} INTERVAL 3 HOUR" for sign in "-+")
    known = f"({calm}) OR ({there} {back} = l{once})"
    return f"list_transform([{moment}], lambda l: CASE WHEN {known} THEN {there} AT TIME ZONE 'UTC' END)[1]"
