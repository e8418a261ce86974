"""Values that people type: made canonical, or refused with what was expected."""

import datetime as dt
from decimal import Decimal, InvalidOperation, localcontext

from ingestion.shape import Leaf

PRECISION = 100  # digits; more than any field holds, where Python would stop at 28


class BadValue(ValueError):
    """A text that is no value of its field."""


def canonical_value(leaf: Leaf, text: str | None) -> str | None:
    """The canonical text of what a person typed; None for nothing. BadValue says what was expected."""
    if text is None or text.strip() == "":
        return None
    reader = {"decimal": _decimal, "integer": _integer, "date": _date, "datetime": _moment, "boolean": _truth}.get(
        leaf.kind
    )
    if reader is not None:
        return reader(leaf, text.strip())
    if leaf.choices and text not in leaf.choices:
        raise BadValue(f"{text!r} is none of {', '.join(leaf.choices)}.")
    if "\0" in text:
        raise BadValue("a text holds no NUL.")
    return text


def _plain(text: str) -> str:
    """The text; ValueError for digits of other scripts and for groups, which Python would read."""
    if not text.isascii() or "_" in text:
        raise ValueError
    return text


def _decimal(leaf: Leaf, text: str) -> str:
    try:
        value = Decimal(_plain(text))
    except (InvalidOperation, ValueError):
        raise BadValue(f"{text!r} is no number such as 1234.50.") from None
    if not value.is_finite() or abs(value.adjusted()) > 60:
        raise BadValue(f"{text!r} is no number that can be kept.")
    with localcontext(prec=PRECISION):
        if value != round(value, leaf.places) or len(str(int(abs(value)))) > max(leaf.digits - leaf.places, 1):
            raise BadValue(f"{text!r} does not fit {leaf.digits} digits with {leaf.places} places.")
        return f"{value:.{leaf.places}f}"


def _integer(_: Leaf, text: str) -> str:
    try:
        value = int(_plain(text))
    except ValueError:
        raise BadValue(f"{text!r} is no whole number.") from None
    if abs(value) >= 2**63:
        raise BadValue(f"{text!r} is too large.")
    return str(value)


def _date(_: Leaf, text: str) -> str:
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadValue(f"{text!r} is no date such as 2026-11-24.") from None


def _moment(_: Leaf, text: str) -> str:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise BadValue(f"{text!r} is no time such as 2026-11-24T18:00:00Z.") from None
    try:
        return moment_text(moment.astimezone(dt.UTC) if moment.tzinfo else moment)
    except OverflowError:
        raise BadValue(f"{text!r} is before or after the years 1 to 9999 in UTC.") from None


def moment_text(moment: dt.datetime) -> str:
    """A time in UTC as ISO 8601."""
    text = moment.replace(tzinfo=None).isoformat()  # strftime does not fill a year with zeros
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}Z"


def _truth(_: Leaf, text: str) -> str:
    if text.lower() not in ("true", "false"):
        raise BadValue(f"{text!r} is neither true nor false.")
    return text.lower()


def canonical_text(leaf: Leaf, value: object) -> str | None:
    """The canonical text of a stored value; None for null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return f"{value:.{leaf.places}f}"
    if isinstance(value, dt.datetime):
        return moment_text(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
