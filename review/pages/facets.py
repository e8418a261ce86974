"""The queue's facets and tabs: what there is under the query, with counts, and the query that a click asks."""

from collections.abc import Mapping
from typing import Any

from reconciliation.holds import HELD
from reconciliation.waiting import WAITING
from review.counting import Counts
from review.query.asked import Asked
from review.query.terms import IS
from review.query.words import ALL, ME, NOBODY, OTHERS

ASSIGNED = {ME: "Me", NOBODY: "Nobody", OTHERS: "Others"}
STATES = {
    "review": "In review",
    HELD: "On hold",
    WAITING: "Waiting",
    "passed": "Passed",
    "approved": "Approved",
    "rejected": "Rejected",
    "": "All",
}


def facet(title: str, name: str, counts: Counts, asked: Asked, order: str, titles: Mapping[str, str]) -> dict[str, Any]:
    """A list of values with counts; a click sets the word of the query, another one takes it off."""
    chosen = next((it for it in asked.terms if it.word == name and it.op == IS and not it.negated), None)
    options = []
    for value, count in counts.of(name).most_common():
        is_on = chosen is not None and value in chosen.values
        changed = asked.without(name) if is_on else asked.having(name, value)
        options.append(
            {
                "value": value,
                "title": titles.get(value) or value or "Not yet",
                "count": None if counts.is_bounded else count,
                "is_on": is_on,
                "query": changed.query(order),
            }
        )
    return {"title": title, "name": name, "options": options}


def tabs(counts: Counts, asked: Asked, order: str) -> list[dict[str, Any]]:
    """The states as tabs, in their order, the empty ones too; without a count where it is not known."""
    found = counts.of("state")
    found[""] = found.total()
    return [
        {
            "title": title,
            "count": None if counts.is_bounded or (counts.of_one_state and asked.state != state) else found[state],
            "is_on": asked.state == state,
            "query": asked.having("state", state or ALL).query(order),
        }
        for state, title in STATES.items()
    ]
