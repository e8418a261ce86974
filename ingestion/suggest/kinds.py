"""Types: what kind of value a pair of columns holds, and how each side's texts are read as it."""

from dataclasses import dataclass, replace
from decimal import Decimal

import duckdb

from ingestion.sql_text import literal
from ingestion.suggest.aligned import Aligned
from ingestion.suggest.column import Column
from ingestion.suggest.dates import DateStyle
from ingestion.suggest.numbers import NumberStyle
from ingestion.suggest.pairs import Pair
from ingestion.suggest.readings import filled_sql

ZEROS: dict[str, object] = {"replace": ["^0+([0-9])", "\\1"]}
IN_ZONE = 0.95  # of the rows that differ as between time zones
ZONES = (
    "Europe/London", "Europe/Berlin", "Europe/Helsinki", "Europe/Moscow", "Asia/Dubai", "Asia/Kolkata", "Asia/Singapore",
    "Asia/Tokyo", "Australia/Sydney", "Pacific/Auckland", "America/New_York", "America/Chicago", "America/Denver",
    "America/Los_Angeles", "America/Sao_Paulo", "Africa/Johannesburg", *(f"Etc/GMT{n:+d}" for n in range(-14, 13) if n),
)  # fmt: skip
READABLE = 0.98  # the share of values that must fit a type; the rest is flagged
WIDEST = 38
USUAL_DIGITS = 18
FINEST = 20
MONEY = 8  # places that amounts and rates have at most: more are a float's, and vary from row to row


@dataclass(frozen=True)
class Kind:
    """A type with its mapping steps on each side and what is said of it."""

    type_: dict[str, object]
    steps_a: dict[str, object]
    steps_b: dict[str, object]
    why: str = ""
    style_a: NumberStyle | None = None
    style_b: NumberStyle | None = None
    scale_a: float = 1.0
    scale_b: float = 1.0


TEXT = Kind({"type": "text"}, {}, {})


def kind_of(duck: duckdb.DuckDBPyConnection, pair: Pair, aligned: Aligned) -> Kind:
    """The narrowest type that nearly all values of both columns fit, as their rows agree."""
    if pair.evidence.kind in ("map", "clock", "words", "begin"):
        return TEXT
    return _as_date(duck, pair, aligned) or _as_number(duck, pair, aligned) or TEXT


def _as_date(duck: duckdb.DuckDBPyConnection, pair: Pair, aligned: Aligned) -> Kind | None:
    evidence = pair.evidence
    if isinstance(evidence.style_a, DateStyle) and isinstance(evidence.style_b, DateStyle):
        kind = _dated(evidence.style_a, evidence.style_b)
        return _zoned(duck, pair, kind, evidence.style_a, evidence.style_b) if evidence.kind == "shift" else kind
    styles = _common_dates(pair)
    return _dated(*styles) if styles and _readable(pair, aligned, *styles) else None


def _as_number(duck: duckdb.DuckDBPyConnection, pair: Pair, aligned: Aligned) -> Kind | None:
    evidence = pair.evidence
    styles = _common_numbers(pair)
    if isinstance(evidence.style_a, NumberStyle) and isinstance(evidence.style_b, NumberStyle):
        styles = evidence.style_a, evidence.style_b
    if styles is None:
        return None
    if pair.a.is_code or pair.b.is_code:
        return _padded(pair) if evidence.kind == "number" and not pair.is_key else None
    must_fit = pair.is_key or evidence.kind in ("same", "fold")
    return None if must_fit and not _readable(pair, aligned, *styles) else _numbered(duck, pair, *styles)


def _common_dates(pair: Pair) -> tuple[DateStyle, DateStyle] | None:
    """The styles of two columns that are written alike, or the likeliest ones where one side is empty."""
    both = [(a, b) for a in pair.a.dates for b in pair.b.dates if a == b]
    if both:
        return both[0]
    return None


def _common_numbers(pair: Pair) -> tuple[NumberStyle, NumberStyle] | None:
    both = [(a, b) for a in pair.a.numbers for b in pair.b.numbers if (a.decimal, a.unit) == (b.decimal, b.unit)]
    if both:
        return both[0]
    return (pair.a.numbers[0], pair.b.numbers[0]) if pair.a.numbers and pair.b.numbers else None


def _readable(pair: Pair, aligned: Aligned, a: NumberStyle | DateStyle, b: NumberStyle | DateStyle) -> bool:
    shares = (aligned.read_by("a", pair.a.position, a), aligned.read_by("b", pair.b.position, b))
    return min(shares) >= (1.0 if pair.is_key else READABLE)


def _padded(pair: Pair) -> Kind:
    """Codes of digits that one side writes with leading zeros, the other without."""
    steps = [{"clean": [ZEROS]} if column.is_code else {} for column in (pair.a, pair.b)]
    return Kind({"type": "text"}, dict(steps[0]), dict(steps[1]), "codes, of which one side drops leading zeros")


def _dated(a: DateStyle, b: DateStyle) -> Kind:
    kind = "datetime" if a.has_time and b.has_time else "date"
    steps = [_date_steps(style, kind) for style in (a, b)]
    return Kind({"type": kind}, steps[0], steps[1], _told("dates", a.shown(), b.shown()))


def _zoned(duck: duckdb.DuckDBPyConnection, pair: Pair, kind: Kind, a: DateStyle, b: DateStyle) -> Kind:
    """One side writes the time of a zone, the other UTC: the zone that makes most rows the same, if any does."""
    left = a.sql(filled_sql(pair.a, f"a{pair.a.position}"))
    right = b.sql(filled_sql(pair.b, f"b{pair.b.position}"))
    tests = [(side, zone) for zone in ZONES for side in ("a", "b")]
    counted = ", ".join(
        f"count(*) FILTER ({_in_zone('x', zone)} = y)"
        if side == "a"
        else f"count(*) FILTER ({_in_zone('y', zone)} = x)"
        for side, zone in tests
    )
    found = duck.execute(f"SELECT {counted} FROM (SELECT {left} AS x, {right} AS y FROM aligned)").fetchall()[0]
    best = max(range(len(tests)), key=lambda n: found[n])
    side, zone = tests[best]
    if found[best] < IN_ZONE * pair.evidence.agree:
        return replace(kind, why=f"{kind.why}; the times differ by whole quarters of an hour, as between time zones")
    steps = {"a": kind.steps_a, "b": kind.steps_b}
    steps[side] = {**steps[side], "zone": zone}
    said = f"{kind.why}; {side.upper()}'s times read as of {zone} are the other's in {found[best]:,} of {pair.evidence.both:,} rows"
    return replace(kind, steps_a=steps["a"], steps_b=steps["b"], why=said)


def _in_zone(moment: str, zone: str) -> str:
    return f"epoch_us(make_timestamp({moment}) AT TIME ZONE {literal(zone)})"


def _date_steps(style: DateStyle, kind: str) -> dict[str, object]:
    if kind == "date" and style.has_time and not style.patterns:
        return {"parse": ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]}
    return style.mapping()


def _told(what: str, a: str, b: str) -> str:
    return f"{what}: {a}" if a == b else f"{what}: {a} in A, {b} in B"


def _numbered(duck: duckdb.DuckDBPyConnection, pair: Pair, a: NumberStyle, b: NumberStyle) -> Kind:
    factor = pair.evidence.factor
    steps_a, steps_b = a.mapping(), b.mapping()
    scale_a = scale_b = 0
    times = (1.0, 1.0)
    why = _told("numbers", a.shown(), b.shown()) if a.shown() != b.shown() or a.mapping() else ""
    if factor != 1.0:
        side, step, scale = _factor_steps(factor, a, b)
        (steps_a if side == "a" else steps_b).update(step)
        scale_a, scale_b = (scale, 0) if side == "a" else (0, scale)
        times = (factor, 1.0) if side == "a" else (1.0, 1 / factor)
        why = (why + "; " if why else "") + f"B is A times {_plain(factor)}"
    whole, places = _size(duck, pair, a, b, scale_a, scale_b)
    if pair.a.is_whole and pair.b.is_whole and factor == 1.0 and whole <= USUAL_DIGITS:
        return Kind({"type": "integer"}, steps_a, steps_b, why, a, b, *times)
    if places > FINEST or whole + places > WIDEST:
        places = max(min(FINEST, WIDEST - 2 - whole), 0)
        steps_a["round"] = steps_b["round"] = places
    elif factor != 1.0:
        steps_a["round"] = steps_b["round"] = places
    digits = min(max(USUAL_DIGITS, whole + places + 2), WIDEST)
    return Kind({"type": "decimal", "digits": digits, "places": places}, steps_a, steps_b, why, a, b, *times)


def _factor_steps(factor: float, a: NumberStyle, b: NumberStyle) -> tuple[str, dict[str, object], int]:
    """The side that is scaled so that both are of one size, the step, and by how many places its numbers grow."""
    if abs(factor - 0.01) < 1e-12 and a.percent and not b.percent:
        return "a", {"percent": "divide"}, 2
    if abs(factor - 100) < 1e-9 and b.percent and not a.percent:
        return "b", {"percent": "divide"}, 2
    for side, scale in (("b", 1 / factor), ("a", factor)):
        text = _plain(scale)
        if abs(float(text) / scale - 1) < 1e-12:
            return side, {"factor": text}, max(-int(Decimal(text).as_tuple().exponent), 0)
    return "b", {"factor": _plain(1 / factor)}, 6


def _plain(number: float) -> str:
    """A number with at most 8 places, as a text."""
    text = f"{number:.8f}".rstrip("0").rstrip(".")
    return text if text not in ("", "-", "0") else f"{number:g}"


def _size(
    duck: duckdb.DuckDBPyConnection, pair: Pair, a: NumberStyle, b: NumberStyle, scale_a: int, scale_b: int
) -> tuple[int, int]:
    """Digits before and after the point that the sampled numbers of both sides need; those of all rows where many do."""
    sizes = [_digits(duck, pair.a, a, "sample_a", scale_a), _digits(duck, pair.b, b, "sample_b", scale_b)]
    if max(places for _, places in sizes) > MONEY:
        sizes = [_digits(duck, pair.a, a, "raw_a", scale_a), _digits(duck, pair.b, b, "raw_b", scale_b)]
    return max(whole for whole, _ in sizes), max(places for _, places in sizes)


def _digits(
    duck: duckdb.DuckDBPyConnection, column: Column, style: NumberStyle, relation: str, scale: int
) -> tuple[int, int]:
    text = style.text_sql(filled_sql(column, column.sql))
    whole, places = duck.execute(
        "SELECT coalesce(max(length(ltrim(CASE WHEN p > 0 THEN left(t, p - 1) ELSE t END, '+-0'))), 1), "
        "coalesce(max(CASE WHEN p > 0 THEN length(rtrim(t, '0')) - p ELSE 0 END), 0) "
        f"FROM (SELECT t, strpos(t, '.') AS p FROM (SELECT {text} AS t FROM {relation}) "
        "WHERE TRY_CAST(t AS DOUBLE) IS NOT NULL AND NOT contains(lower(t), 'e'))"
    ).fetchall()[0]
    return max(int(whole), 1), int(places) + scale
