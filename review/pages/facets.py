"""The queue's counts: how many breaks stand in each state and bear each kind, reason, band, under the query."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet
from django.utils import timezone

from reconciliation.holds import HELD
from reconciliation.models import Break
from reconciliation.models.break_ import HIDDEN
from reconciliation.waiting import WAITING
from review.due import due_word
from review.query.asked import Asked
from review.query.terms import IS, Term
from review.query.words import ALL, ME, NOBODY, OTHERS

COUNTED = ("state", "kind", "reason", "band", "reconciliation", "assigned", "due")
ASSIGNED = {ME: "Me", NOBODY: "Nobody", OTHERS: "Others"}
BANDS = {
    "straight": "Above 90 %, held",
    "expedited": "Expedited 70-90 %",
    "standard": "Standard 50-70 %",
    "UNKNOWN": "UNKNOWN",
    WAITING: "Waiting for a partner",
    HELD: "On hold",
}
STATES = {
    "review": "In review",
    HELD: "On hold",
    WAITING: "Waiting",
    "passed": "Passed",
    "approved": "Approved",
    "rejected": "Rejected",
    "": "All",
}


def is_counted(term: Term) -> bool:
    """Whether the counts tell how many breaks a term leaves: it asks for values that they are counted by."""
    named = term.word != "assigned" or set(term.values) <= set(ASSIGNED)
    return term.word in COUNTED and term.op == IS and named and ALL not in term.values


@dataclass(frozen=True)
class Counts:
    """How many breaks there are of each combination of the counted columns, under what of a query is not counted."""

    cells: tuple[tuple[Mapping[str, str], int], ...]

    def of(self, name: str, asked: Asked) -> Counter[str]:
        """Breaks by the values of one column, under every term but those about that column."""
        found: Counter[str] = Counter()
        for cell, count in self._matching(asked, but=name):
            found[cell[name]] += count
        return found

    def total(self, asked: Asked) -> int:
        """Breaks under the query."""
        return sum(count for _, count in self._matching(asked))

    def _matching(self, asked: Asked, but: str = "") -> Iterator[tuple[Mapping[str, str], int]]:
        terms = [it for it in asked.terms if is_counted(it) and it.word != but]
        shown = asked.names_state or but == "state"
        for cell, count in self.cells:
            if (shown or cell["state"] == Break.State.REVIEW) and all(it.allows(cell[it.word]) for it in terms):
                yield cell, count


def uncounted(terms: Iterable[Term]) -> Sequence[Term]:
    """The terms that have to hold of all that is counted."""
    return [it for it in terms if not is_counted(it)]


def count_breaks(breaks: QuerySet[Break], codes: Mapping[int, str], me: int | None) -> Counts:
    """Count in one pass over the index `break_counted`; `codes` names the reconciliations, `me` is the user's id."""
    names = ("state", "kind", "reason", "band", "reconciliation_id", "assignee_id", "due")
    rows = breaks.order_by().annotate(due=due_word(timezone.now())).values_list(*names).annotate(Count("pk"))
    return Counts(tuple((_cell(row, codes, me), row[-1]) for row in rows))


def _cell(row: tuple[Any, ...], codes: Mapping[int, str], me: int | None) -> dict[str, str]:
    assigned = NOBODY if row[5] is None else ME if row[5] == me else OTHERS
    return dict(zip(COUNTED, [_state(row), *row[1:4], codes[row[4]], assigned, row[6]], strict=True))


def _state(row: tuple[str, ...]) -> str:
    """People see what waits for a partner, or is on hold, apart from what is in review."""
    state, _, _, band, *_ = row
    return band if state == Break.State.REVIEW and band in HIDDEN else state


def facet(title: str, name: str, counts: Counts, asked: Asked, order: str, titles: Mapping[str, str]) -> dict[str, Any]:
    """A list of values with counts; a click sets the word of the query, another one takes it off."""
    chosen = next((it for it in asked.terms if it.word == name and it.op == IS and not it.negated), None)
    options = []
    for value, count in counts.of(name, asked).most_common():
        is_on = chosen is not None and value in chosen.values
        changed = asked.without(name) if is_on else asked.having(name, value)
        shown = titles.get(value) or value or "Not yet"
        options.append({"value": value, "title": shown, "count": count, "is_on": is_on, "query": changed.query(order)})
    return {"title": title, "name": name, "options": options}


def tabs(counts: Counts, asked: Asked, order: str) -> list[dict[str, Any]]:
    """The states as tabs, in their order, the empty ones too."""
    found = counts.of("state", asked)
    found[""] = found.total()
    return [
        {
            "title": title,
            "count": found[state],
            "is_on": asked.state == state,
            "query": asked.having("state", state or ALL).query(order),
        }
        for state, title in STATES.items()
    ]
