"""A run's statement as a table: a line a class of rows, a column a currency."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from reconciliation.models import Run
from reconciliation.statement import Line, line_place

TITLES = {
    "matched": "Matched, within tolerance",
    "late": "Partner of an earlier record",
    "confirmed": "Stored before, came again",
    "missing_in_b": "Missing in B",
    "missing_in_a": "Missing in A",
    "duplicate": "Duplicates",
    "gate": "Held by a record check",
    "superseded": "Superseded",
    "out_of_scope": "Out of scope",
    "quarantined": "Quarantined",
    "in_flight": "In flight",
}
IN_BREAK = ("missing_in_b", "missing_in_a", "duplicate", "gate", "differing")


@dataclass
class Row:
    """A line of the table: `amounts` by currency; a currency without rows of it is left out."""

    what: str
    reason: str
    functional: bool | None = None
    rows: int = 0
    amounts: dict[str, Decimal] = field(default_factory=dict)
    url: str = ""

    @property
    def title(self) -> str:
        """How people call it; a differing line bears its reason instead."""
        return TITLES.get(self.what, "")


def statement_table(run: Run, functional: Mapping[str, bool | None]) -> dict[str, Any] | None:
    """The statement of an ended run for its page; None where its records have no amount. `functional` says it of each reason."""
    told = (run.report or {}).get("statement")
    if not told or not told["currencies"]:
        return None
    accounts = told["currencies"]
    return {
        "field": told["field"],
        "currencies": [it["currency"] or ("none" if told["currency_field"] else "All") for it in accounts],
        **{name: [it[name] for it in accounts] for name in ("a", "b", "difference", "unexplained")},
        "explained": all(_is_explained(it) for it in accounts),
        "rows": _rows(run, accounts, functional),
    }


def _is_explained(account: dict[str, Any]) -> bool:
    left = [Decimal(account[name]) for name in ("unexplained_a", "unexplained_b")]
    return not any([*left, account["unexplained_rows_a"], account["unexplained_rows_b"]])


def _rows(
    run: Run, accounts: Sequence[dict[str, Any]], functional: Mapping[str, bool | None]
) -> list[tuple[Row, list[Decimal | None]]]:
    """The lines in their order, each with its amounts in the order of the currencies."""
    rows: dict[tuple[str, str], Row] = {}
    for account in accounts:
        for line in account["lines"]:
            mark = (line["what"], line["reason"])
            row = rows.setdefault(mark, Row(*mark, functional.get(line["reason"]), url=_url(run, *mark)))
            row.rows += max(line["rows_a"], line["rows_b"])
            before = row.amounts.get(account["currency"], Decimal(0))
            row.amounts[account["currency"]] = before + Decimal(line["difference"])
    ordered = sorted(rows.values(), key=lambda row: line_place(Line(row.what, row.reason)))
    return [(row, [row.amounts.get(it["currency"]) for it in accounts]) for row in ordered]


def _url(run: Run, what: str, reason: str) -> str:
    if what not in IN_BREAK:
        return ""
    asked = {"state": "all", "run": run.pk} | ({"reason": reason} if reason else {"kind": what})
    return f"{reverse('queue')}?{urlencode(asked)}"
