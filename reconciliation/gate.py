"""The gate: the last check before the store. Pure: record checks as SQL over a relation, the verdict over plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ingestion.exact import number
from ingestion.shape import Leaf, Shape, canonical_sql
from ingestion.sql_text import literal
from reconciliation.rules import Check, GateRules


@dataclass(frozen=True)
class Condition:
    """One condition of the gate, whether it holds, and what was measured."""

    code: str
    sentence: str
    holds: bool
    detail: str = ""


@dataclass(frozen=True)
class Explained:
    """What the gate knows of one difference."""

    field: str
    reason: str
    functional: bool | None
    confidence: Decimal
    is_flagged: bool = False
    value_a: str | None = None
    value_b: str | None = None
    functional_share: Decimal | None = None
    unfamiliar: str = ""


def verdict(
    rules: GateRules,
    differences: Sequence[Explained],
    record: Mapping[str, str | None],
    failed_checks: Sequence[Condition],
    *,
    may_pass: Mapping[str, Decimal] | None = None,
    certificate: Condition | None = None,
) -> list[Condition]:
    """Every condition for letting a differing record pass without a person; it passes when all hold. `may_pass`: the reasons
    that the `certificate` of a budgeted gate speaks for, each from which share of functional reasons on."""
    conditions = list(failed_checks)
    if rules.checks and not failed_checks:
        conditions.append(Condition("checks", _all_hold(len(rules.checks)), holds=True))
    for difference in differences:
        conditions += _of_difference(rules, difference, may_pass)
    if not any(difference.is_flagged for difference in differences):
        conditions.append(Condition("flagged", "Nothing in the record is flagged", holds=True))
    conditions += _limits(rules, differences, record)
    if rules.budget:
        conditions.append(certificate or uncertified(rules.budget, "no model holds one"))
    return conditions


def _all_hold(checks: int) -> str:
    return "The record check holds" if checks == 1 else f"All {checks} record checks hold"


def covered(budget: str) -> str:
    """What a budgeted gate asks for."""
    return f"A certificate covers an error budget of {Decimal(budget) * 100:.0f} %"


def uncertified(budget: str, why: str) -> Condition:
    """The condition of a budgeted gate that no certificate meets."""
    return Condition("certificate", covered(budget), holds=False, detail=why)


def _of_difference(rules: GateRules, it: Explained, may_pass: Mapping[str, Decimal] | None) -> list[Condition]:
    sure, of_what = _sureness(rules, it)
    above = "above" if sure > rules.confidence else "not above"
    said = f"{sure * 100:.0f} %{of_what} is {above} {rules.confidence * 100:.0f} %"
    conditions = []
    if it.is_flagged:
        conditions.append(Condition(f"flagged:{it.field}", f"{it.field}: a value does not fit its field", holds=False))
    if it.reason == "UNKNOWN":
        sentence = f"{it.field}: nothing explains the difference"
        conditions.append(Condition(f"reason:{it.field}", sentence, holds=False, detail=it.unfamiliar))
    elif not it.functional:
        sentence = f"{it.field}: {it.reason} is an error, not functional"
        conditions.append(Condition(f"reason:{it.field}", sentence, holds=False, detail=said))
    elif may_pass is not None and it.reason not in may_pass:
        sentence = f"{it.field}: {it.reason} always goes to a person"
        detail = "the certificate does not speak for it"
        conditions.append(Condition(f"reason:{it.field}", sentence, holds=False, detail=detail))
    elif may_pass is not None and sure < may_pass[it.reason]:
        sentence = f"{it.field}: {it.reason} goes to a person below {_percent(may_pass[it.reason])}"
        detail = f"{_percent(sure)}{of_what}; from more on the certificate speaks for it"
        conditions.append(Condition(f"reason:{it.field}", sentence, holds=False, detail=detail))
    else:
        sentence = f"{it.field}: {it.reason} is functional"
        holds = sure > rules.confidence
        conditions.append(Condition(f"confidence:{it.field}", sentence, holds=holds, detail=said))
    return conditions


def _percent(share: Decimal) -> str:
    return f"{share * 100:.1f} %"


def _sureness(rules: GateRules, it: Explained) -> tuple[Decimal, str]:
    """What has to be above the gate's confidence: of a reason; of a budgeted gate, that the cause is any functional one."""
    if rules.budget and it.functional_share is not None:
        return it.functional_share, " for any functional reason"
    return it.confidence, ""


def _limits(rules: GateRules, differences: Sequence[Explained], record: Mapping[str, str | None]) -> list[Condition]:
    currency = record.get(rules.currency_field) or ""
    conditions = []
    if rules.max_auto_amount:
        amount = number(record.get(rules.amount_field))
        conditions.append(_limit("max_auto_amount", "Amount", rules.max_auto_amount, currency, amount))
    if rules.max_auto_difference:
        apart = [_apart(d) for d in differences if d.field == rules.amount_field]
        if apart:
            conditions.append(
                _limit("max_auto_difference", "Difference", rules.max_auto_difference, currency, apart[0])
            )
    return conditions


def _limit(code: str, what: str, limits: Mapping[str, Decimal], currency: str, value: Decimal | None) -> Condition:
    limit = limits.get(currency, limits.get("*"))
    if limit is None:
        return Condition(
            code, f"{what} within a limit", holds=False, detail=f"no limit is set for {currency or 'no currency'}"
        )
    if value is None:
        return Condition(code, f"{what} within {limit:,} {currency}".strip(), holds=False, detail="it is not known")
    return Condition(
        code, f"{what} within {limit:,} {currency}".strip(), holds=abs(value) <= limit, detail=f"it is {abs(value):,}"
    )


def _apart(difference: Explained) -> Decimal | None:
    a, b = number(difference.value_a), number(difference.value_b)
    return None if a is None or b is None else a - b


def failing_sql(shape: Shape, check: Check, known: str | None = None) -> tuple[str, str]:
    """SQL that is true where a check fails, and SQL of the refusing sentence, over the columns of the proposed record.

    `known` names a relation with a column `text` of the reference keys that already exist.
    """
    parts = [it.column for it in shape.leaves if it.reference == check.field and it.reference_key]
    if check.rule == "not_null" and len(parts) > 1:
        empty = " OR ".join(f"{column} IS NULL" for column in parts)
        return empty, literal(f"{check.field} is empty; it must have a value.")
    leaf = shape.leaf(check.field)
    column, shown = leaf.column, f"coalesce({canonical_sql(leaf, leaf.column)}, 'empty')"
    rule, arguments = check.rule, check.arguments
    if rule == "not_null":
        return f"{column} IS NULL", literal(f"{check.field} is empty; it must have a value.")
    if rule == "between":
        return _between(leaf, arguments, shown)
    if rule == "in":
        values = ", ".join(_constant(leaf, value) for value in arguments["values"])  # type: ignore[attr-defined]
        return f"{column} NOT IN ({values})", _says(check.field, shown, "is none of the allowed values.")
    if rule == "regex":
        text = canonical_sql(leaf, column)
        pattern = literal(str(arguments["pattern"]))
        return f"NOT regexp_full_match({text}, {pattern})", _says(check.field, shown, "does not fit its pattern.")
    if rule == "before":
        other = shape.leaf(str(arguments["other"]))
        return f"NOT ({column} < {other.column})", _says(check.field, shown, f"is not before {other.name}.")
    if rule == "known":
        return f"{column} IS NOT NULL AND {column} NOT IN (SELECT text FROM {known})", _says(
            check.field, shown, "is not known yet."
        )
    raise ValueError(f"There is no check {rule!r}.")


def _between(leaf: Leaf, arguments: Mapping[str, object], shown: str) -> tuple[str, str]:
    low, high = arguments.get("min"), arguments.get("max")
    tests, words = [], []
    if low is not None:
        tests.append(f"{leaf.column} < CAST({literal(str(low))} AS {_bound_type(leaf)})")
        words.append(f"at least {low}")
    if high is not None:
        tests.append(f"{leaf.column} > CAST({literal(str(high))} AS {_bound_type(leaf)})")
        words.append(f"at most {high}")
    said = f"between {low} and {high}" if len(words) == 2 else " and ".join(words)
    return " OR ".join(tests), _says(leaf.name, shown, f"is not {said}.")


def _constant(leaf: Leaf, value: object) -> str:
    text = literal(str(value).lower() if isinstance(value, bool) else str(value))
    return text if leaf.kind == "text" else f"CAST({text} AS {leaf.sql_type})"


def _bound_type(leaf: Leaf) -> str:
    return "DECIMAL(38,10)" if leaf.kind in ("integer", "decimal") else leaf.sql_type


def _says(field: str, shown: str, words: str) -> str:
    return f"{literal(field + ' ')} || {shown} || {literal(' ' + words)}"
