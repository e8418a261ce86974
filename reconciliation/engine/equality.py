"""SQL of equality between the two sides of a compared name, exact in decimals."""

from decimal import Decimal

from ingestion.shape import Compared, Leaf, canonical_sql
from ingestion.sql_text import literal
from reconciliation.engine.business_days import Calendar
from reconciliation.engine.folding import folded_sql
from reconciliation.engine.rules import CompareRule

WIDTH = 38  # digits of the widest decimal


def differs_sql(compared: Compared, rule: CompareRule, calendar: Calendar, *, both_mapped: bool) -> str:
    """True where the two sides of `a` and `b` differ. A flagged value always differs."""
    flagged = " OR ".join(f"{flagged_sql('a', leaf)} OR {flagged_sql('b', leaf)}" for leaf in compared.leaves)
    if rule.skip or not both_mapped:
        return f"coalesce({flagged}, false)"
    unequal = " OR ".join(_unequal(leaf, rule, calendar) for leaf in compared.leaves)
    return f"coalesce({unequal} OR {flagged}, false)"


def flagged_sql(side: str, leaf: Leaf) -> str:
    """True where a side's value of a leaf is flagged."""
    return f"({side}.flags IS NOT NULL AND list_contains(string_split({side}.flags, ','), {literal(leaf.name)}))"


def _unequal(leaf: Leaf, rule: CompareRule, calendar: Calendar) -> str:
    a, b = f"a.{leaf.column}", f"b.{leaf.column}"
    plain = f"{a} IS DISTINCT FROM {b}"
    equal = [test for test in (_tolerant(leaf, rule, calendar, a, b), _null_equal(leaf, rule, a, b)) if test]
    return f"({plain} AND NOT coalesce({' OR '.join(equal)}, false))" if equal else f"({plain})"


def _tolerant(leaf: Leaf, rule: CompareRule, calendar: Calendar, a: str, b: str) -> str:
    if leaf.kind in ("integer", "decimal") and (rule.absolute or rule.share):
        return _within(leaf, rule, a, b)
    if leaf.kind in ("date", "datetime") and rule.days:
        return _within_days(leaf, rule.days, a, b)
    if leaf.kind in ("date", "datetime") and rule.business_days:
        return calendar.sql(f"CAST({a} AS DATE)", f"CAST({b} AS DATE)", rule.business_days)
    if leaf.kind == "text" and rule.ignore:
        return f"{folded_sql(a, rule.ignore)} = {folded_sql(b, rule.ignore)}"
    return ""


def _within(leaf: Leaf, rule: CompareRule, a: str, b: str) -> str:
    """|a-b| <= absolute + share*|b| in exact decimals; a sum too wide for one is no equality."""
    kind = leaf.sql_type if leaf.kind == "decimal" else "DECIMAL(18,0)"
    limit = decimal_sql(rule.absolute)
    if rule.share:
        limit = f"{limit} + {decimal_sql(rule.share)} * abs(CAST({b} AS {kind}))"
    return f"TRY(abs(CAST({a} AS {kind}) - CAST({b} AS {kind})) <= {limit})"


def decimal_sql(number: Decimal) -> str:
    """A decimal literal with its exact type."""
    _, digits, exponent = number.normalize().as_tuple()
    places = max(-int(exponent), 0)
    width = min(max(len(digits) + max(int(exponent), 0), places + 1), WIDTH)
    return f"CAST('{number:f}' AS DECIMAL({width},{places}))"


def _within_days(leaf: Leaf, days: int, a: str, b: str) -> str:
    if leaf.kind == "date":
        return f"abs(date_diff('day', {a}, {b})) <= {days}"
    return f"abs(epoch({a}) - epoch({b})) <= {days * 86400}"


def _null_equal(leaf: Leaf, rule: CompareRule, a: str, b: str) -> str:
    if not rule.null_equals:
        return ""
    words = ", ".join(literal(word) for word in rule.null_equals)
    text_a, text_b = canonical_sql(leaf, a), canonical_sql(leaf, b)
    return f"({a} IS NULL AND {text_b} IN ({words})) OR ({b} IS NULL AND {text_a} IN ({words}))"
