"""The orders of the queue, and pages of them by key: each order ends in the id, so no break is met twice or left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, QuerySet

from ingestion.exact import number
from reconciliation.models import Break
from reconciliation.models.break_ import SHOWN, SIZE
from review.ids import id_of


@dataclass(frozen=True)
class Order:
    """A column that breaks are ordered by, then their ids in the same direction. `of_shown`: only what people are shown to decide
    has an index for it."""

    title: str
    column: str = ""
    descends: bool = False
    of_shown: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """What is ordered by, as Django has it."""
        sign = "-" if self.descends else ""
        return tuple(f"{sign}{name}" for name in (self.column, "pk") if name)

    def sort(self, breaks: QuerySet[Break]) -> QuerySet[Break]:
        """The breaks in this order."""
        ready = breaks.annotate(size=SIZE) if self.column == "size" else breaks
        return ready.order_by(*self.columns)

    def mark(self, brk: Break) -> str:
        """Where a page ended, for the address of the next one."""
        return f"{getattr(brk, self.column)}_{brk.pk}" if self.column else str(brk.pk)

    def after(self, breaks: QuerySet[Break], mark: str) -> QuerySet[Break]:
        """What of the sorted breaks comes after a mark; nothing where it is none."""
        text, _, pk = mark.rpartition("_")
        way = "lt" if self.descends else "gt"
        behind = Q(**{f"pk__{way}": id_of(pk)})
        if not id_of(pk):
            return breaks.none()
        if not self.column:
            return breaks.filter(behind)
        value = number(text)
        if value is None or abs(value) >= Decimal(10) ** 28:
            return breaks.none()
        here = {self.column: value}
        # the first condition bounds what the index reads, the second one what it gives
        return breaks.filter(**{f"{self.column}__{way}e": value}).filter(Q(**here) & behind | ~Q(**here))


ORDERS: Mapping[str, Order] = {
    "priority": Order("Priority", "priority", of_shown=True),
    "newest": Order("Newest first", descends=True),
    "oldest": Order("Oldest first"),
    "amount": Order("Largest amount", "size", descends=True, of_shown=True),
}


def orders_of(state: str) -> dict[str, Order]:
    """The orders of a tab of the queue by name, the usual one first: what is not open, or waits, has no priority."""
    is_shown = state == Break.State.REVIEW
    return {name: it for name, it in ORDERS.items() if is_shown or not it.of_shown}


def order_of(asked: str, state: str) -> str:
    """The order that is asked for, where the tab has it, else its usual one."""
    orders = orders_of(state)
    return asked if asked in orders else next(iter(orders))


def shown_breaks(breaks: QuerySet[Break]) -> QuerySet[Break]:
    """What people are shown to decide."""
    return breaks.filter(SHOWN)
