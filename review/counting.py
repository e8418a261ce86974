"""How many breaks there are under a query, in each state and of each kind, reason, band.

They are sums of the tally where it knows what the query asks by; else so many breaks are looked at as people take in, and no more.
"""

import datetime as dt
import operator
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from reconciliation.holds import HELD
from reconciliation.models import Break, Reconciliation
from reconciliation.models.break_ import HIDDEN, SHOWN
from reconciliation.tally import Cell, tallied
from reconciliation.waiting import WAITING
from review.ages import AGES
from review.due import due_word
from review.query.apply import narrowed
from review.query.asked import Asked
from review.query.terms import IS, RANGE, Term
from review.query.words import ALL, ME, NOBODY, OTHERS
from review.visible import access, entered_reconciliations, visible_breaks

MOST = 2_000  # breaks that are looked at for a count
FACETS = ("state", "kind", "reason", "band", "reconciliation", "assigned", "due")
OPEN = ("review", HELD, WAITING, "in_flight")  # states in which the tally knows ages and due times
OF_OPEN = ("age", "opened", "due")  # words that ask by these
LIMITS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


@dataclass(frozen=True)
class Lot:
    """So many breaks that have the same value for each facet; `opened` is the hour, where a query asks by it and
    the tally tells it."""

    values: Mapping[str, str]
    sources: frozenset[str]
    opened: dt.datetime | None
    count: int


@dataclass(frozen=True)
class Counts:
    """Breaks by what facets ask for. `terms` of the query are still to hold of the lots; `of_one_state`: those of other states are
    not among them; `is_bounded`: there are more than were looked at, so only which values there are is known."""

    lots: Sequence[Lot]
    terms: Sequence[Term]
    names_state: bool
    now: dt.datetime
    of_one_state: bool = False
    is_bounded: bool = False

    def of(self, name: str) -> Counter[str]:
        """Breaks by the values of one facet, under every term but those about it."""
        found: Counter[str] = Counter()
        for lot in self._matching(but=name):
            found[lot.values[name]] += lot.count
        return found

    @property
    def total(self) -> int:
        """Breaks under the query."""
        return sum(lot.count for lot in self._matching())

    @property
    def told(self) -> str:
        """How many breaks there are under the query, as people read it."""
        return f"more than {MOST:,}" if self.is_bounded else f"{self.total:,}"

    def _matching(self, but: str = "") -> Iterator[Lot]:
        terms = [it for it in self.terms if it.word != but]
        any_state = self.names_state or but == "state"
        for lot in self.lots:
            if (any_state or lot.values["state"] == Break.State.REVIEW) and all(self._holds(it, lot) for it in terms):
                yield lot

    def _holds(self, term: Term, lot: Lot) -> bool:
        if term.word == "age":
            return _is_so_old(term, lot.opened, self.now) is not term.negated
        if term.word == "opened":
            return _is_of_days(term, lot.opened) is not term.negated
        if term.word == "source":
            return bool(lot.sources & set(term.values)) is not term.negated
        return term.allows(lot.values[term.word])


def _is_so_old(term: Term, opened: dt.datetime | None, now: dt.datetime) -> bool:
    if opened is None:
        return False
    if term.op == IS:
        return any(AGES[str(it)].has(opened) for it in term.values)
    hour = now.replace(minute=0, second=0, microsecond=0)
    first, *last = [hour - it for it in term.values if isinstance(it, dt.timedelta)]
    if term.op == RANGE:
        return last[0] <= opened < first
    return opened < first if term.op in (">", ">=") else opened >= first


def _is_of_days(term: Term, opened: dt.datetime | None) -> bool:
    """Whether what opened in an hour opened on the days (UTC) that are asked for."""
    if opened is None:
        return False
    day, (first, *last) = opened.astimezone(dt.UTC).date(), term.values
    assert isinstance(first, dt.date)
    if term.op == IS:
        return day in term.values
    return first <= day <= last[0] if term.op == RANGE else LIMITS[term.op](day, first)  # type: ignore[operator]


def _is_tallied(term: Term, asked: Asked) -> bool:
    """Whether the tally tells how many breaks a term leaves."""
    if term.word in OF_OPEN:
        return is_open(asked) and (term.word != "due" or term.op == IS) and _is_whole_hours(term)
    if term.word == "assigned":
        return set(term.values) <= {ME, NOBODY, OTHERS}
    return term.word in (*FACETS, "source")


def _is_whole_hours(term: Term) -> bool:
    return not any(it % dt.timedelta(hours=1) for it in term.values if isinstance(it, dt.timedelta))


def is_open(asked: Asked) -> bool:
    """Whether a query asks for open breaks alone."""
    said = [it for it in asked.terms if it.word == "state"]
    return all(set(it.values) <= set(OPEN) and not it.negated for it in said)


def count_breaks(request: HttpRequest, asked: Asked) -> Counts:
    """Count what the signed-in person sees: by the tally, or where a query asks by more than it knows, by its first breaks."""
    now, terms, me = timezone.now(), [it for it in asked.terms if ALL not in it.values], request.user.pk
    read = _reader({it.pk: it for it in entered_reconciliations(request)}, me, now)
    by_age = any(it.word in OF_OPEN for it in terms)
    lots = [read(it) for it in tallied(access(request), by_age=by_age)]
    others = [it for it in terms if not _is_tallied(it, asked)]
    if not others:
        return Counts(lots, terms, asked.names_state, now, of_one_state=by_age)
    by_state = [it for it in terms if it.word == "state"]
    asked_by_value = [it for it in terms if it not in others and it not in by_state]
    visible = visible_breaks(request)
    first = _first(narrowed(visible if asked.names_state else visible.filter(SHOWN), [*others, *by_state], me))
    if sum(it.breaks for it in first) > MOST:
        return Counts(lots, [*by_state, *asked_by_value], asked.names_state, now, of_one_state=True, is_bounded=True)
    looked_at = [read(it) for it in first]
    return Counts(looked_at, asked_by_value, asked.names_state, now, of_one_state=True)


def _first(breaks: QuerySet[Break]) -> list[Cell]:
    """The first breaks, one more than are counted, as the tally would tell them."""
    names = ("reconciliation_id", "state", "kind", "band", "reason", "scope_id", "assignee_id", "opened_at", "due_at")
    try:
        asked, given = breaks.order_by().values_list(*names)[: MOST + 1].query.sql_with_params()
    except EmptyResultSet:  # who sees nothing
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT *, count(*) FROM ({asked}) looked_at GROUP BY {', '.join(map(str, range(1, 10)))}", given
        )
        return [Cell(*row) for row in cursor.fetchall()]


def _reader(entered: Mapping[int, Reconciliation], me: int | None, now: dt.datetime) -> Callable[[Cell], Lot]:
    def read(cell: Cell) -> Lot:
        of = entered[cell.reconciliation]
        values = {
            "state": cell.band if cell.state == Break.State.REVIEW and cell.band in HIDDEN else cell.state,
            "kind": cell.kind,
            "reason": cell.reason,
            "band": cell.band,
            "reconciliation": of.code,
            "assigned": NOBODY if cell.assignee is None else ME if cell.assignee == me else OTHERS,
            "due": due_word(cell.due, now),
        }
        return Lot(values, frozenset((of.a.code, of.b.code)), cell.opened, cell.breaks)

    return read
