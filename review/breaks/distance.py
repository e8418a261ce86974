"""How far apart two values are, against what their field's rule allows; and where two texts differ, in words."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal, DivisionByZero, InvalidOperation, localcontext
from difflib import SequenceMatcher

from ingestion.exact import number
from reconciliation.engine.business_days import Calendar
from reconciliation.engine.rules import EXACT_DIGITS, CompareRule

FOLLOWED = 400  # characters of a value that are compared one by one
SPOTS = 3  # places that a sentence names
QUOTED = 24  # characters of a place that a sentence quotes


@dataclass(frozen=True)
class Distance:
    """A distance and its limit as text; `times` is how many times the limit it is, None where nothing is allowed."""

    text: str
    times: Decimal | None = None

    @property
    def is_within(self) -> bool:
        """Whether the rule lets it be."""
        return self.times is not None and self.times <= 1

    @property
    def bar(self) -> str:
        """The distance as a width of 88, of which half is the limit."""
        return f"{float(min(self.times or 2, Decimal(2))) * 44:.1f}"


def distance_between(kind: str, a: str | None, b: str | None, rule: CompareRule, calendar: Calendar) -> Distance | None:
    """How far apart two canonical values are; None where one is missing, or texts are compared exactly."""
    if a is None or b is None or rule.skip:
        return Distance("This field is not compared.") if rule.skip else None
    if kind in ("decimal", "integer"):
        return _of_numbers(a, b, rule)
    if kind in ("date", "datetime"):
        return _of_days(a, b, rule, calendar)
    return Distance(f"Compared without {', '.join(rule.ignore)}.") if rule.ignore else None


def _of_numbers(a: str, b: str, rule: CompareRule) -> Distance | None:
    first, second = number(a), number(b)
    if first is None or second is None:
        return None
    with localcontext(prec=EXACT_DIGITS):
        return _told(abs(first - second), rule.absolute + rule.share * abs(second), "")


def _of_days(a: str, b: str, rule: CompareRule, calendar: Calendar) -> Distance | None:
    try:
        first, last = sorted((dt.datetime.fromisoformat(a), dt.datetime.fromisoformat(b)))
    except (ValueError, TypeError):  # one names its zone, the other does not
        return None
    if rule.business_days:
        apart = calendar.business_days_between(first.date(), last.date())
        return _told(Decimal(apart), Decimal(rule.business_days), "business days")
    if first.date() == last.date() and first != last:
        return Distance(f"{last - first} apart within one day")
    return _told(Decimal((last.date() - first.date()).days), Decimal(rule.days), "days")


def _told(apart: Decimal, allowed: Decimal, unit: str) -> Distance:
    far, limit = _figure(apart), _figure(allowed)
    unit = f" {unit.removesuffix('s') if apart == 1 else unit}" if unit else ""
    if not allowed:
        return Distance(f"{far}{unit} apart, none allowed")
    if apart <= allowed:
        return Distance(f"{far} of {limit}{unit} allowed: within", _times(apart, allowed))
    return Distance(
        f"{far}{unit} apart, {limit} allowed: {_multiple(_times(apart, allowed))} the limit", _times(apart, allowed)
    )


def _times(apart: Decimal, allowed: Decimal) -> Decimal:
    try:
        with localcontext(prec=12):
            return apart / allowed
    except (InvalidOperation, DivisionByZero):
        return Decimal(2)


def _multiple(times: Decimal) -> str:
    return f"{times:,.0f} times" if times >= 10 else f"{times:.1f} times" if times >= Decimal("1.05") else "just over"


def _figure(value: Decimal) -> str:
    return f"{value.normalize():,f}" if value else "0"


def where_they_differ(a: str | None, b: str | None) -> str:
    """The places where two texts differ, in words: `character 4: "54" against "45"`; empty where there is nothing to tell."""
    if not a or not b or a == b or len(a) > FOLLOWED or len(b) > FOLLOWED:
        return ""
    matched = SequenceMatcher(None, a, b, autojunk=False)
    if matched.ratio() < 0.5:
        return "nothing much in common"
    spots = [(i, a[i:j], b[k:m]) for tag, i, j, k, m in matched.get_opcodes() if tag != "equal"]
    told = [f"character {i + 1}: {_quoted(left)} against {_quoted(right)}" for i, left, right in spots[:SPOTS]]
    return "; ".join(told) + (f"; {len(spots) - SPOTS} more" if len(spots) > SPOTS else "")


def _quoted(text: str) -> str:
    if not text:
        return "nothing"
    return f'"{text[:QUOTED]}..."' if len(text) > QUOTED else f'"{text}"'
