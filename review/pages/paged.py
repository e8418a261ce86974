"""Lists of things by id, the newest first, a page at a time."""

from typing import TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from review.ids import id_of

M = TypeVar("M", bound=Model)


def page_of(request: HttpRequest, rows: QuerySet[M], size: int) -> tuple[list[M], int | None]:
    """The rows that follow the id `before` of the address, and the id that the next page follows; None on the last one."""
    before = id_of(request.GET.get("before", ""))
    found = list((rows.filter(pk__lt=before) if before else rows)[: size + 1])
    return found[:size], found[size - 1].pk if len(found) > size else None
