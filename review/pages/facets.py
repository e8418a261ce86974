"""The queue's counts: how many breaks stand in each state and bear each kind, reason, band, under the filters."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet
from django.http import QueryDict
from django.utils import timezone

from reconciliation.holds import HELD
from reconciliation.models import Break
from reconciliation.models.break_ import HIDDEN, SHOWN
from reconciliation.waiting import WAITING
from review.due import due_word

COUNTED = ("state", "kind", "reason", "band", "reconciliation", "assigned", "due")
ME, NOBODY, OTHERS = "me", "nobody", "others"
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


@dataclass(frozen=True)
class Counts:
    """How many breaks there are of each combination of the counted columns."""

    cells: tuple[tuple[Mapping[str, str], int], ...]

    def of(self, name: str, chosen: Mapping[str, str]) -> Counter[str]:
        """Breaks by the values of one column, under every filter but that column's own."""
        others = {key: value for key, value in chosen.items() if key != name}
        found: Counter[str] = Counter()
        for cell, count in self._matching(others):
            found[cell[name]] += count
        return found

    def total(self, chosen: Mapping[str, str]) -> int:
        """Breaks under every filter."""
        return sum(count for _, count in self._matching(chosen))

    def _matching(self, chosen: Mapping[str, str]) -> Iterator[tuple[Mapping[str, str], int]]:
        for cell, count in self.cells:
            if all(cell[name] == value for name, value in chosen.items() if value):
                yield cell, count


def count_breaks(breaks: QuerySet[Break], codes: Mapping[int, str], me: int | None) -> Counts:
    """Count in one pass over the index `break_counted`; `codes` names the reconciliations, `me` is the user's id."""
    names = ("state", "kind", "reason", "band", "reconciliation_id", "assignee_id", "due")
    rows = breaks.order_by().annotate(due=due_word(timezone.now())).values_list(*names).annotate(Count("pk"))
    return Counts(tuple((_cell(row, codes, me), row[-1]) for row in rows))


def _cell(row: tuple[Any, ...], codes: Mapping[int, str], me: int | None) -> dict[str, str]:
    assigned = NOBODY if row[5] is None else ME if row[5] == me else OTHERS
    return dict(zip(COUNTED, [_state(row), *row[1:4], codes[row[4]], assigned, row[6]], strict=True))


def assigned_to(breaks: QuerySet[Break], whom: str, me: int | None) -> QuerySet[Break]:
    """Breaks that the user looks after, or nobody, or others, or a person by name."""
    if whom == ME:
        return breaks.filter(assignee=me)
    if whom == NOBODY:
        return breaks.filter(assignee=None)
    if whom == OTHERS:
        return breaks.filter(assignee__isnull=False).exclude(assignee=me)
    return breaks.filter(assignee__username=whom)


def _state(row: tuple[str, ...]) -> str:
    """People see what waits for a partner, or is on hold, apart from what is in review."""
    state, _, _, band, *_ = row
    return band if state == Break.State.REVIEW and band in HIDDEN else state


def in_state(breaks: QuerySet[Break], state: str) -> QuerySet[Break]:
    """The breaks of a tab of the queue; all where the state is empty."""
    if state in HIDDEN:
        return breaks.filter(state=Break.State.REVIEW, band=state)
    if state == Break.State.REVIEW:
        return breaks.filter(SHOWN)
    return breaks.filter(state=state) if state else breaks


def facet(
    title: str, name: str, counts: Counts, chosen: Mapping[str, str], query: QueryDict, titles: Mapping[str, str]
) -> dict[str, Any]:
    """A list of values with counts; a click sets the filter, another one clears it."""
    found = counts.of(name, chosen)
    return {"title": title, "name": name, "options": _options(name, found.most_common(), chosen, query, titles)}


def tabs(counts: Counts, chosen: Mapping[str, str], query: QueryDict) -> list[dict[str, Any]]:
    """The states as tabs, in their order, the empty ones too."""
    found = counts.of("state", chosen)
    found[""] = found.total()
    return [
        {
            "title": title,
            "count": found[state],
            "is_on": chosen["state"] == state,
            "query": changed(query, state=state or "all"),
        }
        for state, title in STATES.items()
    ]


def _options(
    name: str,
    found: Iterable[tuple[str, int]],
    chosen: Mapping[str, str],
    query: QueryDict,
    titles: Mapping[str, str],
) -> list[dict[str, Any]]:
    return [
        {
            "value": value,
            "title": titles.get(value) or value or "Not yet",
            "count": count,
            "is_on": chosen.get(name) == value,
            "query": changed(query, **{name: "" if chosen.get(name) == value else value}),
        }
        for value, count in found
    ]


def changed(query: QueryDict, **changes: str) -> str:
    """A query string with some values changed, from its first page; an empty value goes."""
    new = query.copy()
    for name in ("after", *changes):
        new.pop(name, None)
    new.update({name: value for name, value in changes.items() if value})
    return new.urlencode()
