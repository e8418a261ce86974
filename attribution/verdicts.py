"""The gate's verdict on a range's breaks: asked once for all breaks of which the same is said."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np

from attribution.certificates import Warrant
from attribution.classifier import band
from attribution.provers.evidence import UNKNOWN
from ingestion.sql_text import literal
from reconciliation.bulk import Column, columns
from reconciliation.engine.authority import proposed_side
from reconciliation.gate import Condition, Explained, verdict
from reconciliation.inputs import Inputs, leaf_text
from reconciliation.models import Break
from reconciliation.rules import GateRules, Rules


def judge_cases(
    duck: duckdb.DuckDBPyConnection,
    given: Inputs,
    rules: Rules,
    warrant: Warrant | None = None,
    holding: Sequence[Condition] = (),
) -> None:
    """Create `standing` (break_id, passes, confidence, band, reason) and `failing` (break_id, condition, sentence, detail): what
    holds each break back, beyond what the record checks said before. `warrant`: what a budgeted gate leans on; `holding`:
    conditions that hold every differing record."""
    duck.execute(f"CREATE TEMP TABLE alike AS {_alike_sql(given, rules, warrant)}")
    rows = duck.execute(
        "SELECT no, kind, said, refused, amount, currency, is_covered FROM alike ORDER BY no"
    ).fetchall()
    standing, failing = [], []
    for no, kind, said, refused, amount, currency, is_covered in rows:
        money = {_AMOUNT: amount, _CURRENCY: currency}
        conditions = _conditions(rules.gate, kind, said, refused, money, warrant, is_covered=is_covered)
        conditions += holding if kind == Break.Kind.DIFFERING else ()
        passes = kind == Break.Kind.DIFFERING and all(it.holds for it in conditions)
        standing.append((no, passes, *_shown(said)))
        known = {it["condition"] for it in refused}
        failing += [
            (no, it.code[:120], it.sentence[:1000], it.detail[:1000])
            for it in conditions
            if not it.holds and it.code not in known
        ]
    shown = {"passes": "BOOLEAN", "confidence": "DECIMAL(6,5)", "band": "VARCHAR", "reason": "VARCHAR"}
    _spread(duck, "standing", standing, shown)
    _spread(duck, "failing", failing, {"condition": "VARCHAR", "sentence": "VARCHAR", "detail": "VARCHAR"})


_AMOUNT, _CURRENCY = "amount", "currency"


def _alike_sql(given: Inputs, rules: Rules, warrant: Warrant | None) -> str:
    """One row per set of breaks that the gate cannot tell apart. Values count only where a limit looks at them, shares only
    where there is a budget."""
    gate = rules.gate
    looks = bool(gate.max_auto_amount or gate.max_auto_difference)
    values = ", ".join(
        f"CASE WHEN {'e.field = ' + literal(gate.amount_field) if looks else 'false'} THEN e.value_{side} END AS value_{side}"
        for side in ("a", "b")
    )
    amount = _proposed(given, rules, gate.amount_field) if looks else "NULL::VARCHAR"
    currency = _proposed(given, rules, gate.currency_field) if looks else "NULL::VARCHAR"
    one = (
        "{field: e.field, reason: s.reason, functional: s.functional, confidence: s.confidence, "
        "is_flagged: e.kind = 'type', value_a: e.value_a, value_b: e.value_b, unfamiliar: s.unfamiliar, "
        f"functional_share: {'s.functional_share' if gate.budget else 'NULL::DECIMAL(6,5)'}}}"
    )
    return (
        "SELECT *, row_number() OVER () - 1 AS no FROM ("
        "SELECT c.kind, d.said, coalesce(r.refused, []) AS refused, "
        f"{amount} AS amount, {currency} AS currency, d.is_covered, list(c.break_id) AS break_ids FROM cause c JOIN ("
        f"SELECT e.break_id, list({one} ORDER BY e.id) AS said, {_covered_sql(warrant)} AS is_covered FROM "
        f"(SELECT id, break_id, said, field, kind, {values} FROM explained e WHERE NOT is_late) e "
        "JOIN said s ON s.no = e.said GROUP BY e.break_id) d USING (break_id) LEFT JOIN ("
        "SELECT break_id, list({condition: condition, sentence: sentence, detail: detail} ORDER BY id) AS refused "
        "FROM refused GROUP BY break_id) r USING (break_id) "
        "LEFT JOIN row_a a ON a.break_id = c.break_id LEFT JOIN row_b b ON b.break_id = c.break_id GROUP BY ALL)"
    )


def _covered_sql(warrant: Warrant | None) -> str:
    """SQL of whether a break's score, the least of its differences, reaches the certificate's threshold."""
    if warrant is None or warrant.threshold is None:
        return "false"
    score = "CASE WHEN s.functional THEN coalesce(s.functional_share, 0) ELSE 0 END"
    return f"min({score}) >= CAST({literal(str(warrant.threshold))} AS DECIMAL(8,7))"


def _proposed(given: Inputs, rules: Rules, name: str) -> str:
    """SQL of the proposed record's text of a leaf; null where the record has no such leaf."""
    leaf = {leaf.name: leaf for leaf in given.shape.leaves}.get(name)
    if leaf is None:
        return "NULL::VARCHAR"
    return leaf_text(f"{proposed_side(leaf, rules.authority, given.mapped_a, given.mapped_b)}.record", leaf)


def _conditions(
    gate: GateRules,
    kind: str,
    said: list[dict[str, Any]],
    refused: list[dict[str, str]],
    money: dict[str, str | None],
    warrant: Warrant | None,
    *,
    is_covered: bool,
) -> list[Condition]:
    if kind != Break.Kind.DIFFERING:
        return []
    explained = [Explained(**it) for it in said]
    failed = [Condition(it["condition"], it["sentence"], holds=False, detail=it["detail"]) for it in refused]
    record = {gate.amount_field: money[_AMOUNT], gate.currency_field: money[_CURRENCY]}
    if warrant is None:
        return verdict(gate, explained, record, failed)
    certificate = warrant.condition(is_covered=is_covered)
    return verdict(gate, explained, record, failed, may_pass=warrant.reasons, certificate=certificate)


def _shown(said: list[dict[str, Any]]) -> tuple[str, str, str]:
    """What people see of a break: the lowest confidence, the band, and the reason of the difference that weighs most."""
    lowest = min(said, key=lambda it: it["confidence"])
    weightiest = next((it for it in said if it["reason"] == UNKNOWN), lowest)
    reason = weightiest["reason"]
    return str(lowest["confidence"]), band(Decimal(weightiest["confidence"]), reason), reason


def _spread(duck: duckdb.DuckDBPyConnection, table: str, rows: list[tuple[Any, ...]], types: Mapping[str, str]) -> None:
    """From sets of breaks back to the breaks, with a column a type."""
    numbers, *rest = zip(*rows, strict=True) if rows else [()] * (len(types) + 1)
    given: dict[str, Column] = {"no": np.array(numbers, dtype=np.int64), **dict(zip(types, rest, strict=True))}
    cast = ", ".join(f"CAST(g.{name} AS {type_}) AS {name}" for name, type_ in types.items())
    with columns(duck, "given", given):
        duck.execute(
            f"CREATE TEMP TABLE {table} AS SELECT unnest(a.break_ids) AS break_id, {cast} FROM alike a JOIN given g USING (no)"
        )


def passing_relation(duck: duckdb.DuckDBPyConnection, given: Inputs, rules: Rules) -> str:
    """SQL of the passing breaks' proposed records: key, bucket and a text per leaf under the leaf's column."""
    leaves = ", ".join(f"{_proposed(given, rules, leaf.name)} AS {leaf.column}" for leaf in given.shape.leaves)
    return (
        f"SELECT c.key, c.bucket, {leaves} FROM cause c JOIN standing s ON s.break_id = c.break_id AND s.passes "
        "JOIN row_a a ON a.break_id = c.break_id JOIN row_b b ON b.break_id = c.break_id"
    )
