"""What the queue's address filters by, for its page and for exports of it."""

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone

from reconciliation.models import Break
from review.due import due_is
from review.ids import id_of
from review.pages.ageing import AGES
from review.pages.facets import COUNTED, assigned_to, in_state

COLUMNS = {"reconciliation": "reconciliation__code"}
OWN = ("state", "assigned", "due")  # filters that are more than a column with a value


def chosen_of(query: QueryDict) -> dict[str, str]:
    """The counted filters that are set; the state is always among them, empty for all."""
    chosen = {name: str(query[name]) for name in COUNTED if query.get(name)}
    state = chosen.get("state", Break.State.REVIEW.value)
    return chosen | {"state": "" if state == "all" else state}


def searched(breaks: QuerySet[Break], query: QueryDict) -> QuerySet[Break]:
    """Under the filters that no facet counts: the beginning of a key, the run, the age."""
    if key := query.get("key"):
        breaks = breaks.filter(key__startswith=key)
    if run := query.get("run"):
        breaks = breaks.filter(last_run=id_of(run))
    if age := query.get("age"):
        breaks = breaks.filter(AGES[age].holds()) if age in AGES else breaks.none()
    return breaks


def narrowed_to(breaks: QuerySet[Break], chosen: dict[str, str], me: int | None) -> QuerySet[Break]:
    """Under the counted filters; `me` is the user's id."""
    if whom := chosen.get("assigned"):
        breaks = assigned_to(breaks, whom, me)
    if due := chosen.get("due"):
        breaks = breaks.filter(due_is(due, timezone.now()))
    others = {COLUMNS.get(name, name): value for name, value in chosen.items() if value and name not in OWN}
    return in_state(breaks.filter(**others), chosen["state"])


def as_filtered(breaks: QuerySet[Break], query: QueryDict, me: int | None) -> QuerySet[Break]:
    """The breaks that the queue lists for an address, to the user of an id."""
    return narrowed_to(searched(breaks, query), chosen_of(query), me)
