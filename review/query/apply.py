"""A query as conditions on breaks. Each word has one function; values are parameters, never text of SQL."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from attribution.models import Attribution
from reconciliation.models import Break, Difference, Hold, Reconciliation, Run
from reconciliation.models.break_ import HIDDEN, SHOWN, SIZE
from review.ages import AGES
from review.due import due_is
from review.models.incident import IncidentBreak
from review.query.asked import Asked
from review.query.terms import IS, RANGE, Term, Value
from review.query.words import ALL, ME, NOBODY, OTHERS

LOOKUPS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}


@dataclass(frozen=True)
class Asker:
    """Who asks, by id, and when."""

    me: int | None
    now: dt.datetime


def asked_for(breaks: QuerySet[Break], asked: Asked, me: int | None) -> QuerySet[Break]:
    """Those of the breaks that a query asks for; `me` is the user's id. Without a word about states: what is in review."""
    return narrowed(breaks if asked.names_state else breaks.filter(SHOWN), asked.terms, me)


def narrowed(breaks: QuerySet[Break], terms: Iterable[Term], me: int | None) -> QuerySet[Break]:
    """Those of the breaks for which all terms hold."""
    asker = Asker(me, timezone.now())
    for it in terms:
        if it.word == "amount":
            breaks = breaks.annotate(size=SIZE)
        condition = CONDITIONS[it.word](it, asker)
        breaks = breaks.exclude(condition) if it.negated else breaks.filter(condition)
    return breaks


def _any(term: Term, of: Callable[[Any], Q]) -> Q:
    return reduce(or_, map(of, term.values))


def _column(name: str) -> "Condition":
    """A column that is one of the values."""
    return lambda term, _: Q(**{name: term.values[0]}) if len(term.values) == 1 else Q(**{f"{name}__in": term.values})


def _number(name: str, present: Q) -> "Condition":
    """A number that is there, and is one of the values, beyond a limit or in a range, ends included."""

    def condition(term: Term, _: Asker) -> Q:
        if term.op == RANGE:
            return present & Q(**{f"{name}__gte": term.values[0], f"{name}__lte": term.values[1]})
        if term.op == IS:
            return present & Q(**{f"{name}__in": term.values})
        return present & Q(**{f"{name}__{LOOKUPS[term.op]}": term.values[0]})

    return condition


def _moment(name: str) -> "Condition":
    """A moment in a day (UTC), or before or after days."""

    def condition(term: Term, _: Asker) -> Q:
        if term.op == IS:
            return _any(term, lambda day: _between(name, day, day))
        if term.op == RANGE:
            return _between(name, *term.values)
        day, begins = term.values[0], term.op in (">=", "<")
        assert isinstance(day, dt.date)
        at = _midnight(day if begins else day + dt.timedelta(days=1))
        return Q(**{f"{name}__{'gte' if term.op in ('>', '>=') else 'lt'}": at})

    return condition


def _between(name: str, first: Value, last: Value) -> Q:
    assert isinstance(first, dt.date) and isinstance(last, dt.date)
    return Q(**{f"{name}__gte": _midnight(first), f"{name}__lt": _midnight(last + dt.timedelta(days=1))})


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def state_is(state: Any) -> Q:  # noqa: ANN401 - one of a term's values
    """The breaks of a tab of the queue."""
    if state == ALL:
        return Q(pk__isnull=False)
    if state in HIDDEN:
        return Q(state=Break.State.REVIEW, band=state)
    return SHOWN if state == Break.State.REVIEW else Q(state=state)


def _state(term: Term, _: Asker) -> Q:
    return _any(term, state_is)


def _assigned(term: Term, asker: Asker) -> Q:
    others = Q(assignee__isnull=False) & ~Q(assignee=asker.me)
    named = {ME: Q(assignee=asker.me), NOBODY: Q(assignee=None), OTHERS: others}
    return _any(term, lambda it: named.get(it, Q(assignee__username=it)))


def _age(term: Term, asker: Asker) -> Q:
    """Ages count from the hour that began, as those of facets and of the dashboard do."""
    if term.op == IS:
        return _any(term, lambda it: AGES[it].holds())
    hour = asker.now.replace(minute=0, second=0, microsecond=0)
    ends = [hour - it for it in term.values if isinstance(it, dt.timedelta)]
    if term.op == RANGE:
        return Q(opened_at__lt=ends[0], opened_at__gte=ends[1])
    return Q(opened_at__lt=ends[0]) if term.op in (">", ">=") else Q(opened_at__gte=ends[0])


def _due(term: Term, asker: Asker) -> Q:
    """`due<4h`: within four hours, or over already; of days: before one begins, after one ends."""
    if term.op == IS:
        return _any(term, lambda it: due_is(it, asker.now))
    if isinstance(term.values[0], dt.date):
        return _moment("due_at")(term, asker)
    ends = [asker.now + it for it in term.values if isinstance(it, dt.timedelta)]
    if term.op == RANGE:
        return Q(due_at__gte=ends[0], due_at__lte=ends[1])
    return Q(**{f"due_at__{LOOKUPS[term.op]}": ends[0]})


def _field(term: Term, _: Asker) -> Q:
    return Q(Exists(Difference.objects.filter(brk=OuterRef("pk"), field__in=term.values, current=True)))


def _proof(term: Term, _: Asker) -> Q:
    said = Attribution.objects.filter(current=True, difference__brk=OuterRef("pk"), difference__current=True)
    lacking = Q(Exists(said.filter(proof="")))
    return _any(term, lambda it: Q(Exists(said)) & ~lacking if it == "yes" else lacking)


def _party(term: Term, _: Asker) -> Q:
    return Q(Exists(Hold.objects.filter(brk=OuterRef("pk"), ended_at=None, party__in=term.values)))


def _source(term: Term, _: Asker) -> Q:
    of = Reconciliation.objects.filter(Q(a__code__in=term.values) | Q(b__code__in=term.values))
    return Q(reconciliation__in=of.values("pk"))


def _date(term: Term, asker: Asker) -> Q:
    return Q(last_run__in=Run.objects.filter(_number("business_date", Q())(term, asker)).values("pk"))


def _incident(term: Term, _: Asker) -> Q:
    ids = [it for it in term.values if isinstance(it, int)]
    return Q(Exists(IncidentBreak.objects.filter(brk=OuterRef("pk"), incident__in=ids)))


Condition = Callable[[Term, Asker], Q]
CONDITIONS: Mapping[str, Condition] = {
    "key": lambda term, _: _any(term, lambda it: Q(key__startswith=it)),
    "state": _state,
    "kind": _column("kind"),
    "reason": _column("reason"),
    "band": _column("band"),
    "field": _field,
    "proof": _proof,
    "confidence": _number("confidence", Q(confidence__isnull=False)),
    "amount": _number("size", Q(amount__isnull=False)),
    "currency": _column("currency"),
    "age": _age,
    "due": _due,
    "opened": _moment("opened_at"),
    "closed": _moment("closed_at"),
    "date": _date,
    "assigned": _assigned,
    "party": _party,
    "reconciliation": _column("reconciliation__code"),
    "source": _source,
    "run": _column("last_run"),
    "incident": _incident,
}
