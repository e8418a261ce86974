"""Proofs about a flagged value: the same value in another format, or no value of its kind at all."""

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal

from attribution.provers.evidence import Context, Difference
from attribution.provers.numbers import WIDE
from ingestion.exact import number

DATE_PATTERNS = (
    "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y%m%d", "%d-%m-%Y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y",
    "%d.%m.%y", "%d/%m/%y", "%Y/%m/%d",
)  # fmt: skip
TIME_PATTERNS = ("%H:%M:%S", "%H:%M", "%H%M%S", "%I:%M %p", "%I:%M:%S %p")
TRUTHS = {"true": ("y", "yes", "t", "1", "on"), "false": ("n", "no", "f", "0", "off")}
KIND_WORDS = {
    "decimal": "decimal number", "integer": "whole number", "date": "date", "datetime": "time", "boolean": "true or false",
}  # fmt: skip


def other_format(d: Difference, context: Context) -> str:
    """A flagged raw text that, read in another common format, is the other side's value."""
    if d.kind != "type" or d.leaf is None:
        return ""
    for raw, good, side in ((d.value_b, d.value_a, "B"), (d.value_a, d.value_b, "A")):
        if raw is None or good is None or raw == good:
            continue
        if d.leaf.kind in ("decimal", "integer") and (value := number(good)) is not None:
            if any(reading == value for reading in _numbers(raw)):
                return f'{side} writes the same number as "{raw}".'
        elif d.leaf.kind == "date":
            for pattern in (*context.patterns, *DATE_PATTERNS):
                if _date(raw, pattern) == good:
                    return f'{side} writes the same date as "{raw}", pattern {pattern}.'
        elif d.leaf.kind == "datetime":
            for pattern in (*context.patterns, *(f"{day} {time}" for day in DATE_PATTERNS for time in TIME_PATTERNS)):
                if _moment(raw, pattern) == good:
                    return f'{side} writes the same time as "{raw}", pattern {pattern}.'
        elif d.leaf.kind == "boolean" and raw.strip().lower() in TRUTHS.get(good, ()):
            return f'{side} writes {good} as "{raw}".'
    return ""


def _numbers(raw: str) -> Iterator[Decimal]:
    """Readings of a text as a number: either decimal mark, grouping, sign place, percent, a currency beside it."""
    text = raw.strip().replace("\u2212", "-").replace("\u00a0", " ")
    text = re.sub(r"^[A-Z]{3}\s*|\s*[A-Z]{3}$|^[$\u20ac\u00a3\u00a5]\s*", "", text)
    if match := re.fullmatch(r"\((.*)\)|(.*)-", text):
        text = "-" + (match[1] or match[2] or "")
    share = text.endswith("%")
    text = text.rstrip("% ")
    for decimal, groups in ((".", ", '"), (",", ". '")):
        plain = text
        for mark in groups:
            plain = plain.replace(mark, "")
        if (value := number(plain.replace(decimal, "."))) is not None:
            yield value
            if share:
                yield value.scaleb(-2, WIDE)


def _date(raw: str, pattern: str) -> str:
    try:
        return dt.datetime.strptime(raw.strip(), pattern).date().isoformat()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return ""


def _moment(raw: str, pattern: str) -> str:
    """A time as a canonical text, as if it were in the zone of the other side; fractions of a second are left away."""
    text = raw.strip().split(".")[0] if "T" in raw else raw.strip()
    try:
        return f"{dt.datetime.strptime(text, pattern):%Y-%m-%dT%H:%M:%SZ}"  # noqa: DTZ007 - the zone is unknown
    except ValueError:
        return ""


def no_value(d: Difference) -> str:
    """A flagged value that fits its field in no way."""
    if d.kind != "type" or d.leaf is None:
        return ""
    words = KIND_WORDS.get(d.leaf.kind, "allowed value")
    bad_b = d.value_b is not None and not _fits(d.value_b, d)
    return f'{"B" if bad_b else "A"} holds "{d.value_b if bad_b else d.value_a}", which is no {words}.'


def _fits(text: str, d: Difference) -> bool:
    if d.leaf is None or d.leaf.kind in ("text", "boolean"):
        return d.leaf is not None and text in (TRUTHS if d.leaf.kind == "boolean" else d.leaf.choices)
    if d.leaf.kind in ("decimal", "integer"):
        value = number(text)
        if value is None or -int(value.normalize(WIDE).as_tuple().exponent) > d.places:
            return False
        return d.leaf.kind == "integer" or value.adjusted() < max(d.leaf.digits - d.places, 1)
    return bool(
        _date(text, "%Y-%m-%d") if d.leaf.kind == "date" else _moment(text.replace("Z", ""), "%Y-%m-%dT%H:%M:%S")
    )
