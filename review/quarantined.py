"""Quarantined rows as a user may see them, narrowed by what a page or a program asks for."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, QuerySet

from ingestion.business_date import NoDate, given_date
from ingestion.models import QuarantinedRow
from ingestion.quarantine import NUMBERS, OPEN, STATES, in_state, standing_rows
from reconciliation.visibility import visible_sources

ALL = "all"
FILTERS = ("source", "date", "reason", "state")
SHOWN_REASONS = 30


class BadFilter(ValueError):
    """A filter that cannot be; the text says what there is."""


@dataclass(frozen=True)
class Asked:
    """What is asked for; an empty value asks for everything. `reason` is a reason without its numbers."""

    source: str = ""
    date: dt.date | None = None
    reason: str = ""
    state: str = OPEN

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Asked":
        """From a query string; BadFilter says which value cannot be."""
        texts = {name: str(given.get(name) or "").replace("\0", "") for name in FILTERS}
        state = texts["state"] or OPEN
        if state not in (*STATES, ALL):
            raise BadFilter(f"There is no state {state!r}; there is {', '.join(STATES)} and {ALL}.")
        try:
            date = given_date(texts["date"]) if texts["date"] else None
        except NoDate as error:
            raise BadFilter(str(error)) from None
        return cls(texts["source"], date, texts["reason"], state)


def visible_rows(user: AbstractBaseUser | AnonymousUser) -> QuerySet[QuarantinedRow]:
    """The rows of the sources that the user may see."""
    rows = standing_rows(visible_sources(user))
    return rows.select_related("normalization__delivery__source", "normalization__mapping")


def narrowed(rows: QuerySet[QuarantinedRow], asked: Asked) -> QuerySet[QuarantinedRow]:
    """The rows that are asked for, the newest first."""
    if asked.source:
        rows = rows.filter(normalization__delivery__source__code=asked.source)
    if asked.date is not None:
        rows = rows.filter(normalization__delivery__business_date=asked.date)
    if asked.reason:
        rows = rows.filter(kind_of_reason=asked.reason)  # type: ignore[misc]
    return (rows if asked.state == ALL else in_state(rows, asked.state)).order_by("-id")


def counts_by_reason(rows: QuerySet[QuarantinedRow]) -> list[tuple[str, int]]:
    """How many rows there are of each reason without its numbers, the most first."""
    grouped = rows.order_by().values("reason").annotate(rows=Count("pk")).values("reason", "rows")
    try:
        sql, params = grouped.query.sql_with_params()
    except EmptyResultSet:  # who may see no source
        return []
    with connection.cursor() as cursor:  # the numbers are taken out of each reason once, not of each row
        cursor.execute(
            "SELECT regexp_replace(reason, %s, 'n', 'g') AS kind, CAST(sum(rows) AS bigint) "
            f"FROM ({sql}) AS grouped GROUP BY kind ORDER BY 2 DESC, kind LIMIT {SHOWN_REASONS}",
            [NUMBERS, *params],
        )
        return list(cursor.fetchall())
