"""What a preview says of chosen rows as they stand now: how many, of what, and which the answer leaves alone."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.contrib.auth.models import User

from ingestion.quarantine import STATES
from review.bulk_answers.answering import Action, Found, look_at, reasons_left_alone
from review.models import BulkAnswer
from review.quarantined import ALL, Asked, narrowed, visible_rows
from review.repair_rules import needing_second


@dataclass(frozen=True)
class Group:
    """Rows of one source, date and reason; numbers in the reason are written n."""

    source: str
    date: dt.date
    reason: str
    count: int


@dataclass(frozen=True)
class Summary:
    """The chosen rows: the answer reaches `count` of them, by source, date and reason; `proposals` of those wait for a second
    person; the others are left alone. `elsewhere` are rows under the same filter in other states, which were not chosen."""

    rows: int
    count: int
    proposals: int
    groups: Sequence[Group]
    left_alone: Sequence[tuple[str, int]]
    elsewhere: Sequence[tuple[str, int]]


def summary_of(answer: BulkAnswer, by: User) -> Summary:
    """A few queries, however many rows there are."""
    found = look_at(answer, by)
    reached = [it for it in found if not it.refusal]
    second = needing_second(it.source.pk for it in reached) if answer.action == Action.DISMISS else set()
    return Summary(
        rows=answer.rows,
        count=len(reached),
        proposals=sum(it.source.pk in second for it in reached),
        groups=_groups(reached),
        left_alone=reasons_left_alone(answer, found),
        elsewhere=_elsewhere(answer, by),
    )


def _groups(reached: Sequence[Found]) -> list[Group]:
    counts = Counter(
        (it.source.title, it.delivery.business_date, it.row.kind_of_reason)  # type: ignore[attr-defined]
        for it in reached
    )
    return [Group(*key, count) for key, count in counts.most_common()]


def _elsewhere(answer: BulkAnswer, by: User) -> list[tuple[str, int]]:
    """How many rows of the filter's source, date and reason stand in each state that it does not ask for."""
    if not answer.filters:
        return []
    asked, rows = Asked.of(answer.filters), visible_rows(by)
    if asked.state == ALL:
        return []
    others = [(state, narrowed(rows, replace(asked, state=state)).count()) for state in STATES if state != asked.state]
    return [(state, count) for state, count in others if count]
