"""SQL of equality between the two sides `a` and `b` of a compared name, exact in decimals."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from ingestion.shape import Compared, Leaf, canonical_sql
from ingestion.sql_text import literal
from reconciliation.engine.business_days import Calendar
from reconciliation.engine.folding import folded_sql
from reconciliation.engine.rules import CompareRule
from reconciliation.engine.tolerance import WIDTH, within_sql

DAY = 86_400_000_000  # microseconds


def identical_sql(compared: Compared) -> str:
    """True where both sides hold the same values, nulls included."""
    return " AND ".join(f"a.{leaf.column} IS NOT DISTINCT FROM b.{leaf.column}" for leaf in compared.leaves)


def tolerated_sql(compared: Compared, rule: CompareRule, calendar: Calendar) -> str:
    """True where values that are not identical are equal under the rule; empty when the rule tolerates nothing."""
    tests = {leaf: _tolerated(leaf, rule, calendar) for leaf in compared.leaves}
    if not any(tests.values()):
        return ""
    return " AND ".join(
        f"(a.{leaf.column} IS NOT DISTINCT FROM b.{leaf.column} OR coalesce({test or 'false'}, false))"
        for leaf, test in tests.items()
    )


def flagged_sql(flags: str, leaves: Sequence[Leaf]) -> str:
    """True where a comma-joined list of flagged names holds one of the leaves."""
    names = ", ".join(literal(leaf.name) for leaf in leaves)
    return f"coalesce(list_has_any(string_split({flags}, ','), [{names}]), false)"


def _tolerated(leaf: Leaf, rule: CompareRule, calendar: Calendar) -> str:
    a, b = f"a.{leaf.column}", f"b.{leaf.column}"
    tests = [*_close(leaf, rule, calendar, a, b), *_null_equal(leaf, rule, a, b)]
    return " OR ".join(f"({test})" for test in tests)


def _close(leaf: Leaf, rule: CompareRule, calendar: Calendar, a: str, b: str) -> list[str]:
    tests = []
    if leaf.kind in ("integer", "decimal") and (rule.absolute or rule.share):
        tests.append(within_sql(leaf, rule, a, b))
    if leaf.kind in ("date", "datetime"):
        if rule.days:
            tests.append(_within_days(leaf, rule.days, a, b))
        if rule.business_days:
            tests.append(calendar.sql(f"CAST({a} AS DATE)", f"CAST({b} AS DATE)", rule.business_days))
    if leaf.kind == "text" and rule.ignore:
        tests.append(f"{folded_sql(a, rule.ignore)} = {folded_sql(b, rule.ignore)}")
    return tests


def _within_days(leaf: Leaf, days: int, a: str, b: str) -> str:
    if leaf.kind == "date":
        return f"abs({a} - {b}) <= {days}"
    return f"abs(epoch_us({a}) - epoch_us({b})) <= {days * DAY}"


def _null_equal(leaf: Leaf, rule: CompareRule, a: str, b: str) -> list[str]:
    if not (texts := {_canonical(leaf, word) for word in rule.null_equals}):
        return []
    words = ", ".join(map(literal, sorted(texts)))
    return [f"{x} IS NULL AND {canonical_sql(leaf, y)} IN ({words})" for x, y in ((a, b), (b, a))]


def _canonical(leaf: Leaf, word: str) -> str:
    """A word of `null_equals` as the leaf writes it: `0` is 0.00 in a number of two places."""
    if leaf.kind not in ("integer", "decimal"):
        return word
    places = leaf.places if leaf.kind == "decimal" else 0
    try:
        value = Decimal(word)
    except InvalidOperation:
        return word
    if not value.is_finite() or value.adjusted() > WIDTH or value != Decimal(text := f"{value:.{places}f}"):
        return word
    return text if value else text.lstrip("-")
