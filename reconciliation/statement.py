"""The statement of a run: why the two sums of the amount differ, per currency, to the last digit.

What each side delivered is summed by itself, from the normalized files. What explains it is summed from where each row ended:
by the ranges for the rows that are settled, from the breaks for those that stand in one. A row that was lost on the way leaves
a rest.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import NamedTuple

import duckdb
from django.db import connection

from ingestion import lake
from ingestion.sql_text import literal, parquet
from reconciliation.models import Run, RunInput, RunStep
from reconciliation.money import Money, money_of
from reconciliation.outcomes import IN_BREAK
from reconciliation.rules import Rules
from reconciliation.session import session

SIDES = ("a", "b")
MOST_CURRENCIES, ALL = 100, "*"
EXACT_DIGITS = 200
ORDER = (
    "matched", "late", "confirmed", "missing_in_b", "missing_in_a", "differing", "duplicate", "gate", "superseded",
    "out_of_scope", "quarantined",
)  # fmt: skip


class Line(NamedTuple):
    """A class of rows: what they are, for differing ones the reason, and what became of their breaks."""

    what: str
    reason: str = ""
    outcome: str = ""


class Part(NamedTuple):
    """Rows of a side in one currency (empty where there is none), and their amount."""

    side: str
    currency: str
    rows: int
    amount: Decimal
    line: Line = Line("")


@dataclass
class Sums:
    """Rows and amounts of both sides."""

    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SIDES, 0))
    amount: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(SIDES, Decimal(0)))

    def add(self, part: Part) -> None:
        """Add the rows of a part."""
        self.rows[part.side] += part.rows
        self.amount[part.side] += part.amount

    def told(self, places: int) -> dict[str, object]:
        """As JSON."""
        difference = self.amount["a"] - self.amount["b"]
        amounts = {**self.amount, "difference": difference}
        rows = {f"rows_{side}": self.rows[side] for side in SIDES}
        return rows | {name: f"{amount:.{places}f}" for name, amount in amounts.items()}


@dataclass
class Account:
    """One currency: what was delivered, and the lines that explain it."""

    delivered: Sums = field(default_factory=Sums)
    lines: dict[Line, Sums] = field(default_factory=lambda: defaultdict(Sums))

    def rest(self, side: str) -> Part:
        """What was delivered by a side and stands nowhere."""
        rows = self.delivered.rows[side] - sum(it.rows[side] for it in self.lines.values())
        amount = self.delivered.amount[side] - sum(it.amount[side] for it in self.lines.values())
        return Part(side, "", rows, amount)

    @property
    def is_of_nothing(self) -> bool:
        """Whether it has no amount at all."""
        return not any(amount for it in (self.delivered, *self.lines.values()) for amount in it.amount.values())


def line_place(line: Line) -> tuple[int, str, str]:
    """Where a line stands among the others."""
    return ORDER.index(line.what) if line.what in ORDER else len(ORDER), line.reason, line.outcome


def compile_statement(run: Run) -> dict[str, object] | None:
    """The statement as JSON, amounts as exact texts; None where the records have no amount."""
    money = money_of(run.reconciliation.record_type.shape(), Rules(run.rule_set.document))
    if money is None:
        return None
    with localcontext(prec=EXACT_DIGITS):
        aside = quarantined_parts(run, money.amount.name, money.currency.name if money.currency else None)
        delivered = [*delivered_parts(run, money.columns), *aside]
        found = accounts(delivered, [*_settled(run), *_held(run, money), *aside])
        told = [_told(currency, found[currency], money.places) for currency in sorted(found)]
    currency = money.currency.name if money.currency else None
    return {"field": money.amount.name, "currency_field": currency, "columns": [*money.columns], "currencies": told}


def accounts(delivered: Iterable[Part], explained: Iterable[Part]) -> Mapping[str, Account]:
    """The accounts by currency; a single one, `*`, where there are too many currencies to tell."""
    delivered, explained = list(delivered), list(explained)
    named = {part.currency for part in (*delivered, *explained)}
    if len(named) > MOST_CURRENCIES or ALL in named:
        delivered, explained = ([it._replace(currency=ALL) for it in parts] for parts in (delivered, explained))
    found: dict[str, Account] = defaultdict(Account)
    for part in delivered:
        found[part.currency].delivered.add(part)
    for part in explained:
        found[part.currency].lines[part.line].add(part)
    return {currency: it for currency, it in found.items() if currency or not it.is_of_nothing}


def _told(currency: str, account: Account, places: int) -> dict[str, object]:
    lines = sorted(account.lines.items(), key=lambda pair: line_place(pair[0]))
    left = Sums()
    for side in SIDES:
        left.add(account.rest(side))
    names = {"difference": "unexplained"}
    return {
        "currency": currency,
        **account.delivered.told(places),
        "lines": [{**line._asdict(), **sums.told(places)} for line, sums in lines],
        **{names.get(name, f"unexplained_{name}"): value for name, value in left.told(places).items()},
    }


def delivered_parts(run: Run, columns: Sequence[str]) -> list[Part]:
    """What each side's records amount to, from the normalized files alone. `columns`: of the amount, and of the currency."""
    amount, currency = [*columns, "NULL"][:2]
    with session(f"statement-{run.pk}") as (duck, _):
        parts = []
        for side in SIDES:
            inputs = run.inputs.filter(side=side).select_related("normalization")
            if files := ", ".join(parquet(lake.local(it.normalization.path)) for it in inputs):
                read = f"read_parquet([{files}], union_by_name = true, hive_partitioning = false)"
                rows = (
                    f"SELECT {literal(side)} AS side, {amount} AS amount, {currency}::VARCHAR AS currency FROM {read}"
                )
                parts += summed(duck, rows)
        return parts


def quarantined_parts(run: Run, amount: str, currency: str | None) -> list[Part]:
    """The run's rows that were set aside; those without readable cells have no amount."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.side, coalesce(q.record ->> %s, ''), count(*), sum((q.record ->> %s)::numeric) FROM reconciliation_runinput i "
            "JOIN ingestion_quarantinedrow q ON q.normalization_id = i.normalization_id WHERE i.run_id = %s GROUP BY 1, 2",
            [currency, amount, run.pk],
        )
        line = Line("quarantined")
        return [Part(side, named, rows, it or Decimal(0), line) for side, named, rows, it in cursor.fetchall()]


def delivered_rows(inputs: Iterable[RunInput], side: str, columns: Sequence[str]) -> str:
    """SQL of the normalized rows of a side of a run's inputs: side, delivery, n, amount, currency."""
    amount, currency = [*columns, "NULL"][:2]
    parts = [
        f"SELECT {literal(side)} AS side, {it.normalization.delivery_id}::BIGINT AS delivery, n, {amount} AS amount, "
        f"{currency}::VARCHAR AS currency FROM read_parquet({parquet(lake.local(it.normalization.path))})"
        for it in inputs
        if it.side == side
    ]
    nothing = "SELECT '' AS side, 0::BIGINT AS delivery, 0::BIGINT AS n, 0 AS amount, '' AS currency WHERE false"
    return " UNION ALL ".join(parts) or nothing


def settled_amounts(duck: duckdb.DuckDBPyConnection) -> list[tuple[str, str, int, str, str]]:
    """The rows of a range that stand in no break, as JSON: side, currency, rows, amount, how they were settled."""
    settled = (
        "SELECT side, amount, currency, CASE WHEN state = 'stored' THEN via ELSE state END AS what FROM outcome "
        f"WHERE state <> '{IN_BREAK}'"
    )
    with localcontext(prec=EXACT_DIGITS):
        return [(it.side, it.currency, it.rows, f"{it.amount:f}", it.line.what) for it in summed(duck, settled, "what")]


def summed(duck: duckdb.DuckDBPyConnection, rows: str, what: str = "''") -> list[Part]:
    """The sums of a relation (side, amount, currency) by side, currency and what the rows are."""
    query = f"SELECT side, {{}} AS currency, count(*), {{}}, {what} AS what FROM ({rows}) GROUP BY ALL"
    found = _exactly(duck, query, "coalesce(currency, '')")
    if len({part.currency for part in found}) > MOST_CURRENCIES:
        return _exactly(duck, query, literal(ALL))
    return found


def _exactly(duck: duckdb.DuckDBPyConnection, query: str, currency: str) -> list[Part]:
    """The sums; where one is too wide for a decimal, of the upper and the lower digits apart."""
    try:
        found = duck.execute(query.format(currency, "[sum(amount)]")).fetchall()
    except duckdb.OutOfRangeException:
        found = duck.execute(query.format(currency, _APART)).fetchall()
    return [Part(side, named, rows, _whole(*sums) or Decimal(0), Line(line)) for side, named, rows, sums, line in found]


_TEXT = "CAST(amount AS VARCHAR)"
_DIGITS = f"CAST(replace({_TEXT}, '.', '') AS HUGEINT)"
_LOWER = 10**19
_APART = f"[sum({_DIGITS} // {_LOWER}), sum({_DIGITS} % {_LOWER}), max(length(split_part({_TEXT}, '.', 2)))]"


def _whole(upper: Decimal | int | None, lower: int | None = None, places: int = 0) -> Decimal | None:
    if upper is None or lower is None:
        return None if upper is None else Decimal(upper)
    return (Decimal(upper) * _LOWER + Decimal(lower)).scaleb(-places)


def _settled(run: Run) -> Iterator[Part]:
    for step in run.steps.filter(step=RunStep.Step.DIFF):
        for side, currency, rows, amount, what in step.counts.get("amounts", ()):
            yield Part(side, currency, rows, Decimal(amount), Line(what))


def _held(run: Run, money: Money) -> Iterator[Part]:
    """The run's rows that stand in a break now that it ends, by what is said of the break."""
    deliveries = list(run.inputs.values_list("normalization__delivery", flat=True))
    currency = money.currency.name if money.currency else None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.side, coalesce(m.record ->> %s, ''), count(*), sum((m.record ->> %s)::numeric), b.kind, "
            "CASE WHEN b.kind = 'differing' THEN b.reason ELSE '' END, b.state FROM reconciliation_break b "
            "JOIN reconciliation_member m ON m.break_id = b.id WHERE b.last_run_id = %s AND b.state <> 'closed' "
            "AND m.current AND m.delivery_id = ANY(%s) GROUP BY 1, 2, 5, 6, 7",
            [currency, money.amount.name, run.pk, deliveries],
        )
        for side, named, rows, amount, *line in cursor.fetchall():
            yield Part(side, named, rows, amount or Decimal(0), Line(*line))
